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

Result<std::unique_ptr<CgroupManager>> make_manager(const plan::CgroupPlan& plan,
                                                    std::optional<Systemd> systemd) {
  TRY(check_places(plan.places));
  const bool is_v2 = plan.places.size() == 1 && plan.places.front().is_v2;
  auto files = TRY(is_v2 ? make_v2(plan.places.front(), plan.tolerate_denied)
                         : make_v1(plan.places, plan.tolerate_denied));
  if (plan.driver != plan::CgroupDriver::Systemd || plan.places.empty()) return files;
  return make_systemd(std::move(files), plan, std::move(systemd));
}

}  // namespace berth::cgroup
