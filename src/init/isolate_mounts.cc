// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/step.h"
#include "os/mount.h"

namespace berth::init {
namespace {

// `berth try`: the host's root, copy-on-write. The tmpfs and the overlay exist in this mount
// namespace only.
int open_overlay(const char* lower, const char* place) {
  const ChildFd tmpfs_context(os::open_filesystem("tmpfs"));
  if (!tmpfs_context) return tmpfs_context.get();
  (void)os::set_filesystem_string(tmpfs_context.get(), "mode", "0755");
  const ChildFd tmpfs(os::mount_filesystem(tmpfs_context.get(), 0));
  if (!tmpfs) return tmpfs.get();
  const ChildFd target(::open(place, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!target) return -errno;
  const int attached = os::attach_mount(tmpfs.get(), target.get());
  if (attached < 0) return attached;
  // The layers are named relative to the tmpfs: its path may be of any length.
  if (::fchdir(tmpfs.get()) < 0) return -errno;
  if (::mkdir("upper", 0755) < 0 || ::mkdir("work", 0755) < 0 || ::mkdir("root", 0755) < 0)
    return -errno;
  const ChildFd overlay(os::open_filesystem("overlay"));
  if (!overlay) return overlay.get();
  int result = os::set_filesystem_string(overlay.get(), "source", "overlay");
  if (result == 0) result = os::set_filesystem_string(overlay.get(), "lowerdir", lower);
  if (result == 0) result = os::set_filesystem_string(overlay.get(), "upperdir", "upper");
  if (result == 0) result = os::set_filesystem_string(overlay.get(), "workdir", "work");
  if (result < 0) return result;
  const int mount = os::mount_filesystem(overlay.get(), 0);
  if (mount < 0) return mount;
  const ChildFd root(::open("root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  result = root ? os::attach_mount(mount, root.get()) : -errno;
  if (result == 0) return mount;
  ::close(mount);
  return result;
}

int bind_root(const char* path) {
  const ChildFd target(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!target) return -errno;
  const int mount = os::clone_mount(target.get(), "", true);
  if (mount < 0) return mount;
  const int attached = os::attach_mount(mount, target.get());
  if (attached == 0) return mount;
  ::close(mount);
  return attached;
}

// Nothing of the host's /proc and /sys may stay below the moved root, where masks do not reach.
int move_root_here() {
  for (const char* place : {"/sys", "/proc"}) {
    while (::umount2(place, MNT_DETACH) == 0) {  // mounts may be stacked
    }
  }
  return ::mount(".", "/", nullptr, MS_MOVE, nullptr) < 0 ? -errno : 0;
}

// To the working directory.
int change_root(plan::RootEntry entry) {
  if (entry == plan::RootEntry::Pivot) return os::pivot_root_here();
  const int moved = entry == plan::RootEntry::Move ? move_root_here() : 0;
  if (moved < 0) return moved;
  return ::chroot(".") < 0 || ::chdir("/") < 0 ? -errno : 0;
}

}  // namespace

StepResult isolate_mounts(InitContext& init) {
  const plan::RootPlan& root = init.plan.root;
  if (root.entry == plan::RootEntry::Chroot) {
    init.root = ::open(root.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    return init.root < 0 ? StepResult(failure(Step::IsolateMounts, errno)) : StepResult();
  }
  if (root.isolation != 0 && ::mount(nullptr, "/", nullptr, root.isolation, nullptr) < 0) {
    return failure(Step::IsolateMounts, errno, -1, Action::SetPropagation);
  }
  const std::string& place = init.prepared.overlay_place;
  init.root = place.empty() ? -ENOSYS : open_overlay(root.path.c_str(), place.c_str());
  if (init.root < 0) {
    init.root = bind_root(root.path.c_str());
    // No overlay here: the host's root is shown as it is, and must not be written.
    if (!place.empty() && init.root >= 0) {
      const int result = os::set_attributes(init.root, MOUNT_ATTR_RDONLY, 0, true);
      if (result < 0) return failure(Step::IsolateMounts, result, -1, Action::SetAttributes);
    }
  }
  if (init.root < 0) return failure(Step::IsolateMounts, init.root, -1, Action::Attach);
  return {};
}

StepResult enter_rootfs(InitContext& init) {
  if (::fchdir(init.root) < 0) return failure(Step::EnterRootfs, errno);
  const int result = change_root(init.plan.root.entry);
  if (result < 0) return failure(Step::EnterRootfs, result);
  const plan::ProcessPlan& process = init.plan.process;
  if (!process.create_cwd || process.cwd == "/") return {};
  const ChildFd made(os::RootDir(init.root).make_directory(process.cwd.c_str()));
  if (!made && made.get() != -EACCES)
    return failure(Step::EnterRootfs, made.get(), -1, Action::ChangeDirectory);
  return {};
}

}  // namespace berth::init
