// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan/host_facts.h"
#include "plan/plan.h"
#include "spec/spec.h"

// What `berth lint` looks for: each rule a pure function of the config and of what is known of the
// host.
namespace berth::plan {

// What only `berth lint` asks of the host, gathered by engine/lint_facts.cc. Lists of bool are
// beside those of the config: false says that it is missing.
struct LintFacts {
  HostFacts host = {};
  bool root_exists = true;
  bool program_exists = true;  // or a mount could bring it
  std::vector<bool> mount_sources = {};
  std::vector<bool> namespaces = {};  // the path, or the kind where it has none
  std::vector<bool> net_devices = {};
  std::vector<bool> sysctls = {};
  std::vector<std::string> missing_hooks = {};  // pointers
  std::vector<std::string> filesystems = {};
  std::vector<std::string> controllers = {};
  std::vector<int64_t> character_drivers = {};  // major numbers
  std::vector<int64_t> block_drivers = {};
  std::vector<std::string> seccomp_flags = {};
  bool has_resctrl = true;
};

struct LintSource {
  const spec::Spec& spec;
  const LintFacts& facts;
  const Plan* plan = nullptr;  // of the config, when it can be planned
};

struct LintFinding {
  std::string pointer = {};
  std::string text = {};
};
using LintFindings = std::vector<LintFinding>;

struct LintRule {
  std::string_view code;
  bool is_error;
  void (*check)(const LintSource& source, LintFindings& findings);
};

std::span<const LintRule> lint_rules();

}  // namespace berth::plan
