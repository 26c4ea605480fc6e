// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace berth::engine {

// SECCOMP_FILTER_FLAG_*, one of them.
bool kernel_has_seccomp_flag(unsigned flag);

}  // namespace berth::engine
