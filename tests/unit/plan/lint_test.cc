// SPDX-License-Identifier: Apache-2.0
// Each rule of `berth lint`: what makes it speak, and where. A config without fault makes none
// speak.
#include "plan/lint.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "plan/make_plan.h"
#include "spec/capability_names.h"
#include "spec/read_spec.h"

namespace berth::plan {
namespace {

struct Bundle {
  spec::Spec spec;
  LintFacts facts;
};

// Nothing to say: the template with a filter, on a host that has all of it.
Bundle faultless() {
  Bundle bundle{.spec = spec::default_spec(false), .facts = {}};
  bundle.spec.platform.seccomp = spec::Seccomp{.default_action = spec::SeccompAction::Errno};
  bundle.facts.host = {.capabilities = ~uint64_t{0}, .has_apparmor = true, .has_selinux = true};
  bundle.facts.filesystems = {"proc", "tmpfs", "devpts", "mqueue", "sysfs", "overlay"};
  bundle.facts.controllers = {"pids", "memory", "cpu", "devices"};
  bundle.facts.character_drivers = {1, 5, 10};
  bundle.facts.block_drivers = {8};
  bundle.facts.seccomp_flags = {"SECCOMP_FILTER_FLAG_LOG"};
  return bundle;
}

spec::Mount bind(std::string source, std::vector<std::string> options = {"rbind", "ro"}) {
  return {.destination = "/x", .type = "bind", .source = std::move(source), .options = options};
}

spec::Mount& mount_at(Bundle& bundle, std::string_view destination) {
  return *std::ranges::find(bundle.spec.mounts, destination, &spec::Mount::destination);
}

void remove_namespace(Bundle& bundle, spec::NamespaceType type) {
  std::erase_if(bundle.spec.platform.namespaces,
                [type](const spec::Namespace& each) { return each.type == type; });
}

struct Case {
  std::string_view code;
  std::string_view pointer;
  void (*break_it)(Bundle& bundle);
};

constexpr Case kCases[] = {
    {"root-missing", "/root/path", [](Bundle& bundle) { bundle.facts.root_exists = false; }},
    {"program-missing", "/process/args/0",
     [](Bundle& bundle) { bundle.facts.program_exists = false; }},
    {"mount-source-missing", "/mounts/7/source",
     [](Bundle& bundle) {
       bundle.spec.mounts.push_back(bind("/no/such"));
       bundle.facts.mount_sources = {true, true, true, true, true, true, true, false};
     }},
    {"filesystem-unknown", "/mounts/7/type",
     [](Bundle& bundle) {
       bundle.spec.mounts.push_back({.destination = "/x", .type = "moonfs", .source = "x"});
     }},
    {"namespace-missing", "/linux/namespaces/1/type",
     [](Bundle& bundle) { bundle.facts.namespaces = {true, false}; }},
    {"namespace-missing", "/linux/namespaces/1/path",
     [](Bundle& bundle) {
       bundle.spec.platform.namespaces[1].path = "/no/such";
       bundle.facts.namespaces = {true, false};
     }},
    {"controller-missing", "/linux/resources/pids/limit",
     [](Bundle& bundle) {
       bundle.spec.platform.resources->pids_limit = 5;
       bundle.facts.controllers = {"memory", "devices"};
     }},
    {"device-without-driver", "/linux/devices/0/major",
     [](Bundle& bundle) {
       bundle.spec.platform.devices = {{.path = "/dev/x", .type = 'c', .major = 77}};
     }},
    {"hook-missing", "/hooks/prestart/0/path",
     [](Bundle& bundle) { bundle.facts.missing_hooks = {"/hooks/prestart/0/path"}; }},
    {"sysctl-missing", "/linux/sysctl/kernel.no~1such",
     [](Bundle& bundle) {
       bundle.spec.platform.sysctl = {{"kernel.no/such", "1"}};
       bundle.facts.sysctls = {false};
     }},
    {"net-device-missing", "/linux/netDevices/eth9",
     [](Bundle& bundle) {
       bundle.spec.platform.net_devices = {{.host_name = "eth9"}};
       bundle.facts.net_devices = {false};
     }},
    {"filter-flag-unsupported", "/linux/seccomp/flags/1",
     [](Bundle& bundle) {
       bundle.spec.platform.seccomp->flags = {"SECCOMP_FILTER_FLAG_LOG",
                                              "SECCOMP_FILTER_FLAG_TSYNC"};
     }},
    {"security-module-missing", "/process/apparmorProfile",
     [](Bundle& bundle) {
       bundle.spec.process->apparmor_profile = "x";
       bundle.facts.host.has_apparmor = false;
     }},
    {"security-module-missing", "/process/selinuxLabel",
     [](Bundle& bundle) {
       bundle.spec.process->selinux_label = "x";
       bundle.facts.host.has_selinux = false;
     }},
    {"security-module-missing", "/linux/mountLabel",
     [](Bundle& bundle) {
       bundle.spec.platform.mount_label = "x";
       bundle.facts.host.has_selinux = false;
     }},
    {"resctrl-missing", "/linux/intelRdt",
     [](Bundle& bundle) {
       bundle.spec.platform.intel_rdt = spec::IntelRdt{};
       bundle.facts.has_resctrl = false;
     }},
    {"capability-unknown", "/process/capabilities/ambient/0",
     [](Bundle& bundle) { bundle.spec.process->capabilities->ambient = {"CAP_CHWON"}; }},
    {"host-namespace", "/linux/namespaces",
     [](Bundle& bundle) { remove_namespace(bundle, spec::NamespaceType::Network); }},
    {"all-capabilities", "/process/capabilities/bounding",
     [](Bundle& bundle) {
       bundle.spec.process->capabilities->bounding.assign(spec::kCapabilityNames.begin(),
                                                          spec::kCapabilityNames.end());
     }},
    {"strong-capability", "/process/capabilities/bounding/3",
     [](Bundle& bundle) {
       bundle.spec.process->capabilities->bounding.push_back("CAP_SYS_ADMIN");
     }},
    {"no-seccomp", "/linux", [](Bundle& bundle) { bundle.spec.platform.seccomp.reset(); }},
    {"open-seccomp", "/linux/seccomp/defaultAction",
     [](Bundle& bundle) {
       bundle.spec.platform.seccomp->default_action = spec::SeccompAction::Allow;
     }},
    {"new-privileges", "/process",
     [](Bundle& bundle) { bundle.spec.process->no_new_privileges = false; }},
    {"writable-proc-sys", "/mounts/0",
     [](Bundle& bundle) { std::erase(bundle.spec.platform.readonly_paths, "/proc/sys"); }},
    {"unmasked-proc", "/mounts/0",
     [](Bundle& bundle) { std::erase(bundle.spec.platform.masked_paths, "/proc/kcore"); }},
    {"unmasked-proc", "/mounts/0",
     [](Bundle& bundle) {
       std::erase(bundle.spec.platform.readonly_paths, "/proc/sysrq-trigger");
     }},
    {"engine-socket", "/mounts/7/source",
     [](Bundle& bundle) { bundle.spec.mounts.push_back(bind("/var/run/docker.sock")); }},
    {"host-path", "/mounts/7/source",
     [](Bundle& bundle) { bundle.spec.mounts.push_back(bind("/")); }},
    {"host-path", "/mounts/7/source",
     [](Bundle& bundle) { bundle.spec.mounts.push_back(bind("//etc/", {"bind"})); }},
    {"all-devices", "/linux/resources/devices/0",
     [](Bundle& bundle) { bundle.spec.platform.resources->devices.at(0).allow = true; }},
    {"host-disk", "/linux/devices/0",
     [](Bundle& bundle) {
       bundle.spec.platform.devices = {{.path = "/dev/sda", .type = 'b', .major = 8}};
     }},
    {"shared-mount", "/linux/rootfsPropagation",
     [](Bundle& bundle) { bundle.spec.platform.rootfs_propagation = "rshared"; }},
    {"shared-mount", "/mounts/7/options",
     [](Bundle& bundle) { bundle.spec.mounts.push_back(bind("/srv", {"rbind", "rshared"})); }},
    {"writable-cgroup", "/mounts/6",
     [](Bundle& bundle) { std::erase(mount_at(bundle, "/sys/fs/cgroup").options, "ro"); }},
};

std::string said_of(const Bundle& bundle) {
  const HostFacts host{
      .capabilities = ~uint64_t{0},
      .cgroup_layout = CgroupLayout::V2,
      .hierarchies = {{.mountpoint = "/sys/fs/cgroup", .own_path = "/", .is_v2 = true}}};
  const Result<Plan> plan = make_plan(bundle.spec, host, {.id = "lint", .bundle = "/bundle"});
  std::string said;
  for (const LintRule& rule : lint_rules()) {
    LintFindings findings;
    rule.check({.spec = bundle.spec, .facts = bundle.facts, .plan = plan ? &*plan : nullptr},
               findings);
    for (const LintFinding& each : findings)
      said += std::string(rule.code) + " " + each.pointer + "\n";
  }
  return said;
}

TEST(Lint, SaysNothingOfAFaultlessBundle) { EXPECT_EQ(said_of(faultless()), ""); }

TEST(Lint, EachFaultIsFoundAlone) {
  for (const Case& test : kCases) {
    Bundle bundle = faultless();
    test.break_it(bundle);
    EXPECT_EQ(said_of(bundle), std::string(test.code) + " " + std::string(test.pointer) + "\n");
  }
}

TEST(Lint, EachRuleHasACase) {
  for (const LintRule& rule : lint_rules()) {
    EXPECT_TRUE(std::ranges::find(kCases, rule.code, &Case::code) != std::end(kCases)) << rule.code;
  }
}

// What is dangerous for the host is not in a user namespace of its own.
TEST(Lint, AUserNamespaceMakesItHarmless) {
  Bundle bundle = faultless();
  bundle.spec.platform.namespaces.push_back({.type = spec::NamespaceType::User});
  bundle.spec.process->capabilities->bounding.assign(spec::kCapabilityNames.begin(),
                                                     spec::kCapabilityNames.end());
  bundle.spec.platform.readonly_paths.clear();
  bundle.spec.platform.masked_paths.clear();
  std::erase(mount_at(bundle, "/sys/fs/cgroup").options, "ro");
  EXPECT_EQ(said_of(bundle), "");
}

TEST(Lint, WhatIsReadOnlyOrOptionalIsLeftAlone) {
  Bundle bundle = faultless();
  bundle.spec.mounts.push_back(bind("/etc"));
  bundle.spec.mounts.push_back(bind("/no/such", {"bind", "nofail"}));
  bundle.facts.mount_sources.assign(8, true);
  bundle.facts.mount_sources.push_back(false);
  EXPECT_EQ(said_of(bundle), "");
}

}  // namespace
}  // namespace berth::plan
