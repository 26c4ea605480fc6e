// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"
#include "berth/stats.h"
#include "plan/plan.h"

// The kernel's resctrl filesystem (Documentation/filesystems/resctrl.rst): a directory is a class
// of service, a process is in the one whose `tasks` it was last written to.
namespace berth::cgroup {

// Where it is mounted; Unsupported when it is nowhere.
Result<std::string> find_resctrl();
// Of mountinfo's text; empty when there is none.
std::string resctrl_mountpoint(std::string_view mountinfo);

// Directories of a container, absolute: kept in its record.
struct RdtPlaces {
  std::vector<std::string> tasks = {};  // whose `tasks` each process of the container is written to
  std::vector<std::string> removed = {};  // with the container, in this order
  bool operator==(const RdtPlaces&) const = default;
};
RdtPlaces rdt_places(const std::string& mountpoint, const plan::RdtPlan& plan);

// Makes the class, or checks the one that is there; then the monitoring group.
Result<> make_class(const std::string& mountpoint, const plan::RdtPlan& plan);
// Changes a class that was made for the container, all lines at once. Returns what they said, for
// the way back.
Result<std::string> change_class(const std::string& directory, const std::string& schemata);
Result<> add_to_class(const RdtPlaces& places, pid_t process);
// Those that are gone are no error.
Result<> remove_class(const RdtPlaces& places);
// What the class is given, and what the monitoring group (without one: the class) has counted.
[[gnu::cold]] RdtStats class_stats(const RdtPlaces& places);

// The lines of `found` for the resources that `wanted` has lines for.
std::string lines_in_force(std::string_view wanted, std::string_view found);
// Whether a class that says `found` gives what `wanted` asks for, line by line and domain by
// domain. Empty, or the line of wanted that it does not.
std::string first_difference(std::string_view wanted, std::string_view found);

}  // namespace berth::cgroup
