// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "berth/try.h"
#include "core/context.h"
#include "engine/live/detached_mount.h"
#include "engine/live/wanted_mounts.h"
#include "spec/paths.h"

// Mounts that take the place of others, and attributes: docs/live-operations.md.
namespace berth {
namespace {

using engine::AddedMount;
using engine::DetachedMount;
using engine::Inside;
using engine::LiveShared;

// What is left to be done of a request that may have been made before.
Result<std::vector<LiveMount>> left_of(const Inside& inside, const std::vector<LiveMount>& wanted,
                                       const std::string& token) {
  std::vector<LiveMount> left = wanted;
  const engine::MountEntries mounts = TRY(inside.mounts());
  for (const AddedMount& added : inside.snapshot.record.mounts) {
    if (added.token != token) continue;
    const auto same = std::ranges::find(left, added.mount);
    if (same == left.end())
      return fail(ErrorKind::AlreadyExists, "token {} is another request's", token);
    if (is_there(mounts, added)) left.erase(same);
  }
  return left;
}

struct Replacement {
  std::vector<plan::MountItem> items = {};
  std::vector<AddedMount> old = {};
  std::vector<DetachedMount> made = {};
};

Result<Replacement> prepare(const Inside& inside, const std::vector<LiveMount>& wanted,
                            bool force) {
  TRY(engine::check_places(wanted));
  Replacement replacement{.items = TRY(engine::plan_mounts(inside, wanted))};
  for (size_t i = 0; i < wanted.size(); ++i) {
    const plan::MountItem& item = replacement.items[i];
    const std::string pointer = formatted("/mounts/{}", i);
    replacement.old.push_back( TRY(engine::standing(inside, item.target, force) | at(pointer)));
    replacement.made.push_back(TRY(engine::make_detached(inside, item) | at(pointer)));
  }
  return replacement;
}

Result<> exchange(const Inside& inside, const Replacement& replacement, const LiveShared& work) {
  work->task = init::LiveTask::Replace;
  for (size_t i = 0; i < replacement.items.size(); ++i) {
    work->items[i] = {.mount = replacement.made[i].fd.get(),
                      .id = replacement.old[i].id,
                      .target = replacement.items[i].target.c_str(),
                      .is_directory = replacement.made[i].is_directory};
  }
  Result<> done = work_in(inside, *work);
  return done ? std::move(done) : std::move(done) | at(formatted("/mounts/{}", work->index));
}

// Those that were put back have new ids.
void take_back(Inside& inside, const Replacement& replacement, const LiveShared& work) {
  std::vector<AddedMount>& all = inside.record().mounts;
  for (size_t i = 0; i < replacement.old.size(); ++i) {
    std::erase_if(all, [&](const AddedMount& added) { return added.id == replacement.made[i].id; });
    for (AddedMount& added : all) {
      if (added.id == replacement.old[i].id && work->items[i].restored > 0)
        added.id = work->items[i].restored;
    }
  }
}

Result<> replace(Inside& inside, const std::vector<LiveMount>& wanted, const std::string& token,
                 bool force) {
  const Replacement replacement = TRY(prepare(inside, wanted, force));
  const LiveShared work = TRY(LiveShared::make(wanted.size()));
  std::vector<AddedMount>& all = inside.record().mounts;
  for (size_t i = 0; i < wanted.size(); ++i) {
    all.push_back({.token = token,
                   .mount = wanted[i],
                   .id = replacement.made[i].id,
                   .device = replacement.made[i].device,
                   .made_target = replacement.old[i].made_target,
                   .replaces = replacement.old[i].id});
  }
  TRY(inside.save());
  Result<> done = exchange(inside, replacement, work);
  if (done) {
    // The record says already what is there: whoever comes next can do this as well.
    (void)engine::settle(inside);
    return {};
  }
  take_back(inside, replacement, work);
  Result<> saved = inside.save();
  if (!saved) done.error().add_context(saved.error().message());
  return done;
}

// The attributes that the words name; nothing else can be changed.
Result<plan::MountItem> attributes_of(const Inside& inside, const LiveMountChange& wanted) {
  LiveMount bind{.destination = wanted.destination, .type = "bind", .source = "/"};
  bind.options = {"bind"};
  std::ranges::copy(wanted.options, std::back_inserter(bind.options));
  plan::MountItem item = std::move(TRY(engine::plan_mounts(inside, {bind})).front());
  const bool plain = item.kind == plan::MountKind::Bind && item.options.empty() &&
                     item.propagation.empty() && !item.id_map && !item.recursive &&
                     (item.recursive_set | item.recursive_clear) == 0 &&
                     (item.attr_set | item.attr_clear) != 0;
  if (plain) return item;
  return fail(
      ErrorKind::InvalidUse,
      "{}: attributes of one mount can be changed, as ro, nosuid, noexec, noatime, and back",
      wanted.destination);
}

Result<> change(Inside& inside, const std::vector<LiveMountChange>& wanted, bool force) {
  const LiveShared work = TRY(LiveShared::make(wanted.size()));
  work->task = init::LiveTask::Change;
  std::vector<plan::MountItem> items;
  items.reserve(wanted.size());
  const std::vector<AddedMount> before = inside.record().mounts;
  for (size_t i = 0; i < wanted.size(); ++i) {
    items.push_back(TRY(attributes_of(inside, wanted[i])));
    const AddedMount old = TRY(engine::standing(inside, wanted[i].destination, force));
    work->items[i] = {.id = old.id,
                      .target = items[i].target.c_str(),
                      .set = items[i].attr_set,
                      .clear = items[i].attr_clear};
    const auto ours = std::ranges::find(inside.record().mounts, old.id, &AddedMount::id);
    if (ours != inside.record().mounts.end())
      std::ranges::copy(wanted[i].options, std::back_inserter(ours->changed));
  }
  TRY(inside.save());
  Result<> done = work_in(inside, *work);
  if (done) return done;
  inside.record().mounts = before;
  Result<> saved = inside.save();
  if (!saved) done.error().add_context(saved.error().message());
  return done;
}

}  // namespace

[[gnu::cold]] Result<std::string> Container::replace_mounts(const std::vector<LiveMount>& wanted,
                                                            const std::string& token, bool force) {
  if (wanted.empty()) return fail(ErrorKind::InvalidUse, "no mount is named");
  engine::StateDir directory = TRY(inner_->open());
  TRY(directory.lock());
  Inside inside = TRY(engine::enter(std::move(directory)));
  TRY(engine::settle(inside));
  std::string name = token.empty() ? TRY(engine::new_token()) : token;
  const std::vector<LiveMount> left = TRY(left_of(inside, wanted, name));
  if (left.empty()) return name;
  Result<> done = replace(inside, left, name, force);
  if (!done) done.error().set_place("mounts");
  TRY(std::move(done));
  return name;
}

[[gnu::cold]] Result<> Container::change_mounts(const std::vector<LiveMountChange>& wanted,
                                                bool force) {
  if (wanted.empty()) return fail(ErrorKind::InvalidUse, "no mount is named");
  engine::StateDir directory = TRY(inner_->open());
  TRY(directory.lock());
  Inside inside = TRY(engine::enter(std::move(directory)));
  TRY(engine::settle(inside));
  Result<> done = change(inside, wanted, force);
  if (!done) done.error().set_place("mounts");
  return done;
}

}  // namespace berth
