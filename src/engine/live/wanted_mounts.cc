// SPDX-License-Identifier: Apache-2.0
#include "engine/live/wanted_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "berth/try.h"
#include "core/context.h"
#include "engine/gather_facts.h"
#include "os/path.h"
#include "plan/make_plan.h"
#include "spec/mounts.h"
#include "spec/paths.h"
#include "spec/read_spec.h"
#include "spec/validate.h"

namespace berth::engine {

Result<std::string> new_token() {
  unsigned char bytes[8];
  if (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return system_error(errno, "getrandom");
  std::string token;
  for (const unsigned char byte : bytes) token += formatted("{:02x}", byte);
  return token;
}

Result<std::vector<plan::MountItem>> plan_mounts(const Inside& inside,
                                                 const std::vector<LiveMount>& wanted) {
  spec::Spec spec = TRY(spec::read_spec(inside.snapshot.config));
  spec.mounts.clear();
  for (const LiveMount& mount : wanted) spec.mounts.push_back(spec::mount_of(mount));
  TRY(spec::validate_mounts(spec));
  const plan::HostFacts facts = TRY(gather_facts({.cgroups = false, .labels = names_label(spec)}));
  plan::Plan plan;
  TRY(plan::plan_mounts(spec, facts, {.bundle = inside.snapshot.record.bundle}, plan));
  return std::move(plan.init.mounts);
}

Result<> check_places(const std::vector<LiveMount>& wanted) {
  std::set<std::string> places;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const std::string place = spec::cleaned_path(wanted[i].destination);
    if (places.insert(place).second) continue;
    return Result<>(fail(ErrorKind::AlreadyExists, "{} is named twice", place)) |
           at(formatted("/mounts/{}", i));
  }
  return {};
}

Result<AddedMount> standing(const Inside& inside, const std::string& path, bool force) {
  std::string place = spec::cleaned_path(path);
  const os::UniqueFd there(os::RootDir(inside.root.get()).open(place.c_str()));
  if (!there) return system_error(-there.get(), "look for the mount {}", place);
  struct statx status;
  constexpr int kFlags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
  if (::statx(there.get(), "", kFlags, STATX_MNT_ID, &status) < 0)
    return system_error(errno, "look at {}", place);
  if ((status.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0 || place == "/")
    return fail(ErrorKind::NotFound, "nothing is mounted on {}", place);
  const auto& all = inside.snapshot.record.mounts;
  const auto ours = std::ranges::find(all, static_cast<int>(status.stx_mnt_id), &AddedMount::id);
  if (ours != all.end()) return *ours;
  if (force)
    return AddedMount{.mount = {.destination = std::move(place)},
                      .id = static_cast<int>(status.stx_mnt_id)};
  return fail(ErrorKind::NotFound, "what is mounted on {} is nothing that berth has added", place);
}

Result<> settle(Inside& inside) {
  std::vector<AddedMount>& all = inside.record().mounts;
  if (std::ranges::all_of(all, [](const AddedMount& added) { return added.replaces == 0; }))
    return {};
  const MountEntries mounts = TRY(inside.mounts());
  std::set<int> gone;
  std::vector<AddedMount> leaving;
  for (AddedMount& added : all) {
    const int old = std::exchange(added.replaces, 0);
    if (old == 0) continue;
    gone.insert(is_there(mounts, added) ? old : added.id);
    const bool both = is_there(mounts, added) &&
                      std::ranges::find(mounts, old, &os::MountEntry::id) != mounts.end();
    if (both) leaving.push_back({.mount = added.mount, .id = old});
  }
  TRY(detach(inside, leaving));
  std::erase_if(all, [&](const AddedMount& added) { return gone.contains(added.id); });
  return inside.save();
}

}  // namespace berth::engine
