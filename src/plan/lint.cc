// SPDX-License-Identifier: Apache-2.0
#include "plan/lint.h"

#include "plan/lint_rules.h"

namespace berth::plan {
namespace {

constexpr bool kError = true;
constexpr bool kWarning = false;

// docs/lint.md lists them; tests/unit/plan/lint_test.cc has a case for each.
constexpr LintRule kRules[] = {
    {"root-missing", kError, find_missing_root},
    {"program-missing", kError, find_missing_program},
    {"mount-source-missing", kError, find_missing_sources},
    {"filesystem-unknown", kWarning, find_unknown_filesystems},
    {"namespace-missing", kError, find_missing_namespaces},
    {"controller-missing", kError, find_missing_controllers},
    {"device-without-driver", kWarning, find_devices_without_driver},
    {"hook-missing", kError, find_missing_hooks},
    {"sysctl-missing", kError, find_missing_sysctls},
    {"net-device-missing", kError, find_missing_net_devices},
    {"filter-flag-unsupported", kError, find_unsupported_filter_flags},
    {"security-module-missing", kError, find_missing_modules},
    {"resctrl-missing", kError, find_missing_resctrl},
    {"capability-unknown", kWarning, find_unknown_capabilities},
    {"host-namespace", kWarning, find_host_namespaces},
    {"all-capabilities", kWarning, find_all_capabilities},
    {"strong-capability", kWarning, find_strong_capabilities},
    {"no-seccomp", kWarning, find_no_seccomp},
    {"open-seccomp", kWarning, find_open_seccomp},
    {"new-privileges", kWarning, find_new_privileges},
    {"writable-proc-sys", kWarning, find_writable_proc_sys},
    {"unmasked-proc", kWarning, find_unmasked_proc},
    {"engine-socket", kWarning, find_engine_sockets},
    {"host-path", kWarning, find_host_paths},
    {"all-devices", kWarning, find_all_devices},
    {"host-disk", kWarning, find_host_disks},
    {"shared-mount", kWarning, find_shared_mounts},
    {"writable-cgroup", kWarning, find_writable_cgroups},
};

}  // namespace

std::span<const LintRule> lint_rules() { return kRules; }

}  // namespace berth::plan
