// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "berth/try.h"
#include "cgroup/manager.h"
#include "cgroup/waiting.h"
#include "core/context.h"

namespace berth::cgroup {

// A record may have been tampered with: its paths are held to the same rules as a config's.
Result<> check_places(std::span<const plan::CgroupPlace> places) {
  for (const plan::CgroupPlace& place : places) {
    if (!place.path.starts_with('/') || !place.mountpoint.starts_with('/')) {
      return fail(ErrorKind::InvalidConfig, "cgroup path \"{}\" is not absolute", place.path);
    }
    const std::vector<std::string> parts = split_path(place.path);
    std::string clean;
    for (const std::string& part : parts) {
      if (part == "." || part == "..")
        return fail(ErrorKind::InvalidConfig, "cgroup path {} leaves its place", place.path);
      clean += "/" + part;
    }
    if (parts.empty() || clean != place.path)
      return fail(ErrorKind::InvalidConfig, "cgroup path \"{}\" is not clean", place.path);
  }
  return {};
}

Result<std::unique_ptr<CgroupManager>> make_manager(plan::CgroupDriver driver,
                                                    std::vector<plan::CgroupPlace> places,
                                                    bool tolerate_denied) {
  if (driver == plan::CgroupDriver::Systemd) {
    return fail(ErrorKind::Unsupported,
                "the systemd cgroup driver is not built yet; use --cgroup-manager cgroupfs");
  }
  TRY(check_places(places));
  if (places.size() == 1 && places.front().is_v2)
    return make_v2(std::move(places.front()), tolerate_denied);
  return make_v1(std::move(places), tolerate_denied);
}

}  // namespace berth::cgroup
