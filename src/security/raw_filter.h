// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/filter.h>

#include <string_view>
#include <vector>

#include "berth/error.h"

namespace berth::security {

// A classic BPF program as base64 of the kernel's sock_filter array. Whether it is a valid one is
// the kernel's to say.
Result<std::vector<sock_filter>> read_raw_filter(std::string_view base64);

}  // namespace berth::security
