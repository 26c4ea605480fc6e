// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "berth/try.h"
#include "core/nearest.h"
#include "plan/landlock_rights.h"
#include "plan/process_parts.h"
#include "plan/refuse.h"
#include "spec/annotations.h"
#include "spec/paths.h"
#include "spec/validate.h"

// The annotations run.berth.*: docs/extensions.md.
namespace berth::plan {
namespace {

constexpr uint64_t kReads = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr uint64_t kExecutes = kReads | LANDLOCK_ACCESS_FS_EXECUTE;
// All but to execute: what does not exist in the kernel's version is taken away again.
constexpr uint64_t kFirstRights = (uint64_t{LANDLOCK_ACCESS_FS_MAKE_SYM} << 1) - 1;
constexpr uint64_t kAllRights =
    kFirstRights | LANDLOCK_ACCESS_FS_REFER | kLandlockTruncate | kLandlockIoctlDevice;
constexpr uint64_t kWrites = kAllRights & ~uint64_t{LANDLOCK_ACCESS_FS_EXECUTE};

struct Setting {
  const ProcessSource& source;
  const std::string& value;
  const std::string& pointer;
  ConfinementPlan& plan;
};

// What a version of Landlock can restrict.
uint64_t rights_of(int version) {
  uint64_t rights = version >= 1 ? kFirstRights : 0;
  if (version >= 2) rights |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) rights |= kLandlockTruncate;
  if (version >= 5) rights |= kLandlockIoctlDevice;
  return rights;
}

Result<bool> read_switch(const Setting& setting) {
  if (setting.value == "true" || setting.value == "false") return setting.value == "true";
  return refuse(setting.pointer, ErrorKind::InvalidConfig, "must be \"true\" or \"false\"");
}

Result<> check_landlock(const Setting& setting) {
  if (setting.source.facts.landlock_version < 1) {
    return refuse(setting.pointer, ErrorKind::Unsupported,
                  "Landlock is not enabled on this host (Linux 5.13, CONFIG_SECURITY_LANDLOCK, "
                  "lsm=landlock)");
  }
  if (!setting.source.process.no_new_privileges) {
    return refuse(setting.pointer, ErrorKind::InvalidConfig,
                  "Landlock needs noNewPrivileges: set it to true in the process");
  }
  return {};
}

// "/usr:/etc/ssl". An empty list allows nothing.
Result<> allow_paths(const Setting& setting, uint64_t rights) {
  TRY(check_landlock(setting));
  setting.plan.landlock_rights = rights_of(setting.source.facts.landlock_version);
  std::string_view rest = setting.value;
  while (!rest.empty()) {
    const std::string_view path = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(path.size() + 1, rest.size()));
    if (!path.starts_with('/') || spec::climbs(path)) {
      return refuse(setting.pointer, ErrorKind::InvalidConfig,
                    "\"{}\" is no absolute path: paths of the container, with colons between them, "
                    "are expected",
                    path);
    }
    setting.plan.landlock.push_back({.path = spec::cleaned_path(path),
                                     .rights = rights & setting.plan.landlock_rights,
                                     .pointer = setting.pointer});
  }
  return {};
}

Result<> set_huge_pages(const Setting& setting) {
  if (setting.value == "never") {
    setting.plan.huge_pages = HugePages::Never;
  } else if (setting.value == "advised") {
    setting.plan.huge_pages = HugePages::Advised;
  } else {
    return refuse(setting.pointer, ErrorKind::InvalidConfig, "must be \"never\" or \"advised\"");
  }
  return {};
}

struct Rule {
  std::string_view name;
  Result<> (*apply)(const Setting& setting);
};

constexpr Rule kRules[] = {
    // The driver's own word: who holds the streams.
    {spec::kBox, [](const Setting&) -> Result<> { return {}; }},
    // make_plan's: they are the host's to make.
    {spec::kInterfaces, [](const Setting&) -> Result<> { return {}; }},
    {spec::kCoreScheduling,
     [](const Setting& setting) -> Result<> {
       setting.plan.core_cookie = TRY(read_switch(setting));
       return {};
     }},
    {spec::kMergePages,
     [](const Setting& setting) -> Result<> {
       setting.plan.merge_pages = TRY(read_switch(setting));
       return {};
     }},
    {spec::kLandlockExecute,
     [](const Setting& setting) { return allow_paths(setting, kExecutes); }},
    {spec::kLandlockRead, [](const Setting& setting) { return allow_paths(setting, kReads); }},
    {spec::kLandlockWrite, [](const Setting& setting) { return allow_paths(setting, kWrites); }},
    {spec::kMemoryDenyWriteExecute,
     [](const Setting& setting) -> Result<> {
       setting.plan.deny_write_execute = TRY(read_switch(setting));
       return {};
     }},
    {spec::kHugePages, set_huge_pages},
};

std::unexpected<Error> refuse_unknown(const std::string& name, const std::string& pointer) {
  const std::string_view meant = nearest(name, spec::annotations_with_effect());
  return refuse(pointer, ErrorKind::InvalidConfig, "unknown annotation of berth{}{}{}",
                meant.empty() ? "" : ": did you mean ", meant, meant.empty() ? "" : "?");
}

}  // namespace

Result<ConfinementPlan> plan_confinement(const ProcessSource& source) {
  ConfinementPlan plan;
  for (const auto& [name, value] : source.spec.annotations) {
    if (!name.starts_with(spec::kOwnAnnotations)) continue;
    const std::string pointer = "/annotations/" + spec::pointer_token(name);
    const auto* rule = std::ranges::find(kRules, name, &Rule::name);
    if (rule == std::end(kRules)) return refuse_unknown(name, pointer);
    TRY(rule->apply({.source = source, .value = value, .pointer = pointer, .plan = plan}));
  }
  return plan;
}

}  // namespace berth::plan
