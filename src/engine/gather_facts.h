// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "berth/error.h"
#include "cgroup/systemd_bus.h"
#include "plan/host_facts.h"
#include "spec/spec.h"

namespace berth::engine {

// What costs more to find out than most callers have use for.
struct WantedFacts {
  bool cgroups = true;  // where they are; not for a further process of a container
  bool labels = true;   // whether there is AppArmor or SELinux: for who names a label
};

// Looks at the host once, for the planners.
Result<plan::HostFacts> gather_facts(WantedFacts wanted = {});
// Whether the caller is in another than the initial user namespace.
bool in_user_namespace();
// True when the process or, for a whole spec, a mount has a label.
bool names_label(const spec::Process& process);
bool names_label(const spec::Spec& spec);
// Asks systemd's manager, the system's or an ordinary user's own, and fills systemd_root.
Result<cgroup::Systemd> open_systemd(plan::HostFacts& facts);

// As root of this host would find it: for who only wants to know what would be done.
void pretend_root(plan::HostFacts& facts);

}  // namespace berth::engine
