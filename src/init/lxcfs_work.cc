// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <utility>

#include "init/lxcfs.h"
#include "init/mounted.h"
#include "os/fd.h"
#include "os/mount.h"
#include "os/path.h"

namespace berth::init {
namespace {

// No link is followed, and of what a mount of lxcfs is nothing is asked: lxcfs may be dead.
constexpr uint64_t kInside = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

void set(LxcfsItem& item, LxcfsStep step, int error = 0) {
  item.step = step;
  item.error = error < 0 ? -error : error;
}

void fail(LxcfsItem& item, int error) {
  set(item, error == -ENOENT ? LxcfsStep::Absent : LxcfsStep::Failed, error);
}

bool is_kernels(int directory) {
  struct statfs filesystem;
  return ::fstatfs(directory, &filesystem) == 0 &&
         (filesystem.f_type == PROC_SUPER_MAGIC || filesystem.f_type == SYSFS_MAGIC);
}

// A file of the container, and the directory it is in.
struct File {
  LxcfsItem& item;
  int directory;

  int open() const {
    return os::open_resolved(directory, item.name, O_PATH | O_NOFOLLOW | O_CLOEXEC, kInside);
  }
  // The topmost of the layers that are left, open; nothing when it is not what the caller has seen.
  os::UniqueFd open_layer() const {
    os::UniqueFd there(open());
    if (!there || id_of_mount(there.get()) != item.layers[0]) return {};
    return there;
  }
};

// known: the topmost, where it is open already.
bool remove_top(const File& file, os::UniqueFd known) {
  LxcfsItem& item = file.item;
  const os::UniqueFd top = known ? std::move(known) : file.open_layer();
  if (!top) {
    set(item, LxcfsStep::Changed);
    return false;
  }
  const int result = detach_mount(top.get());
  if (result < 0) {
    fail(item, result);
    return false;
  }
  for (size_t i = 1; i < item.count; ++i) item.layers[i - 1] = item.layers[i];
  --item.count;
  return true;
}

void attach(const File& file, LxcfsStep told) {
  const os::UniqueFd there(file.open());
  const int result = there ? os::attach_mount(file.item.mount, there.get()) : there.get();
  if (result < 0) return fail(file.item, result);
  set(file.item, told);
}

void attach_first(const File& file) {
  const os::UniqueFd there(file.open());
  const bool bare = there && id_of_mount(there.get()) == id_of_mount(file.directory);
  if (there && !bare) return set(file.item, LxcfsStep::Changed);
  attach(file, LxcfsStep::Attached);
}

void replace(const File& file, os::UniqueFd known) {
  const os::UniqueFd old = known ? std::move(known) : file.open_layer();
  if (!old) return set(file.item, LxcfsStep::Changed);
  const bool beneath = os::attach_beneath(file.item.mount, old.get()) == 0;
  const int result = detach_mount(old.get());
  if (result == 0 && beneath) return set(file.item, LxcfsStep::Replaced);
  if (result == 0) return attach(file, LxcfsStep::Replaced);
  // It is locked when it came with a namespace of more privileged people.
  if (beneath || result != -EINVAL) return fail(file.item, result);
  attach(file, LxcfsStep::Covered);
}

// Whether its filesystem answers: this may hang where that does.
int ask(int file) {
  struct statx status;
  constexpr int kFlags = AT_EMPTY_PATH | AT_STATX_FORCE_SYNC;
  return ::syscall(SYS_statx, file, "", kFlags, STATX_SIZE, &status) < 0 ? -errno : 0;
}

// The topmost, open, when it is dead and is to be changed.
os::UniqueFd open_dead(const File& file) {
  os::UniqueFd top = file.open_layer();
  if (!top) {
    set(file.item, LxcfsStep::Changed);
    return {};
  }
  const int error = ask(top.get());
  if (error != 0 && file.item.changes) return top;
  set(file.item, error == 0 ? LxcfsStep::Alive : LxcfsStep::Dead);
  return {};
}

void work_on(const File& file) {
  LxcfsItem& item = file.item;
  os::UniqueFd top;
  if (item.asks) {
    top = open_dead(file);
    if (!top) return;
  }
  const size_t last = item.mount < 0 ? 0 : 1;
  const bool removes = item.mount < 0 && item.count > 0;
  while (item.count > last) {
    if (!remove_top(file, std::exchange(top, {}))) return;
  }
  if (item.mount < 0) return set(item, removes ? LxcfsStep::Removed : LxcfsStep::Kept);
  return item.count == 0 ? attach_first(file) : replace(file, std::move(top));
}

// Files of one directory follow one another.
struct Directory {
  const char* path = nullptr;
  os::UniqueFd fd = {};  // or why it is none
  bool is_kernels = false;
};

void open(Directory& directory, const char* path, int root) {
  if (directory.path != nullptr && ::strcmp(directory.path, path) == 0) return;
  directory.path = path;
  directory.fd.reset(os::open_resolved(root, path, O_PATH | O_DIRECTORY | O_CLOEXEC, kInside));
  directory.is_kernels = directory.fd && is_kernels(directory.fd.get());
}

void work_on(LxcfsItem& item, const Directory& directory) {
  if (!directory.fd) return fail(item, directory.fd.get());
  if (!directory.is_kernels) return set(item, LxcfsStep::Foreign);
  work_on(File{item, directory.fd.get()});
}

int work_on_all(LxcfsWork& work, int descriptors) {
  if (::syscall(SYS_flock, work.lock, LOCK_EX) < 0) return errno;
  const int entered = enter_mounts(work.container, descriptors);
  if (entered < 0) return -entered;
  os::UniqueFd root;
  if (work.rootfs != nullptr) {
    root.reset(::open(work.rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return errno;
  }
  Directory directory;
  for (LxcfsItem& item : work.items) {
    open(directory, item.directory, root ? root.get() : work.root);
    work_on(item, directory);
  }
  return 0;
}

int64_t now() {
  timespec time = {};
  (void)::syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

void run_lxcfs_work(LxcfsQueue& queue) {
  const os::UniqueFd descriptors(open_descriptors());
  for (;;) {
    const size_t index = queue.next.fetch_add(1);
    if (index >= queue.items.size()) ::_exit(0);
    LxcfsWork& work = *queue.items[index].work;
    work.begun = now();
    work.error = work_on_all(work, descriptors.get());
    // At once: the parent has the lock as well, and may wait for one in another container.
    (void)::syscall(SYS_flock, work.lock, LOCK_UN);
    work.is_done = true;
  }
}

}  // namespace berth::init
