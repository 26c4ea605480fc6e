// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "spec/paths.h"

namespace berth::plan {

// A path of the host as config.json gives it: absolute, or relative to the bundle.
inline std::string host_path(std::string_view bundle, std::string_view path) {
  if (path.starts_with('/')) return spec::cleaned_path(path);
  return spec::cleaned_path(std::string(bundle).append("/").append(path));
}

}  // namespace berth::plan
