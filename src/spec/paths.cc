// SPDX-License-Identifier: Apache-2.0
#include "spec/paths.h"

#include <algorithm>

namespace berth::spec {

std::string cleaned_path(std::string_view path) {
  std::string clean;
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..")
      clean.resize(clean.empty() ? 0 : clean.rfind('/'));
    else
      clean.append("/").append(part);
  }
  return clean.empty() ? "/" : clean;
}

std::string sysctl_path(std::string_view key) {
  std::string path(key);
  const size_t separator = path.find_first_of("./");
  if (separator != std::string::npos && path[separator] == '.') {
    std::ranges::transform(path, path.begin(), [](char c) {
      return c == '.' ? '/' : c == '/' ? '.' : c;
    });
  }
  // A clean path is equal to its own cleaned form: nothing in it is empty, "." or "..".
  return cleaned_path(path) == "/" + path ? path : std::string();
}

}  // namespace berth::spec
