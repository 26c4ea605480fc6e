// SPDX-License-Identifier: Apache-2.0
#include "engine/live/lxcfs_places.h"

#include <algorithm>
#include <set>

#include "engine/live/lxcfs_source.h"

namespace berth::engine {
namespace {

// A file whose filesystem has ended can be shown as one that was removed.
std::string_view plain_root(const os::MountEntry& mount) {
  constexpr std::string_view kGone = "//deleted";
  std::string_view root = mount.root;
  if (root.ends_with(kGone)) root.remove_suffix(kGone.size());
  return root;
}

bool is_file(const os::MountEntry& mount, std::string_view rootfs) {
  return mount.type == kLxcfsType && mount.root != "/" && mount.place.starts_with(rootfs) &&
         std::string_view(mount.place).substr(rootfs.size()) == plain_root(mount);
}

// What lies on one place, the topmost first: each lies on the one that follows.
std::vector<const os::MountEntry*> stack_on(const std::vector<os::MountEntry>& mounts,
                                            std::string_view place) {
  std::vector<const os::MountEntry*> there;
  for (const os::MountEntry& mount : mounts) {
    if (mount.place == place) there.push_back(&mount);
  }
  std::vector<const os::MountEntry*> stack;
  const auto lies_on = [&](const os::MountEntry* below) {
    return std::ranges::any_of(
        there, [&](const os::MountEntry* above) { return above->parent == below->id; });
  };
  auto next = std::ranges::find_if_not(there, lies_on);
  while (next != there.end() && stack.size() < there.size()) {
    stack.push_back(*next);
    next = std::ranges::find(there, stack.back()->parent, &os::MountEntry::id);
  }
  return stack;
}

LxcfsPlace place_of(const std::vector<os::MountEntry>& mounts, const std::string& rootfs,
                    const std::string& path) {
  LxcfsPlace place{.path = path};
  for (const os::MountEntry* const mount : stack_on(mounts, rootfs + path)) {
    if (mount->type != kLxcfsType) {
      place.is_covered = place.layers.empty();
      break;
    }
    if (place.layers.empty()) place.device = mount->device;
    place.layers.push_back(mount->id);
  }
  return place;
}

}  // namespace

std::vector<LxcfsPlace> find_places(const std::vector<os::MountEntry>& mounts,
                                    const std::string& rootfs,
                                    const std::vector<std::string>& wanted) {
  std::set<std::string> paths(wanted.begin(), wanted.end());
  for (const os::MountEntry& mount : mounts) {
    if (is_file(mount, rootfs)) paths.insert(mount.place.substr(rootfs.size()));
  }
  std::vector<LxcfsPlace> places;
  for (const std::string& path : paths) {
    LxcfsPlace place = place_of(mounts, rootfs, path);
    if (!place.layers.empty() || place.is_covered) places.push_back(std::move(place));
  }
  return places;
}

bool has_lxcfs_files(const std::vector<os::MountEntry>& mounts) {
  return std::ranges::any_of(mounts,
                             [](const os::MountEntry& mount) { return is_file(mount, ""); });
}

}  // namespace berth::engine
