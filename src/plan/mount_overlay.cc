// SPDX-License-Identifier: Apache-2.0
#include "plan/mount_item.h"

namespace berth::plan {
namespace {

// fsconfig(2) takes no longer value.
constexpr size_t kLongestValue = 255;

// "a:b\:c::d" layer by layer: what stands behind "::" holds contents only. The keys for one layer
// (Linux 6.8) take a path as it is, without escapes.
std::vector<FilesystemOption> split_layers(const std::string& layers) {
  std::vector<FilesystemOption> options(1, {.key = "lowerdir+", .value = ""});
  for (size_t i = 0; i < layers.size(); ++i) {
    if (layers[i] != ':') {
      if (layers[i] == '\\' && i + 1 < layers.size()) ++i;
      *options.back().value += layers[i];
    } else if (i + 1 < layers.size() && layers[i + 1] == ':') {
      ++i;
      options.push_back({.key = "datadir+", .value = ""});
    } else {
      options.push_back({.key = "lowerdir+", .value = ""});
    }
  }
  return options;
}

}  // namespace

void plan_overlay(MountItem& item) {
  std::vector<FilesystemOption> options;
  for (FilesystemOption& option : item.options) {
    if (option.key != "lowerdir" || !option.value || option.value->size() <= kLongestValue) {
      options.push_back(std::move(option));
      continue;
    }
    for (FilesystemOption& layer : split_layers(*option.value)) options.push_back(std::move(layer));
  }
  item.options = std::move(options);
}

}  // namespace berth::plan
