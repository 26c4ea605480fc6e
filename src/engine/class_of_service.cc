// SPDX-License-Identifier: Apache-2.0
#include "engine/class_of_service.h"

#include "berth/try.h"
#include "cgroup/resctrl.h"
#include "core/context.h"
#include "sync/step.h"

namespace berth::engine {
namespace {

constexpr std::string_view kPointer = "/linux/intelRdt";

}  // namespace

Result<> examine_class(Creation& creation) {
  if (!creation.plan.host.rdt) return {};
  Result<std::string> place = cgroup::find_resctrl();
  if (!place) {
    place.error().set_step(to_string(sync::Step::LimitResources)).set_pointer(kPointer);
    return std::unexpected(std::move(place).error());
  }
  creation.resctrl = std::move(*place);
  creation.record.rdt = cgroup::rdt_places(creation.resctrl, *creation.plan.host.rdt);
  return {};
}

Result<> make_class(Creation& creation) {
  if (!creation.plan.host.rdt) return {};
  TRY(cgroup::make_class(creation.resctrl, *creation.plan.host.rdt) | at(kPointer));
  creation.class_made = true;
  return {};
}

Result<> enter_class(const Record& record, pid_t process) {
  return cgroup::add_to_class(record.rdt, process) | at(kPointer);
}

}  // namespace berth::engine
