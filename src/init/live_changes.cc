// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "init/live_place.h"
#include "init/mounted.h"
#include "os/mount.h"

namespace berth::init {
namespace {

// The way back is made first: what is unmounted cannot be mounted again.
int keep(const Place& place, size_t index) {
  LiveItem& item = place.work.items[index];
  if (find_mount(place, index) < 0) return -1;
  struct stat status;
  if (::fstat(item.there, &status) == 0 && S_ISDIR(status.st_mode) != item.is_directory)
    return place.fail(index, LiveAction::Attach, ENOTDIR);
  item.copy = os::clone_mount(item.there, "", true);
  return item.copy < 0 ? place.fail(index, LiveAction::Keep, item.copy) : 0;
}

// The copy of the old one under the new one, which then goes. What has something on it takes
// nothing beneath it: an old one that is still on top goes first.
void put_back(const Place& place) {
  for (LiveItem& item : place.work.items) {
    if (item.beneath && !item.done) item.done = detach_mount(item.there) == 0;
    if (!item.done) continue;
    const bool beneath = os::attach_beneath(item.copy, item.mount) == 0;
    (void)detach_mount(item.mount);
    const int bare = beneath ? -1 : place.root.open(item.target);
    if (bare >= 0) (void)os::attach_mount(item.copy, bare);
    item.restored = id_of_mount(item.copy);
    item.done = item.beneath = false;
  }
}

// Before Linux 6.5 the place is bare for some microseconds.
int exchange(const Place& place, size_t index) {
  LiveItem& item = place.work.items[index];
  int result = detach_mount(item.there);
  if (result < 0) return place.fail(index, LiveAction::Detach, result);
  item.done = true;
  if (item.beneath) return 0;
  const int target = place.root.open(item.target);
  result = target < 0 ? target : os::attach_mount(item.mount, target);
  return result < 0 ? place.fail(index, LiveAction::Attach, result) : 0;
}

uint64_t attributes_of(const struct statfs& filesystem) {
  struct Pair {
    long flag;
    uint64_t attribute;
  };
  constexpr Pair kPairs[] = {{1, MOUNT_ATTR_RDONLY},        {2, MOUNT_ATTR_NOSUID},
                             {4, MOUNT_ATTR_NODEV},         {8, MOUNT_ATTR_NOEXEC},
                             {1024, MOUNT_ATTR_NOATIME},    {2048, MOUNT_ATTR_NODIRATIME},
                             {8192, MOUNT_ATTR_NOSYMFOLLOW}};
  constexpr long kNoTime = 1024;
  constexpr long kRelative = 4096;
  uint64_t attributes = 0;
  for (const Pair& pair : kPairs) {
    if ((filesystem.f_flags & pair.flag) != 0) attributes |= pair.attribute;
  }
  const bool strict = (filesystem.f_flags & (kNoTime | kRelative)) == 0;
  return strict ? attributes | MOUNT_ATTR_STRICTATIME : attributes;
}

int change(const Place& place, size_t index) {
  LiveItem& item = place.work.items[index];
  struct statfs filesystem;
  if (::fstatfs(item.there, &filesystem) < 0) return place.fail(index, LiveAction::Keep, errno);
  item.before = attributes_of(filesystem);
  const int result = os::set_attached_attributes(item.there, item.set, item.clear);
  if (result < 0) return place.fail(index, LiveAction::Change, result);
  item.done = true;
  return 0;
}

void change_back(const Place& place) {
  for (LiveItem& item : place.work.items) {
    uint64_t touched = item.set | item.clear;
    if ((touched & MOUNT_ATTR__ATIME) != 0) touched |= MOUNT_ATTR__ATIME;
    if (item.done)
      (void)os::set_attached_attributes(item.there, item.before & touched, touched & ~item.before);
    item.done = false;
  }
}

}  // namespace

int replace_all(const Place& place) {
  const size_t count = place.work.items.size();
  for (size_t index = 0; index < count; ++index) {
    if (keep(place, index) < 0) return -1;
  }
  for (LiveItem& item : place.work.items)
    item.beneath = os::attach_beneath(item.mount, item.there) == 0;
  for (size_t index = 0; index < count; ++index) {
    if (exchange(place, index) == 0) continue;
    put_back(place);
    return -1;
  }
  return 0;
}

int change_all(const Place& place) {
  const size_t count = place.work.items.size();
  for (size_t index = 0; index < count; ++index) {
    if (find_mount(place, index) < 0) return -1;
  }
  for (size_t index = 0; index < count; ++index) {
    if (change(place, index) == 0) continue;
    change_back(place);
    return -1;
  }
  return 0;
}

}  // namespace berth::init
