// SPDX-License-Identifier: Apache-2.0
#include "plan/make_plan.h"

namespace berth::plan {

bool leaves_init_alone(const Plan& plan) {
  const HostPlan& host = plan.host;
  const InitPlan& init = plan.init;
  const bool hooks = !host.prestart.empty() || !host.create_runtime.empty() ||
                     !init.create_container.empty() || !init.start_container.empty();
  return host.namespaces.is_new(spec::NamespaceType::Pid) && !hooks;
}

}  // namespace berth::plan
