// SPDX-License-Identifier: Apache-2.0
#include "plan/make_plan.h"

namespace berth::plan {
namespace {

void add_line(std::string& text, std::string_view line) {
  if (line.empty()) return;
  text += line;
  text += '\n';
}

}  // namespace

// Line by line: cache, then bandwidth, then what is given as it is. Bandwidth that is given twice
// is taken from its own member.
std::string schemata_of(const spec::IntelRdt& wanted) {
  std::string text;
  std::string_view cache = wanted.l3_cache_schema;
  while (!cache.empty()) {
    const size_t end = cache.find('\n');
    const std::string_view line = cache.substr(0, end);
    if (wanted.mem_bw_schema.empty() || !line.starts_with("MB:")) add_line(text, line);
    cache = end == std::string_view::npos ? std::string_view() : cache.substr(end + 1);
  }
  add_line(text, wanted.mem_bw_schema);
  for (const std::string& line : wanted.schemata) add_line(text, line);
  return text;
}

std::optional<RdtPlan> plan_rdt(const spec::Spec& spec, const std::string& id) {
  if (!spec.platform.intel_rdt) return std::nullopt;
  const spec::IntelRdt& wanted = *spec.platform.intel_rdt;
  RdtPlan plan{.schemata = schemata_of(wanted)};
  if (wanted.clos_id.empty()) {
    plan.group = id;
    plan.own = true;
  } else {
    plan.must_exist = wanted.clos_id == "/" || plan.schemata.empty();
    if (wanted.clos_id != "/") plan.group = wanted.clos_id;
  }
  if (wanted.enable_monitoring) plan.monitor = id;
  return plan;
}

}  // namespace berth::plan
