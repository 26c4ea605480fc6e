// SPDX-License-Identifier: Apache-2.0
#include "driver/host_devices.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "berth/try.h"
#include "core/context.h"
#include "os/directory_list.h"
#include "os/file.h"

namespace berth::driver {
namespace {

// Pseudo terminals and message queues of a container are its own; its console is its terminal.
constexpr std::string_view kOwn[] = {"/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/console",
                                     "/dev/ptmx"};

spec::Device device_of(std::string path, const struct stat& status) {
  return {.path = std::move(path),
          .type = S_ISBLK(status.st_mode) ? 'b' : 'c',
          .major = major(status.st_rdev),
          .minor = minor(status.st_rdev),
          .file_mode = status.st_mode & 07777,
          .uid = status.st_uid,
          .gid = status.st_gid};
}

bool is_device(mode_t mode) { return S_ISBLK(mode) || S_ISCHR(mode); }

Result<> walk(int parent, const std::string& name, const std::string& path,
              std::vector<spec::Device>& devices);

// What goes away meanwhile is left out: devices are unplugged.
Result<> take(int directory, const std::string& name, const std::string& path,
              std::vector<spec::Device>& devices) {
  struct stat status = {};
  if (std::ranges::find(kOwn, path) != std::end(kOwn)) return {};
  if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0) return {};
  if (S_ISDIR(status.st_mode)) return walk(directory, name, path, devices);
  if (is_device(status.st_mode)) devices.push_back(device_of(path, status));
  return {};
}

Result<> walk(int parent, const std::string& name, const std::string& path,
              std::vector<spec::Device>& devices) {
  os::UniqueFd opened = TRY(os::open_at(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW) |
                            context("devices of the host"));
  const os::DirectoryList directory(::fdopendir(opened.get()));
  if (!directory) return system_error(errno, "read {}", path);
  (void)opened.release();  // the stream's now
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string each = entry->d_name;
    if (each == "." || each == "..") continue;
    TRY(take(::dirfd(directory.get()), each, path + "/" + each, devices));
  }
  return {};
}

}  // namespace

Result<spec::Device> device_at(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) < 0)
    return fail(ErrorKind::InvalidUse, "device {}: {}", path, std::strerror(errno));
  if (!is_device(status.st_mode))
    return fail(ErrorKind::InvalidUse, "device {}: this is no device node", path);
  return device_of(path, status);
}

Result<std::vector<spec::Device>> host_devices() {
  std::vector<spec::Device> devices;
  TRY(walk(AT_FDCWD, "/dev", "/dev", devices));
  std::ranges::sort(devices, {}, &spec::Device::path);
  return devices;
}

}  // namespace berth::driver
