// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "berth/error.h"

namespace berth::plan {

// Where below the container's own cgroup a further process goes.
struct SubCgroup {
  std::string controller = {};  // of v1: only in its hierarchy; empty: in every hierarchy
  std::string path = {};        // "a/b"; empty: the own one
  bool operator==(const SubCgroup&) const = default;
};

// Of "[controller,...:]PATH", as the command line has it: one path for all, or paths with their
// controllers. InvalidUse, in words that programs know from runc.
Result<std::vector<SubCgroup>> read_sub_cgroups(const std::vector<std::string>& texts);

}  // namespace berth::plan
