// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "berth/driver.h"
#include "cli/options.h"

namespace berth::cli {

// "bridge=br0,make,ip=10.1.0.2/24,gateway=10.1.0.1": docs/networking.md. Its values are checked by
// who makes it.
Result<Interface> parse_interface(std::string_view text);

// The options --net of `box`.
Result<BoxNetwork> read_network(const Arguments& arguments);

}  // namespace berth::cli
