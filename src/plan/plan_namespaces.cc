// SPDX-License-Identifier: Apache-2.0
#include <sched.h>

#include <algorithm>

#include "berth/try.h"
#include "plan/make_plan.h"
#include "plan/namespace_flags.h"
#include "plan/refuse.h"

namespace berth::plan {
namespace {

using spec::NamespaceType;

// Asked for in two kinds: type by type, new or joined.
struct Wanted {
  uint64_t created = 0;
  uint64_t joined = 0;

  bool creates(NamespaceType type) const { return (created & clone_flag(type)) != 0; }
  bool joins(NamespaceType type) const { return (joined & clone_flag(type)) != 0; }
};

Wanted wanted_by(const std::vector<spec::Namespace>& namespaces) {
  Wanted wanted;
  for (const spec::Namespace& item : namespaces) {
    (item.path.empty() ? wanted.created : wanted.joined) |= clone_flag(item.type);
  }
  return wanted;
}

// A user namespace must be entered by a process with a single thread, before the clone; the same is
// true of a mount or time namespace that belongs to the user namespace outside of a new one. Who is
// in a user namespace itself has no way back to its own namespaces, which are another's.
LaunchShape shape_of(const Wanted& wanted, const HostFacts& facts) {
  if (wanted.joins(NamespaceType::User)) return LaunchShape::Joiner;
  const bool visits = wanted.joins(NamespaceType::Pid) ||
                      (wanted.creates(NamespaceType::User) && wanted.joined != 0);
  if (facts.in_user_namespace && visits) return LaunchShape::Joiner;
  const bool late = wanted.joins(NamespaceType::Mount) || wanted.joins(NamespaceType::Time);
  return wanted.creates(NamespaceType::User) && late ? LaunchShape::Joiner : LaunchShape::Direct;
}

// What must be entered before the clone although there is no joiner: a pid namespace is for
// children only, and from inside a new user namespace none of the outer ones can be joined.
bool enters_first(NamespaceType type, const Wanted& wanted, LaunchShape shape) {
  if (shape == LaunchShape::Joiner) return false;
  return type == NamespaceType::Pid || wanted.creates(NamespaceType::User);
}

// Of all namespaces that of the network takes longest to make, and most mounts can do without it:
// the host makes it meanwhile. Not where a user namespace has to own it, and not in one.
uint64_t made_by_host(const Wanted& wanted, const HostFacts& facts) {
  const bool user = wanted.creates(NamespaceType::User) || wanted.joins(NamespaceType::User);
  return user || facts.in_user_namespace ? 0 : wanted.created & clone_flag(NamespaceType::Network);
}

// The offsets of a time namespace are fixed with its first process.
Result<> check_time_offsets(const spec::Spec& spec, const Wanted& wanted) {
  if (spec.platform.time_offsets.empty() || wanted.creates(NamespaceType::Time)) return {};
  return refuse("/linux/timeOffsets", ErrorKind::InvalidConfig,
                "timeOffsets need a new time namespace");
}

}  // namespace

uint64_t clone_flag(NamespaceType type) {
  switch (type) {
    case NamespaceType::Pid: return CLONE_NEWPID;
    case NamespaceType::Network: return CLONE_NEWNET;
    case NamespaceType::Mount: return CLONE_NEWNS;
    case NamespaceType::Ipc: return CLONE_NEWIPC;
    case NamespaceType::Uts: return CLONE_NEWUTS;
    case NamespaceType::User: return CLONE_NEWUSER;
    case NamespaceType::Cgroup: return CLONE_NEWCGROUP;
    case NamespaceType::Time: return CLONE_NEWTIME;
  }
  return 0;
}

bool NamespacePlan::is_new(NamespaceType type) const {
  return ((clone_flags | unshare_flags | host_flags) & clone_flag(type)) != 0;
}

uint64_t NamespacePlan::all_flags() const {
  uint64_t flags = clone_flags | unshare_flags | host_flags;
  for (const JoinedNamespace& joined : enter_first) flags |= clone_flag(joined.type);
  for (const JoinedNamespace& joined : join) flags |= clone_flag(joined.type);
  return flags;
}

bool NamespacePlan::has(NamespaceType type) const { return (all_flags() & clone_flag(type)) != 0; }

Result<NamespacePlan> plan_namespaces(const spec::Spec& spec, const HostFacts& facts) {
  // A cgroup namespace is rooted at the cgroup that init is in, a time namespace takes its offsets
  // before its first process.
  constexpr uint64_t kUnshared = CLONE_NEWCGROUP | CLONE_NEWTIME;
  const std::vector<spec::Namespace>& namespaces = spec.platform.namespaces;
  const Wanted wanted = wanted_by(namespaces);
  TRY(check_time_offsets(spec, wanted));
  const uint64_t by_host = made_by_host(wanted, facts);
  NamespacePlan plan{.shape = shape_of(wanted, facts),
                     .clone_flags = wanted.created & ~kUnshared & ~by_host,
                     .unshare_flags = wanted.created & kUnshared,
                     .host_flags = by_host,
                     .time_offsets = spec.platform.time_offsets};
  for (size_t i = 0; i < namespaces.size(); ++i) {
    const auto& [type, path] = namespaces[i];
    if (path.empty()) continue;
    auto& list = enters_first(type, wanted, plan.shape) ? plan.enter_first : plan.join;
    list.push_back({.type = type, .path = path, .pointer = formatted("/linux/namespaces/{}", i)});
  }
  // The mount namespace may hide its /proc. Who has come into a user namespace has lost the host's
  // rights to join what belongs to others.
  const auto place = [](const JoinedNamespace& joined) {
    return joined.type == NamespaceType::User ? 2 : joined.type == NamespaceType::Mount ? 1 : 0;
  };
  std::ranges::stable_sort(plan.join, {}, place);
  return plan;
}

}  // namespace berth::plan
