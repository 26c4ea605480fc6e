// SPDX-License-Identifier: Apache-2.0
#include <sys/mount.h>

#include <algorithm>
#include <unordered_set>

#include "berth/try.h"
#include "plan/host_path.h"
#include "plan/make_plan.h"
#include "plan/mount_item.h"
#include "plan/refuse.h"

namespace berth::plan {
namespace {

struct Mounting {
  const spec::Spec& spec;
  const HostFacts& facts;
  const Request& request;
  Plan& plan;
};

bool is_shared(uint64_t propagation) { return (propagation & MS_SHARED) != 0; }

bool is_at_or_below(std::string_view path, std::string_view place) {
  return path.starts_with(place) && (path.size() == place.size() || path[place.size()] == '/');
}

// A source that an earlier mount of the plan brings: only init can see it.
bool comes_from_mount(std::string_view source, const InitPlan& init) {
  return std::ranges::any_of(init.mounts, [&](const MountItem& earlier) {
    return is_at_or_below(source, spec::cleaned_path(init.root.path + earlier.target));
  });
}

// Propagation to the host survives only in a source that was opened in the host's mount namespace;
// from inside a user namespace the source may be out of reach.
bool opens_source_first(std::string_view source, const Plan& plan) {
  const bool wanted = plan.host.namespaces.has(spec::NamespaceType::User) ||
                      is_shared(plan.init.root.final_propagation);
  return wanted && !comes_from_mount(source, plan.init);
}

void finish_bind(const Request& request, const Plan& plan, MountItem& item) {
  item.source = host_path(request.bundle, item.source);
  item.fs_type.clear();
  item.source_first = opens_source_first(item.source, plan);
}

// Sysfs shows the network namespace of who mounts it, others may go through it to a server.
bool needs_network(std::string_view type) {
  constexpr std::string_view kLocal[] = {"proc", "tmpfs", "devpts", "mqueue", "overlay"};
  return std::ranges::find(kLocal, type) == std::end(kLocal);
}

// Each shows a namespace, and can be made by who owns that. In a user namespace the host's are
// bound for those of the host's: what they show is the same.
std::string host_place(std::string_view type, const Mounting& context) {
  const NamespacePlan& namespaces = context.plan.host.namespaces;
  const bool inside = namespaces.has(spec::NamespaceType::User) || context.facts.in_user_namespace;
  const auto of_host = [&](spec::NamespaceType kind) { return inside && !namespaces.has(kind); };
  if (type == "sysfs" && of_host(spec::NamespaceType::Network)) return "/sys";
  if (type == "mqueue" && of_host(spec::NamespaceType::Ipc)) return "/dev/mqueue";
  if (type == "proc" && of_host(spec::NamespaceType::Pid)) return "/proc";
  return {};
}

// Devices and mountpoints are still made in these: read-only comes at the end.
void finish_filesystem(MountItem& item) {
  if (item.fs_type == "overlay") plan_overlay(item);
  const bool tmpfs = item.fs_type == "tmpfs";
  item.needs_network = needs_network(item.fs_type);
  item.is_dev = tmpfs && item.target == "/dev";
  const bool filled = tmpfs || item.copy_up || item.target == "/dev";
  item.readonly_late = filled && (item.attr_set & MOUNT_ATTR_RDONLY) != 0;
}

Result<std::string> target_of(const spec::Mount& mount, const std::string& pointer,
                              std::vector<std::string>& warnings) {
  const std::string where = pointer + "/destination";
  std::string target = spec::cleaned_path(mount.destination);
  if (target == "/")
    return refuse(where, ErrorKind::InvalidConfig, "nothing may be mounted over the root");
  if (!mount.destination.starts_with('/')) {
    warnings.push_back(
        formatted("{}: {} is relative and taken as {}", where, mount.destination, target));
  }
  return target;
}

// The label of all files, for filesystems that have none of their own. procfs and sysfs have the
// kernel's, mqueue and cgroups take none, binds are labelled by the engine.
void label_filesystem(const std::string& label, MountItem& item) {
  constexpr std::string_view kUnlabelled[] = {"proc", "sysfs", "mqueue"};
  const bool own = std::ranges::any_of(item.options, [](const FilesystemOption& option) {
    return option.key.ends_with("context") && option.value;
  });
  if (label.empty() || own || std::ranges::find(kUnlabelled, item.fs_type) != std::end(kUnlabelled))
    return;
  item.options.push_back({.key = "context", .value = label});
}

// A call for each option says which one is wrong, but most are right. Where more is to be done with
// the new mount, or read-only would hold for the filesystem and not for this mount, it is not for
// mount(2).
bool fits_one_call(const MountItem& item) {
  constexpr uint64_t kWords = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                              MOUNT_ATTR_NODIRATIME | MOUNT_ATTR__ATIME;
  constexpr std::string_view kTypes[] = {"proc", "tmpfs", "devpts", "mqueue"};
  const bool takes_over = item.is_dev || item.readonly_late || item.copy_up;
  const bool plain = (item.attr_set & ~kWords) == 0 && item.recursive_set == 0 &&
                     item.recursive_clear == 0 && item.propagation.empty();
  const bool keeps_mode =
      item.fs_type == "tmpfs" &&
      std::ranges::none_of(item.options, [](const auto& option) { return option.key == "mode"; });
  const bool words = std::ranges::none_of(item.options, [](const FilesystemOption& option) {
    return option.value && option.value->find(',') != std::string::npos;
  });
  return plain && words && !keeps_mode && !takes_over && !item.nofollow_target &&
         std::ranges::find(kTypes, item.fs_type) != std::end(kTypes);
}

std::string one_word(const std::vector<FilesystemOption>& options) {
  std::string word;
  for (const FilesystemOption& option : options) {
    if (!word.empty()) word += ',';
    word += option.value ? option.key + "=" + *option.value : option.key;
  }
  return word;
}

Result<MountItem> plan_mount(const spec::Mount& mount, std::string pointer,
                             const Mounting& context) {
  std::vector<std::string>& warnings = context.plan.host.warnings;
  MountItem item{.target = TRY(target_of(mount, pointer, warnings)),
                 .source = mount.source,
                 .fs_type = mount.type,
                 .pointer = std::move(pointer)};
  const MountOptions target{.item = item, .warnings = warnings};
  TRY(sort_options(mount, target));
  TRY(plan_mount_ids(context.spec, mount, context.facts, item));
  if (item.kind == MountKind::Bind) {
    if (item.source.empty())
      return refuse(item.pointer, ErrorKind::InvalidConfig, "a bind mount needs a source");
    finish_bind(context.request, context.plan, item);
  } else if (item.kind == MountKind::Filesystem) {
    if (item.fs_type.empty())
      return refuse(item.pointer, ErrorKind::InvalidConfig, "a mount needs a type");
    if (item.fs_type == "cgroup" || item.fs_type == "cgroup2") {
      TRY(plan_cgroup_mount(context.plan.host, context.facts, target));
    } else {
      finish_filesystem(item);
      item.instead = host_place(item.fs_type, context);
      label_filesystem(context.spec.platform.mount_label, item);
      if (fits_one_call(item)) item.at_once = one_word(item.options);
    }
  }
  return item;
}

// Never less than recursively slave: what is mounted at set-up must not reach the host, whatever
// the container's own propagation is to be.
Result<> plan_propagation(const std::string& wanted, RootPlan& root) {
  constexpr uint64_t kRecursive = MS_REC;
  root.isolation = MS_SLAVE | kRecursive;
  if (wanted.empty() || wanted == "slave" || wanted == "rslave") return {};
  const bool recursive = wanted.starts_with('r');
  const std::string_view kind = std::string_view(wanted).substr(recursive ? 1 : 0);
  const uint64_t depth = recursive ? kRecursive : 0;
  if (kind == "private") {
    if (recursive) root.isolation = MS_PRIVATE | kRecursive;
    root.final_propagation = MS_PRIVATE | depth;
  } else if (kind == "shared") {
    root.final_propagation = MS_SHARED | depth;
  } else if (kind == "unbindable") {
    root.final_propagation = MS_UNBINDABLE | depth;
  } else {
    return refuse("/linux/rootfsPropagation", ErrorKind::InvalidConfig,
                  "unknown rootfsPropagation {}", wanted);
  }
  return {};
}

Result<> plan_root(const spec::Spec& spec, const Request& request, RootPlan& root) {
  if (!spec.root || spec.root->path.empty())
    return refuse("/root", ErrorKind::InvalidConfig, "root.path is missing");
  root.path = host_path(request.bundle, spec.root->path);
  root.readonly = spec.root->readonly;
  root.entry = request.no_pivot ? RootEntry::Move : RootEntry::Pivot;
  return plan_propagation(spec.platform.rootfs_propagation, root);
}

std::vector<PathItem> plan_paths(const std::vector<std::string>& paths, std::string_view pointer) {
  std::vector<PathItem> items;
  std::unordered_set<std::string> seen;
  for (size_t i = 0; i < paths.size(); ++i) {
    std::string path = spec::cleaned_path(paths[i]);
    if (!seen.insert(path).second) continue;
    items.push_back({.path = std::move(path), .pointer = formatted("{}/{}", pointer, i)});
  }
  return items;
}

bool is_bound_dev(const MountItem& item) {
  return item.kind == MountKind::Bind && item.target == "/dev";
}

}  // namespace

Result<> plan_mounts(const spec::Spec& spec, const HostFacts& facts, const Request& request,
                     Plan& plan) {
  InitPlan& init = plan.init;
  if (!spec.platform.mount_label.empty() && !facts.has_selinux) {
    return refuse("/linux/mountLabel", ErrorKind::Unsupported,
                  "mount label {} is given, but SELinux is not enabled on this host",
                  spec.platform.mount_label);
  }
  TRY(plan_root(spec, request, init.root));
  for (size_t i = 0; i < spec.mounts.size(); ++i) {
    init.mounts.push_back(
        TRY(plan_mount(spec.mounts[i], formatted("/mounts/{}", i),
                       {.spec = spec, .facts = facts, .request = request, .plan = plan})));
  }
  init.make_devices = std::ranges::none_of(init.mounts, is_bound_dev);
  init.masked_paths = plan_paths(spec.platform.masked_paths, "/linux/maskedPaths");
  init.readonly_paths = plan_paths(spec.platform.readonly_paths, "/linux/readonlyPaths");
  return {};
}

}  // namespace berth::plan
