// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string_view>

#include "plan/host_facts.h"

// subuid(5): ids that the administrator lends to ordinary users.
namespace berth::engine {

// Fills the ranges, when there are programs to use them with. Names are looked up in /etc/passwd
// only: a static program has no name services.
void gather_subordinate_ids(plan::HostFacts& facts);

// The first range of the user, by name or number; size 0 when there is none.
plan::IdRange find_range(std::string_view text, std::string_view name, uid_t uid);
// The name in the text of /etc/passwd; empty when it is not there.
std::string_view find_name(std::string_view passwd, uid_t uid);

}  // namespace berth::engine
