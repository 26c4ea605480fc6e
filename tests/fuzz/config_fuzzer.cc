// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "check_config.h"

extern "C" __attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(const uint8_t* data,
                                                                             size_t size) {
  if (!berth::spec::config_holds({reinterpret_cast<const char*>(data), size})) std::abort();
  return 0;
}
