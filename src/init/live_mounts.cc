// SPDX-License-Identifier: Apache-2.0
#include "init/live_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "init/live_place.h"
#include "init/mounted.h"
#include "os/mount.h"
#include "os/path.h"

namespace berth::init {
namespace {

void remove_target(const Place& place, const LiveItem& item) {
  if (!item.made) return;
  const char* name = nullptr;
  const int parent = place.root.make_parent(item.target, &name);
  if (parent >= 0) (void)::unlinkat(parent, name, item.is_directory ? AT_REMOVEDIR : 0);
}

// A filesystem of a user namespace takes no file of somebody whom that does not know.
void act_as(uid_t owner, gid_t group) {
  (void)::syscall(SYS_setfsgid, group);
  (void)::syscall(SYS_setfsuid, owner);
}

int open_target(const Place& place, LiveItem& item) {
  const int there = place.root.open(item.target);
  if (there != -ENOENT) return there;
  act_as(place.work.owner, place.work.group);
  const int made = item.is_directory ? place.root.make_directory(item.target)
                                     : place.root.make_file(item.target);
  act_as(static_cast<uid_t>(::syscall(SYS_geteuid)), static_cast<gid_t>(::syscall(SYS_getegid)));
  item.made = made >= 0;
  return made;
}

int attach(const Place& place, size_t index) {
  LiveItem& item = place.work.items[index];
  const int target = open_target(place, item);
  if (target < 0) return place.fail(index, LiveAction::MakeTarget, target);
  struct statfs covered;
  const bool in_proc = ::fstatfs(target, &covered) == 0 && covered.f_type == PROC_SUPER_MAGIC;
  if (in_proc && !item.may_cover_proc) return place.fail(index, LiveAction::CoverProc, EPERM);
  struct stat place_status;
  if (::fstat(target, &place_status) == 0 && S_ISDIR(place_status.st_mode) != item.is_directory)
    return place.fail(index, LiveAction::Attach, ENOTDIR);
  const int result = os::attach_mount(item.mount, target);
  if (result < 0) return place.fail(index, LiveAction::Attach, result);
  item.done = true;
  return 0;
}

void undo(const Place& place) {
  for (size_t index = place.work.items.size(); index-- > 0;) {
    LiveItem& item = place.work.items[index];
    if (item.done) (void)detach_mount(item.mount);
    remove_target(place, item);
    item.done = item.made = false;
  }
}

int attach_all(const Place& place) {
  for (size_t index = 0; index < place.work.items.size(); ++index) {
    if (attach(place, index) == 0) continue;
    undo(place);
    return -1;
  }
  return 0;
}

// All are found before the first goes.
int detach_all(const Place& place) {
  const size_t count = place.work.items.size();
  for (size_t index = 0; index < count; ++index) {
    if (find_mount(place, index) < 0) return -1;
  }
  for (size_t index = count; index-- > 0;) {
    LiveItem& item = place.work.items[index];
    const int result = detach_mount(item.there);
    if (result < 0) return place.fail(index, LiveAction::Detach, result);
    item.done = true;
    remove_target(place, item);
  }
  return 0;
}

int work_inside(LiveWork& work) {
  const Place place{work, os::RootDir(work.root)};
  const int entered = enter_mounts(work.container, open_descriptors());
  if (entered < 0) return place.fail(0, LiveAction::Enter, entered);
  switch (work.task) {
    case LiveTask::Attach: return attach_all(place);
    case LiveTask::Detach: return detach_all(place);
    case LiveTask::Replace: return replace_all(place);
    case LiveTask::Change: return change_all(place);
  }
  return -1;
}

}  // namespace

int find_mount(const Place& place, size_t index) {
  LiveItem& item = place.work.items[index];
  item.there = place.root.open(item.target);
  if (item.there < 0) return place.fail(index, LiveAction::Find, item.there);
  const int id = id_of_mount(item.there);
  if (id != item.id) return place.fail(index, LiveAction::Find, id < 0 ? id : EBUSY);
  struct stat status;
  // Only of a mount point of ours: the mount's filesystem may be dead.
  if (item.made) item.is_directory = ::fstat(item.there, &status) == 0 && S_ISDIR(status.st_mode);
  return 0;
}

void run_live_mounts(LiveWork& work) { ::_exit(work_inside(work) < 0 ? 1 : 0); }

}  // namespace berth::init
