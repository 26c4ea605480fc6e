// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "spec/read_spec.h"

namespace berth::spec {

// What must hold for any bytes: reading ends; a refusal says why and its message can be made; what
// was read can be written and read again as the same. Answers whether it did hold.
inline bool config_holds(std::string_view text) {
  (void)read_for_lint(text);
  if (const auto resources = read_resources(text)) (void)validate_resources(*resources, "");
  if (const auto process = read_process(text)) (void)validate_process(*process, "");
  const auto spec = read_spec(text);
  if (!spec)
    return !spec.error().message().empty() && spec.error().kind() == ErrorKind::InvalidConfig;
  const auto valid = read_valid_spec(text);
  if (!valid && valid.error().message().empty()) return false;
  const auto again = read_spec(write_spec(*spec, 2));
  return again.has_value() && *again == *spec;
}

}  // namespace berth::spec
