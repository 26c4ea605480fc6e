// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "berth/factory.h"
#include "berth/try.h"
#include "core/context.h"
#include "os/fd.h"

extern char** environ;

// A container that gets a handle on /proc/PID/exe of ours must not be able to write the host's
// binary (CVE-2019-5736). So the program runs from a copy: on a read-only mount that is in no
// namespace, where nobody can make it writable again, or, where mounting is not allowed, from a
// sealed memfd. cli/entry.cc does the first of these before the C library is set up, where it costs
// less.
namespace berth {
namespace {

constexpr const char* kMarker = "_BERTH_PROTECTED";
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

// What runs from either can not be written whoever asks: not by name and not through a kept handle.
bool is_readonly(const char* program) {
  struct statfs filesystem;
  return ::statfs(program, &filesystem) == 0 && (filesystem.f_flags & ST_RDONLY) != 0;
}

bool is_sealed(int program) {
  const int seals = ::fcntl(program, F_GET_SEALS);  // -1 for what is no memfd
  return seals >= 0 && (seals & kSeals) == kSeals;
}

// A clone of the binary's mount, read-only; once its descriptor is closed it belongs to no
// namespace and can not be changed.
os::UniqueFd open_on_readonly_mount(int self) {
  os::UniqueFd tree(::open_tree(self, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
  if (!tree) return {};
  struct mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  if (::mount_setattr(tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0) return {};
  return tree;
}

Result<os::UniqueFd> copy_to_memfd(int self) {
  os::UniqueFd copy(::memfd_create("berth", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  struct stat status;
  if (!copy || ::fstat(self, &status) < 0) return system_error(errno, "copy the own program");
  for (off_t done = 0; done < status.st_size;) {
    const ssize_t size =
        ::sendfile(copy.get(), self, &done, static_cast<size_t>(status.st_size - done));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return system_error(errno, "copy the own program");
  }
  if (::fcntl(copy.get(), F_ADD_SEALS, kSeals) < 0)
    return system_error(errno, "seal the copy of the own program");
  return copy;
}

}  // namespace

Result<> protect_executable(char** argv) {
  if (is_readonly("/proc/self/exe")) {
    (void)::unsetenv(kMarker);
    return {};
  }
  const os::UniqueFd self(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  if (!self) return system_error(errno, "open the own program");
  if (is_sealed(self.get())) {
    (void)::unsetenv(kMarker);
    return {};
  }
  if (::getenv(kMarker) != nullptr)
    return fail(ErrorKind::Internal, "the protected copy of the own program is not protected");
  os::UniqueFd copy = open_on_readonly_mount(self.get());
  if (!copy) copy = TRY(copy_to_memfd(self.get()));
  (void)::setenv(kMarker, "1", 1);
  (void)::syscall(SYS_execveat, copy.get(), "", argv, environ, AT_EMPTY_PATH);
  const int error = errno;
  (void)::unsetenv(kMarker);
  return system_error(error, "run the protected copy of the own program");
}

}  // namespace berth
