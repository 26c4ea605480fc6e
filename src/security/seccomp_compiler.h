// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

#include "berth/error.h"
#include "spec/spec.h"

namespace berth::security {

// What seccomp(2) is given: the filter and SECCOMP_FILTER_FLAG_*. A profile that notifies wants the
// listener: the flag SECCOMP_FILTER_FLAG_NEW_LISTENER is set then, and seccomp(2) returns it.
struct SeccompProgram {
  std::vector<sock_filter> code = {};
  unsigned flags = 0;
  bool wants_listener = false;
  std::vector<std::string> unknown_syscalls = {};  // named by the profile, known to no architecture
  std::vector<sock_filter> added = {};             // a second filter, which can only refuse more
};

// linux.seccomp as a classic BPF program, on the host side. The decisions are libseccomp's (the
// tests compare them), with runc's ENOSYS for system calls newer than the newest in the profile.
Result<SeccompProgram> compile_seccomp(const spec::Seccomp& profile);

// All that a container asks for: linux.seccomp, and the filter of the annotation
// (spec::kFilterAnnotation).
Result<SeccompProgram> compile_seccomp(const spec::Spec& spec);

}  // namespace berth::security
