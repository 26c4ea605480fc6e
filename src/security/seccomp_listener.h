// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>

#include "berth/error.h"

namespace berth::security {

// The container process state of the runtime specification (config-linux.md, "seccomp"). The caller
// knows JSON; here are only its texts.
struct SeccompProcess {
  std::string_view oci_version = {};
  pid_t pid = 0;  // of the process with the filter, in the runtime's namespace
  std::string_view metadata =
      {};                       // listenerMetadata as a JSON string, quotes included; empty: none
  std::string_view state = {};  // the OCI state as a JSON object
};

// {"ociVersion":...,"fds":["seccompFd"],"pid":...,"metadata":...,"state":{...}}
std::string seccomp_process_state(const SeccompProcess& process);

// Connects to listenerPath, sends the text with the descriptors in its first message, and closes.
Result<> send_to_seccomp_agent(std::string_view listener_path, std::string_view text,
                               std::span<const int> descriptors);

}  // namespace berth::security
