// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <algorithm>

#include "berth/try.h"
#include "plan/make_plan.h"
#include "plan/refuse.h"
#include "spec/paths.h"

namespace berth::plan {
namespace {

constexpr mode_t kDefaultMode = 0666;
constexpr mode_t kPermissions = 07777;

DeviceItem default_device(const char* path, uint32_t major, uint32_t minor) {
  return {.path = path, .mode = S_IFCHR | kDefaultMode, .major = major, .minor = minor};
}

std::vector<DeviceItem> default_devices() {
  return {default_device("/dev/null", 1, 3),    default_device("/dev/zero", 1, 5),
          default_device("/dev/full", 1, 7),    default_device("/dev/random", 1, 8),
          default_device("/dev/urandom", 1, 9), default_device("/dev/tty", 5, 0)};
}

std::vector<LinkItem> default_links() {
  return {{.path = "/dev/fd", .target = "/proc/self/fd"},
          {.path = "/dev/stdin", .target = "/proc/self/fd/0"},
          {.path = "/dev/stdout", .target = "/proc/self/fd/1"},
          {.path = "/dev/stderr", .target = "/proc/self/fd/2"},
          {.path = "/dev/ptmx", .target = "pts/ptmx"},
          {.path = "/dev/core", .target = "/proc/kcore"}};
}

Result<mode_t> type_of(const spec::Device& device, const std::string& pointer) {
  switch (device.type) {
    case 'c':
    case 'u': return S_IFCHR;
    case 'b': return S_IFBLK;
    case 'p': return S_IFIFO;
    default:
      return refuse(pointer + "/type", ErrorKind::InvalidConfig, "unknown device type {}",
                    device.type);
  }
}

Result<uint32_t> number_of(int64_t number, const std::string& pointer) {
  if (number >= 0 && number <= UINT32_MAX) return static_cast<uint32_t>(number);
  return refuse(pointer, ErrorKind::InvalidConfig, "{} is not a device number", number);
}

Result<DeviceItem> plan_device(const spec::Device& device, std::string pointer) {
  DeviceItem item{
      .path = spec::cleaned_path(device.path),
      .mode =
          TRY(type_of(device, pointer)) | (device.file_mode.value_or(kDefaultMode) & kPermissions),
      .uid = device.uid.value_or(0),
      .gid = device.gid.value_or(0)};
  if (device.type != 'p') {
    item.major = TRY(number_of(device.major, pointer + "/major"));
    item.minor = TRY(number_of(device.minor, pointer + "/minor"));
  }
  item.pointer = std::move(pointer);
  return item;
}

}  // namespace

Result<> plan_devices(const spec::Spec& spec, Plan& plan) {
  InitPlan& init = plan.init;
  init.devices = default_devices();
  init.links = default_links();
  init.bind_devices = plan.host.namespaces.has(spec::NamespaceType::User);
  const std::vector<spec::Device>& wanted = spec.platform.devices;
  for (size_t i = 0; i < wanted.size(); ++i) {
    DeviceItem item = TRY(plan_device(wanted[i], formatted("/linux/devices/{}", i)));
    if (std::ranges::find(init.links, item.path, &LinkItem::path) != init.links.end()) continue;
    const auto same = std::ranges::find(init.devices, item.path, &DeviceItem::path);
    if (same != init.devices.end()) {
      *same = std::move(item);
    } else {
      init.devices.push_back(std::move(item));
    }
  }
  for (size_t i = 0; init.bind_devices && i < wanted.size(); ++i) {
    const spec::Device& device = wanted[i];
    if (device.type == 'p' || (!device.file_mode && !device.uid && !device.gid)) continue;
    plan.host.warnings.push_back(formatted(
        "/linux/devices/{}: mode and owner stay as on the host, in a user namespace it is bound",
        i));
  }
  if (!wanted.empty() && !init.make_devices) {
    plan.host.warnings.emplace_back("/linux/devices: not made, because /dev is a bind mount");
  }
  return {};
}

}  // namespace berth::plan
