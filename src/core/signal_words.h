// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace berth {

// "signal 31 (bad system call)".
std::string signal_words(int number);

}  // namespace berth
