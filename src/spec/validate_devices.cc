// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include "berth/try.h"
#include "spec/validate.h"

namespace berth::spec {
namespace {

constexpr int64_t kLastMajor = (1 << 12) - 1;
constexpr int64_t kLastMinor = (1 << 20) - 1;

mode_t file_type(char type) { return type == 'b' ? S_IFBLK : type == 'p' ? S_IFIFO : S_IFCHR; }

// The spec wants permissions only; some engines pass the whole st_mode.
bool mode_fits(const Device& device) {
  const uint32_t mode = device.file_mode.value_or(0);
  const uint32_t type = mode & S_IFMT;
  return (mode & ~uint32_t{S_IFMT}) <= 07777 && (type == 0 || type == file_type(device.type));
}

Result<> device_is_sound(const Device& device, const std::string& at) {
  if (!device.path.starts_with('/')) return invalid(at + "/path", "must be an absolute path");
  if (climbs(device.path)) return invalid(at + "/path", "must not contain \"..\"");
  if (device.type != 'p' && (device.major < 0 || device.major > kLastMajor)) {
    return invalid(at + "/major", "must be from 0 to {}", kLastMajor);
  }
  if (device.type != 'p' && (device.minor < 0 || device.minor > kLastMinor)) {
    return invalid(at + "/minor", "must be from 0 to {}", kLastMinor);
  }
  if (!mode_fits(device)) return invalid(at + "/fileMode", "not permissions");
  if (device.uid == kNoId) return invalid(at + "/uid", "{} is not a user", kNoId);
  if (device.gid == kNoId) return invalid(at + "/gid", "{} is not a group", kNoId);
  return {};
}

}  // namespace

Result<> validate_devices(const Linux& platform) {
  for (size_t i = 0; i < platform.devices.size(); ++i) {
    TRY(device_is_sound(platform.devices[i], formatted("/linux/devices/{}", i)));
  }
  return {};
}

}  // namespace berth::spec
