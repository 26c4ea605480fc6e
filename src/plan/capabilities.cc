// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/format.h"
#include "plan/process_parts.h"
#include "spec/capability_names.h"

namespace berth::plan {
namespace {

std::string names_of(uint64_t mask) {
  std::string text;
  for (size_t number = 0; number < spec::kCapabilityNames.size(); ++number) {
    if ((mask >> number & 1) == 0) continue;
    text.append(text.empty() ? "" : ", ").append(spec::kCapabilityNames[number]);
  }
  return text;
}

uint64_t mask_of(const std::vector<std::string>& names, std::string_view set,
                 const ProcessSource& source) {
  uint64_t mask = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    const auto found = std::ranges::find(spec::kCapabilityNames, names[i]);
    const auto number = found - spec::kCapabilityNames.begin();
    if (found == spec::kCapabilityNames.end() || number > source.facts.last_capability) {
      source.warnings.push_back(
          formatted("{}/capabilities/{}/{}: this {} does not know {}: ignored", source.pointer, set,
                    i, found == spec::kCapabilityNames.end() ? "runtime" : "kernel", names[i]));
    } else {
      mask |= uint64_t{1} << number;
    }
  }
  return mask;
}

// A set without those the kernel would refuse, which are told.
uint64_t limited(uint64_t set, uint64_t allowed, std::string_view name, std::string_view reason,
                 const ProcessSource& source) {
  const uint64_t refused = set & ~allowed;
  if (refused != 0) {
    source.warnings.push_back(formatted("{}/capabilities/{}: {} left out: {}", source.pointer, name,
                                        names_of(refused), reason));
  }
  return set & allowed;
}

// In a user namespace init has all of them, else no more than the caller.
uint64_t available(const ProcessSource& source) {
  const auto& namespaces = source.spec.platform.namespaces;
  const bool own = std::ranges::find(namespaces, spec::NamespaceType::User,
                                     &spec::Namespace::type) != namespaces.end();
  return own ? ~uint64_t{0} : source.facts.capabilities;
}

}  // namespace

CapabilityPlan plan_capabilities(const ProcessSource& source) {
  if (!source.process.capabilities) return {};
  const spec::Capabilities& wanted = *source.process.capabilities;
  const uint64_t all = available(source);
  constexpr std::string_view kNotOurs = "the caller has no such capability";
  CapabilityPlan plan;
  plan.bounding =
      limited(mask_of(wanted.bounding, "bounding", source), all, "bounding", kNotOurs, source);
  plan.permitted =
      limited(mask_of(wanted.permitted, "permitted", source), all, "permitted", kNotOurs, source);
  plan.effective = limited(mask_of(wanted.effective, "effective", source), plan.permitted,
                           "effective", "not permitted", source);
  plan.inheritable = limited(mask_of(wanted.inheritable, "inheritable", source), plan.bounding,
                             "inheritable", "not in the bounding set", source);
  plan.ambient =
      limited(mask_of(wanted.ambient, "ambient", source), plan.permitted & plan.inheritable,
              "ambient", "an ambient capability must be permitted and inheritable", source);
  return plan;
}

}  // namespace berth::plan
