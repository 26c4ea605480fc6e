// SPDX-License-Identifier: Apache-2.0
#include "engine/live/lxcfs_record.h"

#include <set>

#include "berth/try.h"
#include "core/context.h"
#include "engine/container_inner.h"
#include "engine/live/lxcfs_places.h"
#include "os/mountinfo.h"

namespace berth::engine {
namespace {

constexpr std::string_view kToken = "lxcfs";

AddedMount added(const LxcfsPlace& place, const std::string& directory) {
  return {.token = std::string(kToken),
          .mount = {.destination = place.path,
                    .type = "bind",
                    .source = directory + place.path,
                    .options = {"bind", "ro", "nosuid", "nodev", "noexec"}},
          .id = place.layers.front(),
          .device = place.device};
}

}  // namespace

Result<> record_lxcfs(const RunningContainer& container, const LxcfsReport& report,
                      const std::string& directory) {
  StateDir state = TRY(StateDir::open(container.state_root, container.id));
  TRY(state.lock());
  Snapshot snapshot = TRY(look(state));
  std::vector<AddedMount>& all = snapshot.record.mounts;
  const std::vector<AddedMount> before = all;
  std::set<std::string> ours;
  for (const AddedMount& mount : before) {
    if (mount.token == kToken) ours.insert(mount.mount.destination);
  }
  for (const LxcfsFile& file : report.files) {
    if (file.result == LxcfsResult::Mounted) ours.insert(file.path);
  }
  std::erase_if(all, [](const AddedMount& mount) { return mount.token == kToken; });
  const std::vector<os::MountEntry> mounts =
      TRY(os::mounts_of(formatted("{}", snapshot.record.pid)));
  for (const LxcfsPlace& place : find_places(mounts, container.rootfs, {})) {
    if (!place.layers.empty() && ours.contains(place.path)) all.push_back(added(place, directory));
  }
  return all == before ? Result<>() : state.replace(snapshot.record, snapshot.config);
}

}  // namespace berth::engine
