// SPDX-License-Identifier: Apache-2.0
#include <errno.h>

#include "core/format.h"
#include "engine/explain.h"
#include "spec/annotations.h"

namespace berth::engine {
namespace {

using sync::Action;
using sync::Failure;

struct Words {
  Action action;
  std::string_view annotation;
  std::string_view what;
  std::string_view needs;  // of the kernel
};

constexpr Words kWords[] = {
    {Action::ShareCore, spec::kCoreScheduling, "share a core with nobody else",
     "Linux 5.14 with CONFIG_SCHED_CORE, and a machine with SMT"},
    {Action::MergePages, spec::kMergePages, "merge equal pages", "Linux 6.4 with CONFIG_KSM"},
    {Action::SetHugePages, spec::kHugePages, "limit huge pages",
     "for \"advised\" Linux 6.18, for \"never\" CONFIG_TRANSPARENT_HUGEPAGE"},
    {Action::DenyWriteExecute, spec::kMemoryDenyWriteExecute,
     "deny memory that is written and executed", "Linux 6.3"},
};

bool says_unknown(int os_error) {
  return os_error == EINVAL || os_error == ENOSYS || os_error == ENODEV || os_error == EOPNOTSUPP;
}

Error explain_landlock(const plan::ConfinementPlan& plan, const Failure& failure) {
  const auto index = static_cast<size_t>(failure.item);
  const bool of_path = failure.action == Action::AllowPath && index < plan.landlock.size();
  const plan::LandlockItem* item = of_path ? &plan.landlock[index] : nullptr;
  Error error = Error::system(
      failure.os_error,
      item != nullptr ? formatted("leave {} open to Landlock", item->path) : "use Landlock");
  if (item != nullptr) error.set_pointer(item->pointer);
  if (item == nullptr && !plan.landlock.empty()) error.set_pointer(plan.landlock.front().pointer);
  return error;
}

}  // namespace

Error explain_confinement(const plan::ConfinementPlan& plan, const Failure& failure) {
  for (const Words& words : kWords) {
    if (words.action != failure.action) continue;
    const bool lacks = says_unknown(failure.os_error);
    Error error =
        Error::system(failure.os_error, lacks ? formatted("{}: needs {}", words.what, words.needs)
                                              : std::string(words.what));
    if (lacks) error.set_kind(ErrorKind::Unsupported);
    error.set_pointer(formatted("/annotations/{}", words.annotation));
    error.set_step(to_string(failure.step));
    return error;
  }
  Error error = explain_landlock(plan, failure);
  error.set_step(to_string(failure.step));
  return error;
}

}  // namespace berth::engine
