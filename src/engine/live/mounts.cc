// SPDX-License-Identifier: Apache-2.0
#include "berth/mounts.h"

#include <errno.h>
#include <algorithm>
#include <iterator>
#include <set>

#include "berth/try.h"
#include "core/context.h"
#include "engine/live/detached_mount.h"
#include "engine/live/inside.h"
#include "engine/live/wanted_mounts.h"
#include "os/path.h"
#include "spec/paths.h"

// Mounts that are added to a container that runs: docs/live-operations.md.
namespace berth {
namespace {

using engine::AddedMount;
using engine::DetachedMount;
using engine::Inside;
using engine::LiveShared;
using engine::MountEntries;
using engine::Record;
using engine::StateDir;

// Takes away what is there of a request that was not carried out whole.
Result<> clear(Inside& inside, const std::string& token) {
  const MountEntries mounts = TRY(inside.mounts());
  std::vector<AddedMount>& all = inside.record().mounts;
  std::vector<AddedMount> left;
  std::ranges::copy_if(all, std::back_inserter(left), [&](const AddedMount& added) {
    return added.token == token && is_there(mounts, added);
  });
  TRY(detach(inside, left));
  std::erase_if(all, [&](const AddedMount& added) { return added.token == token; });
  return inside.save();
}

// What was asked for, by a request that was made before. Its parts are there, or must be made anew.
Result<bool> is_done(Inside& inside, const std::vector<LiveMount>& wanted,
                     const std::string& token) {
  std::vector<AddedMount>& all = inside.record().mounts;
  const MountEntries mounts = TRY(inside.mounts());
  std::vector<AddedMount> before;
  std::ranges::copy_if(all, std::back_inserter(before),
                       [&](const AddedMount& added) { return added.token == token; });
  const bool same = std::ranges::equal(before, wanted, {}, &AddedMount::mount);
  if (!before.empty() && !same)
    return fail(ErrorKind::AlreadyExists, "token {} is another request's", token);
  const auto there = [&](const AddedMount& added) { return is_there(mounts, added); };
  if (!before.empty() && std::ranges::all_of(before, there)) return true;
  if (!before.empty()) TRY(clear(inside, token));  // of one who was killed half way
  // Those that somebody inside has unmounted are forgotten: their places are free.
  std::erase_if(all, [&](const AddedMount& added) { return !there(added); });
  return false;
}

// Two on one place could not be told from one that the container has moved there.
Result<> check_free(const Record& record, const std::vector<LiveMount>& wanted) {
  TRY(engine::check_places(wanted));
  for (size_t i = 0; i < wanted.size(); ++i) {
    const std::string place = spec::cleaned_path(wanted[i].destination);
    for (const AddedMount& added : record.mounts) {
      if (spec::cleaned_path(added.mount.destination) != place) continue;
      return Result<>(fail(ErrorKind::AlreadyExists, "{} is mounted by request {}", place,
                           added.token)) |
             at(formatted("/mounts/{}", i));
    }
  }
  return {};
}

// So that the mount point will be made: known before, for who is killed after it.
bool is_missing(const Inside& inside, const std::string& target) {
  const os::UniqueFd there(os::RootDir(inside.root.get()).open(target.c_str()));
  return there.get() == -ENOENT;
}

Result<> attach(Inside& inside, const std::vector<LiveMount>& wanted, const std::string& token) {
  TRY(check_free(inside.record(), wanted));
  const std::vector<plan::MountItem> items = TRY(engine::plan_mounts(inside, wanted));
  std::vector<DetachedMount> made;
  const LiveShared work = TRY(LiveShared::make(items.size()));
  std::vector<AddedMount>& all = inside.record().mounts;
  const size_t before = all.size();
  for (size_t i = 0; i < items.size(); ++i) {
    made.push_back(TRY(engine::make_detached(inside, items[i]) | at(formatted("/mounts/{}", i))));
    all.push_back({.token = token,
                   .mount = wanted[i],
                   .id = made[i].id,
                   .device = made[i].device,
                   .made_target = is_missing(inside, items[i].target)});
    work->items[i] = {.mount = made[i].fd.get(),
                      .id = made[i].id,
                      .target = items[i].target.c_str(),
                      .is_directory = made[i].is_directory,
                      .may_cover_proc = items[i].target.starts_with("/proc/")};
  }
  TRY(inside.save());
  Result<> done = work_in(inside, *work);
  if (done) {
    for (size_t i = 0; i < items.size(); ++i) all[before + i].made_target = work->items[i].made;
    done = inside.save();
  } else {
    done = std::move(done) | at(formatted("/mounts/{}", work->index));
  }
  if (done) return done;
  Result<> cleared = clear(inside, token);
  if (!cleared) done.error().add_context(cleared.error().message());
  return done;
}

}  // namespace

[[gnu::cold]] Result<std::string> Container::add_mounts(const std::vector<LiveMount>& wanted,
                                                        const std::string& token) {
  if (wanted.empty()) return fail(ErrorKind::InvalidUse, "no mount is named");
  StateDir directory = TRY(inner_->open());
  TRY(directory.lock());
  Inside inside = TRY(engine::enter(std::move(directory)));
  TRY(engine::settle(inside));
  std::string name = token.empty() ? TRY(engine::new_token()) : token;
  if (TRY(is_done(inside, wanted, name))) return name;
  Result<> done = attach(inside, wanted, name);
  if (!done) done.error().set_place("mounts");
  TRY(std::move(done));
  return name;
}

[[gnu::cold]] Result<> Container::remove_mounts(const std::vector<std::string>& names, bool force) {
  StateDir directory = TRY(inner_->open());
  TRY(directory.lock());
  Inside inside = TRY(engine::enter(std::move(directory)));
  TRY(engine::settle(inside));
  std::vector<AddedMount>& all = inside.record().mounts;
  const MountEntries mounts = TRY(inside.mounts());
  std::set<const AddedMount*> named;
  std::vector<AddedMount> leaving;
  for (const std::string& name : names) {
    const size_t before = named.size();
    for (const AddedMount& added : all) {
      const bool by_place = name.starts_with('/') &&
                            spec::cleaned_path(added.mount.destination) == spec::cleaned_path(name);
      if (added.token == name || by_place) named.insert(&added);
    }
    if (named.size() == before && force && name.starts_with('/')) {
      leaving.push_back(TRY(engine::standing(inside, name, force)));
      continue;
    }
    if (named.size() == before)
      return fail(ErrorKind::NotFound, "container {} has no mount {} that berth has added", id(),
                  name);
  }
  std::vector<AddedMount> staying;
  for (const AddedMount& added : all) {
    if (!named.contains(&added))
      staying.push_back(added);
    else if (is_there(mounts, added))
      leaving.push_back(added);
  }
  TRY(detach(inside, leaving));
  all = std::move(staying);
  return inside.save();
}

[[gnu::cold]] Result<std::vector<LiveMountState>> Container::mounts() const {
  const Inside inside = TRY(engine::enter(TRY(inner_->open())));
  const MountEntries mounts = TRY(inside.mounts());
  std::vector<LiveMountState> states;
  for (const AddedMount& added : inside.snapshot.record.mounts) {
    states.push_back(
        {.token = added.token, .mount = added.mount, .is_there = is_there(mounts, added)});
    std::ranges::copy(added.changed, std::back_inserter(states.back().mount.options));
  }
  return states;
}

}  // namespace berth
