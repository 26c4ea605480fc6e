// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/step.h"
#include "os/mount.h"

namespace berth::init {
namespace {

// As getdents64(2) writes it; `struct dirent64` has a name of fixed size.
struct Entry {
  uint64_t inode;
  int64_t offset;
  uint16_t size;
  uint8_t type;
  char name[];
};

bool is_dots(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

bool is_empty(int place) {
  const ChildFd directory(::openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  alignas(Entry) char buffer[1024];
  const long size =
      directory ? ::syscall(SYS_getdents64, directory.get(), buffer, sizeof buffer) : 0;
  if (size <= 0) return false;
  for (long at = 0; at < size;) {
    const auto* entry = reinterpret_cast<const Entry*>(buffer + at);
    if (!is_dots(entry->name)) return false;
    at += entry->size;
  }
  return true;
}

int open_place(int root, const plan::ToolPlace& place) {
  const int directory =
      os::open_resolved(root, place.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC,
                        RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
  if (directory < 0 || !place.if_empty || is_empty(directory)) return directory;
  return -ENOTEMPTY;
}

}  // namespace

// What is mounted here from now on is seen by nobody else; what the container mounts is seen here.
StepResult part_from_container(EnterContext& enter) {
  if (enter.prepared.tools < 0) return {};
  if (::unshare(CLONE_NEWNS) < 0) return failure(Step::AttachTools, errno);
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0)
    return failure(Step::AttachTools, errno, -1, Action::SetPropagation);
  return {};
}

StepResult attach_tools(EnterContext& enter) {
  PreparedEnter& prepared = enter.prepared;
  if (prepared.tools < 0) return {};
  const ChildFd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return failure(Step::AttachTools, errno);
  int error = -ENOENT;
  for (size_t index = 0; index < enter.plan.tool_places.size(); ++index) {
    const ChildFd place(open_place(root.get(), enter.plan.tool_places[index]));
    if (!place) {
      error = place.get();
      continue;
    }
    const int result = os::attach_mount(prepared.tools, place.get());
    if (result < 0)
      return failure(Step::AttachTools, result, static_cast<int>(index), Action::Attach);
    *prepared.path_slot = prepared.tool_paths[index];
    prepared.process.path = prepared.tool_paths[index] + strlen("PATH=");
    return {};
  }
  return failure(Step::AttachTools, error, -1, Action::MakeTarget);
}

}  // namespace berth::init
