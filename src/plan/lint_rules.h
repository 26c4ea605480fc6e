// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/format.h"
#include "plan/lint.h"

// The rules of lint.cc's table. Cold: decision 13.
namespace berth::plan {

// lint_host.cc: what cannot work here.
[[gnu::cold]] void find_missing_root(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_missing_program(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_missing_sources(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_unknown_filesystems(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_missing_namespaces(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_missing_controllers(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_devices_without_driver(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_missing_hooks(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_missing_sysctls(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_missing_net_devices(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_unsupported_filter_flags(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_missing_modules(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_missing_resctrl(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_unknown_capabilities(const LintSource& source, LintFindings& findings);

// lint_danger.cc: what opens the host to the container.
[[gnu::cold]] void find_host_namespaces(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_all_capabilities(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_strong_capabilities(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_no_seccomp(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_open_seccomp(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_new_privileges(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_writable_proc_sys(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_unmasked_proc(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_engine_sockets(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_host_paths(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_all_devices(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_host_disks(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_shared_mounts(const LintSource& source, LintFindings& findings);
[[gnu::cold]] void find_writable_cgroups(const LintSource& source, LintFindings& findings);

// findings.push_back with a text that is formatted.
template <typename... Args>
void report(LintFindings& findings, std::string_view pointer,
            fmt::format_string<const Args&...> text, const Args&... args) {
  findings.push_back({.pointer = std::string(pointer), .text = formatted(text, args...)});
}

bool is_bind(const spec::Mount& mount);

}  // namespace berth::plan
