// SPDX-License-Identifier: Apache-2.0
#include "engine/live/lxcfs_record.h"

#include <algorithm>

#include "berth/try.h"
#include "engine/state_store.h"

namespace berth::engine {
namespace {

constexpr std::string_view kToken = "lxcfs";

AddedMount added(const ChangedFile& file, const LxcfsSource& source) {
  return {.token = std::string(kToken),
          .mount = {.destination = file.path,
                    .type = "bind",
                    .source = source.directory + file.path,
                    .options = {"bind", "ro", "nosuid", "nodev", "noexec"}},
          .id = file.id,
          .device = file.device};
}

}  // namespace

Result<> record_lxcfs(const RunningContainer& container, const std::vector<ChangedFile>& changed,
                      const LxcfsSource& source) {
  const StateDir directory = TRY(StateDir::open(container.state_root, container.id));
  TRY(directory.lock());
  SavedState state = TRY(directory.read_without_annotations());
  std::vector<AddedMount>& all = state.record.mounts;
  const std::vector<AddedMount> before = all;
  for (const ChangedFile& file : changed) {
    const auto had = std::ranges::find_if(all, [&](const AddedMount& mount) {
      return mount.token == kToken && mount.mount.destination == file.path;
    });
    const bool is_ours = had != all.end() || file.is_new;
    if (had != all.end()) all.erase(had);
    if (is_ours && file.id != 0) all.push_back(added(file, source));
  }
  return all == before ? Result<>() : directory.replace(state.record, state.config);
}

}  // namespace berth::engine
