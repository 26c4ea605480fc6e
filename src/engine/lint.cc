// SPDX-License-Identifier: Apache-2.0
#include "berth/lint.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "berth/factory.h"
#include "berth/try.h"
#include "core/context.h"
#include "engine/create_plan.h"
#include "engine/lint_facts.h"
#include "json/value.h"
#include "plan/lint.h"
#include "plan/make_plan.h"
#include "spec/read_spec.h"

namespace berth {
namespace {

class Findings {
 public:
  explicit Findings(std::string_view text) : text_(text) {}

  void add(Severity severity, std::string_view code, std::string pointer, std::string text) {
    json::Position place = json::locate(text_, pointer);
    // What is missing is shown where its object begins.
    for (std::string_view up = pointer; place.line == 0 && !up.empty();) {
      up = up.substr(0, up.rfind('/'));
      place = json::locate(text_, up);
    }
    list_.push_back({.severity = severity,
                     .code = std::string(code),
                     .pointer = std::move(pointer),
                     .line = place.line,
                     .column = place.column,
                     .text = std::move(text)});
  }

  // "12:7: what is wrong with the syntax".
  void add_syntax(std::string_view cause) {
    Finding finding{.severity = Severity::Error, .code = "invalid"};
    const char* end = cause.data() + cause.size();
    const char* stop = std::from_chars(cause.data(), cause.data() + cause.size(), finding.line).ptr;
    if (stop != end && *stop == ':') stop = std::from_chars(stop + 1, end, finding.column).ptr;
    cause.remove_prefix(static_cast<size_t>(stop - cause.data()));
    while (cause.starts_with(':') || cause.starts_with(' ')) cause.remove_prefix(1);
    finding.text = cause;
    list_.push_back(std::move(finding));
  }

  bool has(std::string_view pointer) const {
    return std::ranges::find(list_, pointer, &Finding::pointer) != list_.end();
  }

  std::vector<Finding> sorted() && {
    std::ranges::sort(list_, {}, [](const Finding& each) {
      return std::tie(each.line, each.column, each.severity, each.code, each.text);
    });
    return std::move(list_);
  }

 private:
  std::string_view text_;
  std::vector<Finding> list_;
};

void add_unknown(const spec::Reading& reading, Findings& findings) {
  for (const json::UnknownMember& member : reading.unknown) {
    const bool wrong_case = member.differs_in_case_only;
    std::string text =
        wrong_case ? "differs in case from a known member" : "unknown member, ignored";
    if (!member.nearest.empty()) text += formatted(": did you mean \"{}\"?", member.nearest);
    // create refuses it only when it differs in nothing but case.
    findings.add(wrong_case ? Severity::Error : Severity::Warning,
                 wrong_case ? "member-case" : "unknown-member", member.pointer, std::move(text));
  }
}

// "/process/capabilities/bounding/0: ...": the plan's warnings begin with their place.
void add_warning(const std::string& warning, Findings& findings) {
  const size_t end = warning.starts_with('/') ? warning.find(": ") : std::string::npos;
  const std::string pointer = end == std::string::npos ? "" : warning.substr(0, end);
  if (!pointer.empty() && findings.has(pointer)) return;
  findings.add(Severity::Warning, "carried-out-differently", pointer,
               end == std::string::npos ? warning : warning.substr(end + 2));
}

void run_rules(const plan::LintSource& source, Findings& findings) {
  for (const plan::LintRule& rule : plan::lint_rules()) {
    plan::LintFindings found;
    rule.check(source, found);
    for (plan::LintFinding& each : found) {
      findings.add(rule.is_error ? Severity::Error : Severity::Warning, rule.code,
                   std::move(each.pointer), std::move(each.text));
    }
  }
}

// A config that breaks a rule has no plan; what else is wrong with it is told all the same.
Result<> look_without_plan(const spec::Spec& spec, const std::string& bundle, Findings& findings) {
  const plan::LintFacts facts = TRY(engine::gather_lint_facts(spec, bundle));
  run_rules({.spec = spec, .facts = facts, .plan = nullptr}, findings);
  return {};
}

Result<> look_at_host(const spec::Spec& spec, const std::string& bundle, Findings& findings) {
  const plan::LintFacts facts = TRY(engine::gather_lint_facts(spec, bundle));
  const Result<plan::Plan> plan =
      plan::make_plan(spec, facts.host, {.id = "lint", .bundle = bundle});
  run_rules({.spec = spec, .facts = facts, .plan = plan ? &*plan : nullptr}, findings);
  if (!plan && !findings.has(plan.error().pointer())) {
    findings.add(Severity::Error, "refused", plan.error().pointer(), plan.error().cause());
  }
  if (!plan) return {};
  for (const std::string& warning : plan->host.warnings) add_warning(warning, findings);
  return {};
}

}  // namespace

std::string_view to_string(Severity severity) {
  return severity == Severity::Error ? "error" : "warning";
}

Result<std::vector<Finding>> lint(const LintOptions& options) {
  const CreateOptions where{.bundle = options.bundle, .config_file = options.config_file};
  const std::string bundle = TRY(engine::find_bundle(where));
  const std::string text = TRY(engine::read_config(where, bundle));
  const spec::Reading reading = spec::read_for_lint(text);
  Findings findings(text);
  add_unknown(reading, findings);
  if (reading.is_no_json) {
    findings.add_syntax(reading.error->cause());
  } else if (reading.error) {
    findings.add(Severity::Error, "invalid", reading.error->pointer(), reading.error->cause());
    if (reading.is_decoded) TRY(look_without_plan(reading.spec, bundle, findings));
  } else {
    TRY(look_at_host(reading.spec, bundle, findings));
  }
  return std::move(findings).sorted();
}

}  // namespace berth
