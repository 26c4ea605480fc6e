// SPDX-License-Identifier: Apache-2.0
#include "core/format.h"
#include "plan/make_plan.h"

namespace berth::plan {
namespace {

// absent: the environment of a hook that gives none.
std::vector<HookItem> items_of(const std::vector<spec::Hook>& hooks, std::string_view kind,
                               const std::vector<std::string>& absent) {
  std::vector<HookItem> items;
  for (size_t i = 0; i < hooks.size(); ++i) {
    const spec::Hook& hook = hooks[i];
    items.push_back({.path = hook.path,
                     .args = hook.args.empty() ? std::vector{hook.path} : hook.args,
                     .env = hook.env.value_or(absent),
                     .timeout_seconds = hook.timeout,
                     .pointer = formatted("/hooks/{}/{}", kind, i)});
  }
  return items;
}

}  // namespace

std::vector<HookItem> plan_host_hooks(const std::vector<spec::Hook>& hooks, std::string_view kind) {
  return items_of(hooks, kind, {});
}

// poststart and poststop are not of a container's making: the engine takes them from the record.
Result<> plan_hooks(const spec::Spec& spec, Plan& plan) {
  const spec::Hooks& hooks = spec.hooks;
  plan.host.prestart = items_of(hooks.prestart, "prestart", {});
  plan.host.create_runtime = items_of(hooks.create_runtime, "createRuntime", {});
  plan.init.create_container = items_of(hooks.create_container, "createContainer", {});
  plan.init.start_container =
      items_of(hooks.start_container, "startContainer", plan.init.process.env);
  return {};
}

}  // namespace berth::plan
