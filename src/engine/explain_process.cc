// SPDX-License-Identifier: Apache-2.0
#include <errno.h>

#include "core/format.h"
#include "engine/explain.h"
#include "engine/explain_parts.h"
#include "spec/seccomp_names.h"

namespace berth::engine {
namespace {

using sync::Action;
using sync::Failure;
using sync::Step;

std::string_view describe(Action action) {
  switch (action) {
    case Action::SetKeyring: return "join a session keyring";
    case Action::SetAffinity: return "set the CPUs (are they in the container's cpuset?)";
    case Action::SetPersonality: return "set the personality";
    case Action::SetMemoryPolicy:
      return "set the memory policy (are the nodes online and in the container's cpuset?)";
    case Action::SetRlimit: return "set a resource limit";
    case Action::SetIds: return "set user and group";
    case Action::SetCapabilities: return "set capabilities";
    case Action::OpenProc: return "open /proc/sys";
    case Action::AddFilter:
      return "add the annotation's filter (is it a valid program, does the profile let seccomp(2) "
             "through?)";
    case Action::WrongFilesystem: return "/proc is not procfs";
    case Action::OpenDoor:
      return "open the FIFO to write, as the container's user (mode 0622 lets everybody)";
    default: return {};
  }
}

std::string_view pointer_of(Action action) {
  switch (action) {
    case Action::SetIds: return "/user";
    case Action::SetCapabilities: return "/capabilities";
    case Action::ChangeDirectory:
    case Action::LeftRoot: return "/cwd";
    default: return {};
  }
}

// The texts that engines look for: features.md 1.5.
Error explain_program(const plan::ProcessPlan& process, const Failure& failure) {
  const std::string name = process.args.empty() ? std::string() : process.args.front();
  Error error = failure.action == Action::NotInPath
                    ? Error(ErrorKind::System, ENOENT,
                            formatted("exec: \"{}\": executable file not found in $PATH", name))
                    : Error::system(failure.os_error, {});
  if (failure.action != Action::NotInPath) {
    const char* verb = failure.step == Step::ExecProcess ? "exec" : "stat";
    error = Error(ErrorKind::System, failure.os_error,
                  formatted("exec: \"{}\": {} {}: {}", name, verb, name,
                            Error::system(failure.os_error, {}).cause()));
  }
  error.set_step(to_string(failure.step)).set_pointer(process.pointer + "/args/0");
  return error;
}

Error explain_tools(const plan::EnterPlan& plan, const Failure& failure) {
  std::string tried;
  for (const plan::ToolPlace& place : plan.tool_places)
    tried += (tried.empty() ? "/" : ", /") + place.path;
  if (failure.action == Action::MakeTarget && plan.tool_places.size() > 1) {
    return system_in(failure,
                     formatted("find a place for the tools: no empty directory, nor one to "
                               "cover, among {}; name one with DIR:PLACE",
                               tried));
  }
  if (failure.action == Action::MakeTarget)
    return system_in(failure, formatted("put the tools at {}, which must be a directory", tried));
  const plan::ToolPlace* place = item_of(plan.tool_places, failure);
  if (place != nullptr) return system_in(failure, formatted("mount the tools at /{}", place->path));
  return system_in(failure, "make a mount namespace for the tools");
}

// What the security module knows no such name for, in most cases.
Error explain_label(const plan::ProcessPlan& process, const Failure& failure) {
  const bool selinux = !process.selinux_label.empty();
  Error error = system_in(
      failure,
      selinux
          ? formatted("set the SELinux label {} (does the policy know it?)", process.selinux_label)
          : formatted("set the AppArmor profile {} (is it loaded?)", process.apparmor_profile));
  error.set_pointer(process.pointer + (selinux ? "/selinuxLabel" : "/apparmorProfile"));
  return error;
}

}  // namespace

Error explain_process(const plan::ProcessPlan& process, const Failure& failure) {
  if (failure.step == Step::FindExecutable || failure.step == Step::ExecProcess)
    return explain_program(process, failure);
  if (failure.step == Step::ConfineProcess)
    return explain_confinement(process.confinement, failure);
  if (failure.action == Action::SetLabel) return explain_label(process, failure);
  std::string what(describe(failure.action));
  if (failure.action == Action::ChangeDirectory)
    what = formatted("change to the working directory {}", process.cwd);
  if (failure.action == Action::LeftRoot)
    what = formatted("the working directory {} is outside the root", process.cwd);
  if (failure.step == Step::CloseDescriptors)
    what = failure.item < 0 ? "close what the host has open"
                            : formatted("keep descriptor {}", failure.item);
  if (failure.step == Step::EnterRootfs) what = "enter the root of the container";
  if (failure.step == Step::OpenTerminal) what = "open a terminal (is devpts mounted on /dev/pts?)";
  Error error = system_in(failure, std::move(what));
  if (failure.action == Action::SetPersonality) error.set_pointer("/linux/personality/domain");
  if (failure.action == Action::SetMemoryPolicy) error.set_pointer("/linux/memoryPolicy");
  if (failure.action == Action::SetAffinity) {
    error.set_pointer(process.pointer + (failure.detail == 0 ? "/execCPUAffinity/initial"
                                                             : "/execCPUAffinity/final"));
  }
  const std::string_view place = pointer_of(failure.action);
  if (!place.empty()) error.set_pointer(process.pointer + std::string(place));
  if (failure.action == Action::SetRlimit) {
    if (const plan::RlimitItem* item = item_of(process.rlimits, failure))
      error.set_pointer(item->pointer);
  }
  if (failure.step == Step::OpenTerminal) error.set_pointer(process.pointer + "/terminal");
  if (failure.action == Action::AddFilter)
    error.set_pointer(formatted("/annotations/{}", spec::kFilterAnnotation));
  else if (failure.step == Step::LoadSeccomp)
    error.set_pointer("/linux/seccomp");
  return error;
}

Error explain(const plan::EnterPlan& plan, const Failure& failure) {
  Error error = failure.step == Step::JoinNamespaces
                    ? system_in(failure, "join the container's namespaces")
                : failure.step == Step::AttachTools ? explain_tools(plan, failure)
                                                    : explain_process(plan.process, failure);
  if (failure.step != Step::FindExecutable && failure.step != Step::ExecProcess)
    error.add_context(std::string(to_string(failure.step)));
  return error;
}

}  // namespace berth::engine
