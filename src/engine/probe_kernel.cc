// SPDX-License-Identifier: Apache-2.0
#include "engine/probe_kernel.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

#include "berth/oci.h"
#include "spec/features.h"
#include "spec/seccomp_names.h"

namespace berth {
namespace engine {

// The kernel looks at the flags first: without a program it says EFAULT for those that it knows,
// and nothing is loaded.
bool kernel_has_seccomp_flag(unsigned flag) {
  // This one is for filters with a listener only.
  if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag, nullptr) < 0 && errno == EFAULT;
}

}  // namespace engine

std::string features() {
  std::vector<std::string_view> supported;
  for (const json::Name& flag : spec::seccomp_flags()) {
    if (engine::kernel_has_seccomp_flag(static_cast<unsigned>(flag.value)))
      supported.push_back(flag.text);
  }
  return spec::features_json(supported);
}

}  // namespace berth
