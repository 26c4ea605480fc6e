// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/step.h"
#include "os/mount.h"

namespace berth::init {
namespace {

constexpr uint64_t kMaskAttributes =
    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

int make_readonly(int mount) { return os::set_attached_attributes(mount, MOUNT_ATTR_RDONLY, 0); }

StepResult make_mounts_readonly(InitContext& init) {
  for (size_t index = 0; index < init.plan.mounts.size(); ++index) {
    const int fd = init.prepared.late_mounts[index];
    if (fd < 0) continue;
    const int result = make_readonly(fd);
    if (result < 0)
      return failure(Step::FinishRootfs, result, static_cast<int>(index), Action::SetAttributes);
  }
  return {};
}

int protect_path(int root, const char* path) {
  const ChildFd target(os::RootDir(root).open(path));
  if (!target) return target.get() == -ENOENT || target.get() == -ENOTDIR ? 0 : target.get();
  const ChildFd readonly(os::clone_readonly(target.get(), ""));
  if (readonly) return os::attach_mount(readonly.get(), target.get());
  if (readonly.get() != -ENOSYS) return readonly.get();
  const ChildFd tree(os::clone_mount(target.get(), "", true));
  if (!tree) return tree.get();
  int result = os::set_attributes(tree.get(), MOUNT_ATTR_RDONLY, 0, true);
  const bool old_kernel = result == -ENOSYS;
  if (result < 0 && !old_kernel) return result;
  result = os::attach_mount(tree.get(), target.get());
  return result == 0 && old_kernel ? os::remount_attributes(tree.get(), MOUNT_ATTR_RDONLY, 0)
                                   : result;
}

// What masks show: an empty read-only directory and an empty file, both of a filesystem of our own.
// The image has no part in it.
class Mask {
 public:
  int open() {
    const ChildFd filesystem(os::open_filesystem("tmpfs"));
    if (!filesystem) return filesystem.get();
    (void)os::set_filesystem_string(filesystem.get(), "mode", "755");
    base_.reset(os::mount_filesystem(filesystem.get(),
                                     kMaskAttributes & ~static_cast<uint64_t>(MOUNT_ATTR_RDONLY)));
    if (!base_) return base_.get();
    if (::mkdirat(base_.get(), "directory", 0555) < 0) return -errno;
    const ChildFd file(
        ::openat(base_.get(), "file", O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0444));
    if (!file) return -errno;
    const int result = os::set_attributes(base_.get(), MOUNT_ATTR_RDONLY, 0, false);
    // Without mount_setattr a mount cannot be changed before it is attached, but its filesystem.
    return result == -ENOSYS ? os::make_filesystem_readonly(filesystem.get()) : result;
  }
  bool is_open() const { return static_cast<bool>(base_); }

  int cover(int target, bool is_directory, int root) {
    // A detached mount that is never attached costs an RCU grace period to dissolve: it is hidden
    // below the first directory.
    if (is_directory && !attached_) {
      const int result = attach(target);
      return result < 0 ? result : cover_by("directory", base_.get());
    }
    const char* name = is_directory ? "directory" : "file";
    const int result = cover_by(name, target);
    if (result != -EINVAL || attached_) return result;
    // Before Linux 6.15 nothing is cloned from a detached mount. It lies over the root meanwhile,
    // where no path from the root's descriptor leads.
    const int lies = attach(root);
    over_root_ = lies == 0;
    return lies < 0 ? lies : cover_by(name, target);
  }

  // The working directory is / afterwards.
  int close() {
    if (!over_root_) return 0;
    if (::fchdir(base_.get()) < 0) return -errno;
    return os::detach_working_directory();
  }

 private:
  int attach(int target) {
    attached_ = true;
    return os::attach_mount(base_.get(), target);
  }
  int cover_by(const char* name, int target) {
    const ChildFd copy(os::clone_mount(base_.get(), name, false));
    return copy ? os::attach_mount(copy.get(), target) : copy.get();
  }

  ChildFd base_;
  bool attached_ = false;
  bool over_root_ = false;
};

int mask_path(Mask& mask, int root, const char* path) {
  const ChildFd target(os::RootDir(root).open(path));
  if (!target) return target.get() == -ENOENT || target.get() == -ENOTDIR ? 0 : target.get();
  struct stat status;
  if (::fstat(target.get(), &status) < 0) return -errno;
  if (!mask.is_open()) {
    const int result = mask.open();
    if (result < 0) return result;
  }
  return mask.cover(target.get(), S_ISDIR(status.st_mode), root);
}

}  // namespace

StepResult finish_rootfs(InitContext& init) {
  TRY(make_mounts_readonly(init));
  const plan::InitPlan& plan = init.plan;
  for (size_t index = 0; index < plan.readonly_paths.size(); ++index) {
    const int result = protect_path(init.root, plan.readonly_paths[index].path.c_str());
    if (result < 0)
      return failure(Step::FinishRootfs, result, static_cast<int>(index), Action::MakeTarget, 1);
  }
  Mask mask;
  for (size_t index = 0; index < plan.masked_paths.size(); ++index) {
    const int result = mask_path(mask, init.root, plan.masked_paths[index].path.c_str());
    if (result < 0)
      return failure(Step::FinishRootfs, result, static_cast<int>(index), Action::MakeTarget, 2);
  }
  const int closed = mask.close();
  if (closed < 0) return failure(Step::FinishRootfs, closed, -1, Action::MakeTarget, 2);
  if (plan.root.final_propagation != 0) {
    const int result = os::set_propagation(init.root, plan.root.final_propagation);
    if (result < 0) return failure(Step::FinishRootfs, result, -1, Action::SetPropagation);
  }
  if (plan.root.readonly) {
    const int result = make_readonly(init.root);
    if (result < 0) return failure(Step::FinishRootfs, result, -1, Action::SetAttributes);
  }
  return {};
}

}  // namespace berth::init
