// SPDX-License-Identifier: Apache-2.0
#include <iterator>

#include "plan/dump_parts.h"
#include "plan/make_plan.h"

namespace berth::plan {
namespace {

constexpr int kIndent = 2;

struct Scene {
  json::Writer& out;
  const Plan& plan;
};

// A step is written when it has something to do. Names and order are those of engine/create.cc and
// init/run_init.cc.
struct DumpedStep {
  const char* name;
  bool (*has_work)(const Plan& plan);
  void (*write)(const Scene& scene);
};

void write_paths(json::Writer& out, std::string_view name, const std::vector<PathItem>& paths) {
  if (paths.empty()) return;
  out.key(name).begin_array();
  for (const PathItem& item : paths)
    out.begin_object().member("path", item.path).member("from", item.pointer).end();
  out.end();
}

void write_sources(const Scene& scene) {
  scene.out.key("sources").begin_array();
  for (const MountItem& item : scene.plan.init.mounts) {
    if (!item.source_first) continue;
    scene.out.begin_object().member("path", item.source).member("from", item.pointer).end();
  }
  scene.out.end();
}

bool opens_sources(const Plan& plan) {
  for (const MountItem& item : plan.init.mounts) {
    if (item.source_first) return true;
  }
  return false;
}

void write_ids(const Scene& scene) {
  const IdPlan& ids = scene.plan.host.ids;
  scene.out.member("uidMap", ids.uid_map).member("gidMap", ids.gid_map);
  flag_member(scene.out, "denySetgroups", ids.deny_setgroups);
  flag_member(scene.out, "useHelpers", ids.use_helpers);
}

void write_host_hooks(const Scene& scene) {
  std::vector<HookItem> hooks = scene.plan.host.prestart;
  const std::vector<HookItem>& second = scene.plan.host.create_runtime;
  hooks.insert(hooks.end(), second.begin(), second.end());
  dump_hooks(scene.out, hooks);
}

void write_sysctls(const Scene& scene) {
  scene.out.key("sysctls").begin_array();
  for (const SysctlItem& item : scene.plan.init.sysctls) {
    scene.out.begin_object()
        .member("path", item.path)
        .member("value", item.value)
        .member("from", item.pointer)
        .end();
  }
  scene.out.end();
}

std::string_view entry_name(RootEntry entry) {
  switch (entry) {
    case RootEntry::Pivot: return "pivot_root";
    case RootEntry::Move: return "move";
    case RootEntry::Chroot: return "chroot";
  }
  return "pivot_root";
}

void write_root(const Scene& scene) {
  const RootPlan& root = scene.plan.init.root;
  scene.out.member("root", root.path);
  if (root.isolation != 0) scene.out.member("propagation", propagation_name(root.isolation));
  scene.out.member("from", "/root/path");
}

bool has_time_offsets(const Plan& plan) { return !plan.host.namespaces.time_offsets.empty(); }

void write_joins(const Scene& scene) {
  const NamespacePlan& plan = scene.plan.host.namespaces;
  if (!has_time_offsets(scene.plan)) return;
  scene.out.key("timeOffsets").begin_object();
  for (const spec::TimeOffset& offset : plan.time_offsets) {
    scene.out.key(offset.clock).begin_object();
    scene.out.member("secs", offset.seconds).member("nanosecs", offset.nanoseconds).end();
  }
  scene.out.end();
}

void write_names(const Scene& scene) {
  text_member(scene.out, "hostname", scene.plan.init.hostname);
  text_member(scene.out, "domainname", scene.plan.init.domainname);
}

void write_finish(const Scene& scene) {
  const InitPlan& init = scene.plan.init;
  write_paths(scene.out, "readonlyPaths", init.readonly_paths);
  write_paths(scene.out, "maskedPaths", init.masked_paths);
  if (init.root.final_propagation != 0)
    scene.out.member("propagation", propagation_name(init.root.final_propagation));
  scene.out.member("readonlyRoot", init.root.readonly);
}

void write_terminal(const Scene& scene) {
  const ProcessPlan& process = scene.plan.init.process;
  scene.out.member("rows", process.console_rows).member("columns", process.console_columns);
}

bool limits_process(const Plan& plan) {
  const ProcessPlan& process = plan.init.process;
  return plan.host.rdt || process.memory_policy || process.scheduler || process.io_priority ||
         process.personality || process.oom_score_adj || !process.rlimits.empty();
}

bool confines(const Plan& plan) {
  const ConfinementPlan& wanted = plan.init.process.confinement;
  return wanted.core_cookie || wanted.merge_pages || wanted.deny_write_execute ||
         wanted.huge_pages != HugePages::AsTheHost || wanted.landlock_rights != 0;
}

bool always(const Plan&) { return true; }
bool has_seccomp(const Plan& plan) { return plan.init.process.has_seccomp; }
void nothing(const Scene&) {}

constexpr DumpedStep kHostSteps[] = {
    {"reserve state", always, nothing},
    {"compile seccomp", has_seccomp,
     [](const Scene& scene) { scene.out.member("from", "/linux/seccomp"); }},
    {"open mount sources", opens_sources, write_sources},
    {"create cgroup", [](const Plan& plan) { return !plan.host.cgroup.places.empty(); },
     [](const Scene& scene) { dump_cgroup(scene.out, scene.plan.host.cgroup); }},
    {"clone init", always,
     [](const Scene& scene) { dump_namespaces(scene.out, scene.plan.host.namespaces); }},
    {"make network", [](const Plan& plan) { return plan.host.namespaces.host_flags != 0; },
     nothing},
    {"limit devices", [](const Plan& plan) { return plan.host.cgroup.limits_devices; },
     [](const Scene& scene) { dump_device_rules(scene.out, scene.plan.host.cgroup); }},
    {"map ids", [](const Plan& plan) { return plan.host.ids.maps; }, write_ids},
    {"limit resources", limits_process,
     [](const Scene& scene) {
       dump_limits(scene.out, scene.plan.init.process);
       if (scene.plan.host.rdt) dump_rdt(scene.out, *scene.plan.host.rdt);
     }},
    {"attach network",
     [](const Plan& plan) {
       return !plan.host.net_devices.empty() || !plan.host.interfaces.empty();
     },
     [](const Scene& scene) { dump_network(scene.out, scene.plan.host); }},
    {"run host hooks",
     [](const Plan& plan) {
       return !plan.host.prestart.empty() || !plan.host.create_runtime.empty();
     },
     write_host_hooks},
    {"record state", always, nothing},
};

constexpr DumpedStep kInitSteps[] = {
    {"join namespaces", has_time_offsets, write_joins},
    {"start session", always,
     [](const Scene& scene) {
       scene.out.member("newKeyring", scene.plan.init.process.new_keyring);
     }},
    {"set hostname",
     [](const Plan& plan) { return !plan.init.hostname.empty() || !plan.init.domainname.empty(); },
     write_names},
    {"write sysctls", [](const Plan& plan) { return !plan.init.sysctls.empty(); }, write_sysctls},
    {"isolate mounts", always, write_root},
    {"mount filesystems", [](const Plan& plan) { return !plan.init.mounts.empty(); },
     [](const Scene& scene) { dump_mounts(scene.out, scene.plan.init.mounts); }},
    {"make devices", [](const Plan& plan) { return plan.init.make_devices; },
     [](const Scene& scene) { dump_devices(scene.out, scene.plan.init); }},
    {"bring up network", [](const Plan& plan) { return plan.init.bring_up_loopback; }, nothing},
    {"run create hooks", [](const Plan& plan) { return !plan.init.create_container.empty(); },
     [](const Scene& scene) { dump_hooks(scene.out, scene.plan.init.create_container); }},
    {"enter rootfs", always,
     [](const Scene& scene) { scene.out.member("by", entry_name(scene.plan.init.root.entry)); }},
    {"open terminal", [](const Plan& plan) { return plan.init.process.terminal; }, write_terminal},
    {"finish rootfs", always, write_finish},
};

constexpr DumpedStep kDropPrivileges = {"drop privileges", always, [](const Scene& scene) {
                                          dump_privileges(scene.out, scene.plan.init.process);
                                        }};
constexpr DumpedStep kLoadSeccomp = {"load seccomp", has_seccomp, nothing};
constexpr DumpedStep kConfineProcess = {
    "confine process", confines,
    [](const Scene& scene) { dump_confinement(scene.out, scene.plan.init.process.confinement); }};
constexpr DumpedStep kRunStartHooks = {
    "run start hooks", [](const Plan& plan) { return !plan.init.start_container.empty(); },
    [](const Scene& scene) { dump_hooks(scene.out, scene.plan.init.start_container); }};
constexpr DumpedStep kExecProcess = {"exec process", always, [](const Scene& scene) {
                                       dump_program(scene.out, scene.plan.init.process);
                                     }};

void write_step(const Scene& scene, const DumpedStep& step) {
  if (!step.has_work(scene.plan)) return;
  scene.out.begin_object().member("step", step.name);
  step.write(scene);
  scene.out.end();
}

}  // namespace

std::string dump(const Plan& plan) {
  json::Writer out(kIndent);
  const Scene scene{.out = out, .plan = plan};
  out.begin_object().member("id", plan.host.id).member("bundle", plan.host.bundle);
  list_member(out, "warnings", plan.host.warnings);
  out.key("host").begin_array();
  for (const DumpedStep& step : kHostSteps) write_step(scene, step);
  out.end();
  out.key("init").begin_array();
  for (const DumpedStep& step : kInitSteps) write_step(scene, step);
  // Without no_new_privs a filter can be loaded only while privileged.
  const bool filter_last = plan.init.process.no_new_privileges;
  if (filter_last) write_step(scene, kDropPrivileges);
  write_step(scene, kConfineProcess);
  write_step(scene, kLoadSeccomp);
  if (!filter_last) write_step(scene, kDropPrivileges);
  write_step(scene, kRunStartHooks);
  write_step(scene, kExecProcess);
  out.end().end();
  return out.take() + "\n";
}

}  // namespace berth::plan
