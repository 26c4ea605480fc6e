// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "init/lxcfs.h"
#include "os/fd.h"
#include "os/socket.h"

namespace berth::init {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;

// As getdents64(2) fills it.
struct Entry {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[1];
};

// "FOLDER/NAME"; false when that is longer than any of lxcfs.
bool join(char (&path)[kMaxLxcfsPath], const char* folder, const char* name) {
  const size_t head = strlen(folder);
  const size_t tail = strlen(name);
  if (head + tail + 2 > sizeof path) return false;
  memcpy(path, folder, head);
  path[head] = '/';
  memcpy(path + head + 1, name, tail + 1);
  return true;
}

os::UniqueFd open_path(int directory, const char* name) {
  return os::UniqueFd(::openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

int offer(int socket, const os::UniqueFd& file, const char* path) {
  if (!file) return errno;
  const long sent = os::send_packet(socket, path, strlen(path), file.get());
  return sent < 0 ? static_cast<int>(-sent) : 0;
}

int offer_folder(int socket, const os::UniqueFd& directory, const char* path, bool top);

// Not every version of lxcfs says in a directory what is one (Entry::type); asking by descriptor
// costs it nothing.
int offer_entry(int socket, const os::UniqueFd& directory, const Entry& entry, const char* folder,
                bool top) {
  char path[kMaxLxcfsPath];
  const bool is_own = strcmp(entry.name, ".") == 0 || strcmp(entry.name, "..") == 0;
  if (is_own || !join(path, folder, entry.name)) return 0;
  const os::UniqueFd file = open_path(directory.get(), entry.name);
  if (!file) return errno;
  const os::UniqueFd inner(::openat(file.get(), ".", kDirectory));
  if (inner)
    return top ? offer_folder(socket, inner, path, false) : 0;  // one level: /proc/pressure
  return errno == ENOTDIR ? offer(socket, file, path) : errno;
}

int offer_folder(int socket, const os::UniqueFd& directory, const char* path, bool top) {
  alignas(Entry) char buffer[4096];
  for (;;) {
    const long size = ::syscall(SYS_getdents64, directory.get(), buffer, sizeof buffer);
    if (size <= 0) return size < 0 ? errno : 0;
    for (long at = 0; at < size;) {
      const auto* const entry = reinterpret_cast<const Entry*>(buffer + at);
      at += entry->length;
      const int error = offer_entry(socket, directory, *entry, path, top);
      if (error != 0) return error;
    }
  }
}

bool has(int directory, const char* name) {
  return ::syscall(SYS_faccessat, directory, name, F_OK) == 0;
}

// The whole directory where lxcfs has all of it, else the one file that it always had.
int offer_processors(int socket, int directory) {
  constexpr const char* kFolder = "sys/devices/system/cpu";
  const os::UniqueFd folder(::openat(directory, kFolder, kDirectory));
  if (!folder) return errno == ENOENT ? 0 : errno;
  if (has(folder.get(), "uevent"))
    return offer(socket, open_path(directory, kFolder), "/sys/devices/system/cpu");
  if (!has(folder.get(), "online")) return errno == ENOENT ? 0 : errno;
  return offer(socket, open_path(folder.get(), "online"), "/sys/devices/system/cpu/online");
}

int read_one(int directory) {
  const os::UniqueFd file(::openat(directory, "proc/uptime", O_RDONLY | O_CLOEXEC));
  char text[64];
  return file && ::read(file.get(), text, sizeof text) > 0 ? 0 : errno;
}

int offer_all(int socket, const char* path) {
  const os::UniqueFd directory(::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return errno;
  const os::UniqueFd proc(::openat(directory.get(), "proc", kDirectory));
  if (!proc) return errno;
  int error = offer_folder(socket, proc, "/proc", true);
  if (error == 0) error = offer_processors(socket, directory.get());
  return error == 0 ? read_one(directory.get()) : error;
}

}  // namespace

void run_lxcfs_offer(const LxcfsOffer& offer) {
  // It may outlive its parent when lxcfs hangs: then it holds nothing of it.
  const auto socket = static_cast<unsigned>(offer.socket);
  if (socket > 0) (void)::syscall(SYS_close_range, 0, socket - 1, 0);
  (void)::syscall(SYS_close_range, socket + 1, ~0U, 0);
  const int error = offer_all(offer.socket, offer.directory);
  (void)os::send_packet(offer.socket, &error, sizeof error);
  ::_exit(0);
}

}  // namespace berth::init
