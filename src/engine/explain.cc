// SPDX-License-Identifier: Apache-2.0
#include "engine/explain.h"

#include <errno.h>
#include <sys/stat.h>

#include "core/format.h"
#include "core/signal_words.h"
#include "engine/explain_parts.h"
#include "plan/dump_parts.h"
#include "spec/seccomp_names.h"

namespace berth::engine {
namespace {

using sync::Action;
using sync::Failure;
using sync::Step;

std::string describe_mount(const plan::MountItem& mount) {
  if (mount.kind == plan::MountKind::Bind)
    return formatted("mount {} on {}", mount.source, mount.target);
  return formatted("mount {} on {}", mount.fs_type.empty() ? "cgroup" : mount.fs_type,
                   mount.target);
}

std::string describe_copy(const plan::MountItem& mount, const Failure& failure) {
  std::string what = formatted("copy what the image has at {} (tmpcopyup)", mount.target);
  if (failure.os_error == ENOSPC) what += ", give the filesystem a larger size";
  if (failure.os_error == EINVAL) what += ", where an owner may have no id in the user namespace";
  if (failure.os_error == ENAMETOOLONG) what += ", where directories are nested too deep";
  return what;
}

// The kernel locks what a mount had when it came into a user namespace.
std::string describe_attributes(const plan::MountItem& mount, const Failure& failure) {
  std::string words;
  for (const std::string& word : plan::loosening_words(mount))
    words += (words.empty() ? "" : ", ") + word;
  if (failure.os_error != EPERM || words.empty()) return "set the mount's attributes";
  return formatted(
      "cannot clear locked flags: the source has them from outside the user namespace, "
      "leave out {}",
      words);
}

std::string describe_option(const plan::MountItem& mount, const Failure& failure) {
  const auto index = static_cast<size_t>(failure.detail);
  if (index >= mount.options.size()) return "set option source";
  const plan::FilesystemOption& option = mount.options[index];
  std::string what = formatted("set option {}", option.key);
  if (option.value && option.value->size() > 255)
    what += ", of which the kernel takes 255 characters";
  return what;
}

// Each shows a namespace; `instead` is set where that is the host's.
std::string describe_filesystem(const plan::MountItem& mount, const Failure& failure) {
  std::string what = formatted("make the filesystem {}", mount.fs_type);
  if (failure.os_error != EPERM || mount.instead.empty()) return what;
  return formatted(
      "{}, which shows a namespace that the user namespace does not own, and the host has none at "
      "{} that could be bound",
      what, mount.instead);
}

Error explain_mount(const plan::InitPlan& plan, const Failure& failure) {
  const plan::MountItem* mount = item_of(plan.mounts, failure);
  if (mount == nullptr) return system_in(failure, "mount");
  std::string what;
  switch (failure.action) {
    case Action::OpenSource: what = formatted("open source {}", mount->source); break;
    case Action::OpenFilesystem: what = describe_filesystem(*mount, failure); break;
    case Action::SetOption: what = describe_option(*mount, failure); break;
    case Action::MakeTarget: what = "make the mount point"; break;
    case Action::MakeLink: what = "make the symlink anew (copy-symlink)"; break;
    case Action::CopyUp: what = describe_copy(*mount, failure); break;
    case Action::CoverProc:
      what = "a link of the image leads into /proc, of which nothing may be covered";
      break;
    case Action::MismatchedTarget:
      what = failure.detail == 1 ? "a directory cannot be mounted onto a file"
                                 : "a file cannot be mounted onto a directory";
      break;
    case Action::SetAttributes: what = describe_attributes(*mount, failure); break;
    case Action::SetPropagation: what = "set the mount's propagation"; break;
    case Action::Reconfigure: what = "change the options of the filesystem that is mounted"; break;
    case Action::MapMountIds:
      what = "map the ids of the mount (its filesystem must allow it, and not be mapped already)";
      break;
    case Action::NotADirectory:
      what =
          formatted("{} must be mounted on ordinary directory, not on a link or file of the image",
                    mount->target);
      break;
    default: break;
  }
  Error error = system_in(failure, std::move(what));
  error.add_context(describe_mount(*mount)).set_pointer(mount->pointer);
  return error;
}

Error explain_device(const plan::InitPlan& plan, const Failure& failure) {
  if (failure.action == Action::NotADirectory)
    return system_in(failure, "/dev of the image must be a directory, or a link to one of its own");
  const plan::DeviceItem* device = item_of(plan.devices, failure);
  if (device == nullptr) return system_in(failure, "make the links in /dev");
  const bool bound = plan.bind_devices && !S_ISFIFO(device->mode);
  Error error = system_in(
      failure, bound
                   ? formatted("bind device {} of the host (is it there, of this kind and number?)",
                               device->path)
                   : formatted("make device {}", device->path));
  error.set_pointer(device->pointer);
  return error;
}

Error explain_finish(const plan::InitPlan& plan, const Failure& failure) {
  const bool mask = failure.detail == 2;
  const plan::PathItem* path =
      failure.action == Action::MakeTarget
          ? item_of(mask ? plan.masked_paths : plan.readonly_paths, failure)
          : nullptr;
  if (path != nullptr) {
    Error error =
        system_in(failure, formatted("{} {}", mask ? "mask" : "make read-only", path->path));
    error.set_pointer(path->pointer);
    return error;
  }
  if (const plan::MountItem* mount = item_of(plan.mounts, failure)) {
    Error error = system_in(failure, formatted("make {} read-only", mount->target));
    error.set_pointer(mount->pointer);
    return error;
  }
  Error error =
      system_in(failure, failure.action == Action::SetPropagation ? "set the root's propagation"
                                                                  : "make the root read-only");
  error.set_pointer(failure.action == Action::SetPropagation ? "/linux/rootfsPropagation"
                                                             : "/root/readonly");
  return error;
}

Error explain_hook(const std::vector<plan::HookItem>& hooks, const Failure& failure,
                   std::string_view output) {
  const plan::HookItem* hook = item_of(hooks, failure);
  const std::string path = hook == nullptr ? std::string() : hook->path;
  std::string what;
  switch (failure.action) {
    case Action::HookExit:
      what = formatted("hook {} failed with exit status {}: {}", path, failure.os_error, output);
      break;
    case Action::HookSignal:
      what =
          formatted("hook {} was killed by {}: {}", path, signal_words(failure.os_error), output);
      break;
    case Action::HookTimeout:
      what = formatted("hook {} did not end in time: {}", path, output);
      break;
    default: break;
  }
  Error error = what.empty() ? system_in(failure, formatted("start hook {}", path))
                             : Error(ErrorKind::System, std::move(what));
  error.set_step(to_string(failure.step));
  if (hook != nullptr) error.set_pointer(hook->pointer);
  error.add_context("error running hook");
  return error;
}

Error explain_namespace(const plan::InitPlan& plan, const Failure& failure) {
  const plan::JoinedNamespace* joined =
      plan.namespaces == nullptr ? nullptr : item_of(plan.namespaces->join, failure);
  if (joined == nullptr) return system_in(failure, "make namespaces");
  Error error = system_in(failure, formatted("join namespace {}", joined->path));
  error.set_pointer(joined->pointer);
  return error;
}

Error explain_by_step(const plan::InitPlan& plan, const Failure& failure,
                      std::string_view hook_output) {
  switch (failure.step) {
    case Step::JoinNamespaces: return explain_namespace(plan, failure);
    case Step::MountFilesystems: return explain_mount(plan, failure);
    case Step::MakeDevices: return explain_device(plan, failure);
    case Step::FinishRootfs: return explain_finish(plan, failure);
    case Step::RunCreateHooks: return explain_hook(plan.create_container, failure, hook_output);
    case Step::RunStartHooks: return explain_hook(plan.start_container, failure, hook_output);
    case Step::WriteSysctls:
      if (const plan::SysctlItem* sysctl = item_of(plan.sysctls, failure)) {
        Error error =
            system_in(failure, formatted("write {} to /proc/sys/{}", sysctl->value, sysctl->path));
        error.set_pointer(sysctl->pointer);
        return error;
      }
      break;
    case Step::SetHostname: {
      Error error =
          system_in(failure, failure.item == 1 ? "set the domain name" : "set the hostname");
      error.set_pointer(failure.item == 1 ? "/domainname" : "/hostname");
      return error;
    }
    case Step::IsolateMounts:
    case Step::EnterRootfs: {
      Error error =
          system_in(failure, failure.action == Action::ChangeDirectory
                                 ? formatted("make the working directory {}", plan.process.cwd)
                                 : formatted("use {} as the root", plan.root.path));
      error.set_pointer(failure.action == Action::ChangeDirectory ? "/process/cwd" : "/root/path");
      return error;
    }
    default: break;
  }
  return explain_process(plan.process, failure);
}

}  // namespace

Error explain(const plan::InitPlan& plan, const Failure& failure, std::string_view hook_output) {
  Error error = explain_by_step(plan, failure, hook_output);
  if (failure.step != Step::FindExecutable && failure.step != Step::ExecProcess)
    error.add_context(std::string(to_string(failure.step)));
  return error;
}

}  // namespace berth::engine
