// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "init/step.h"

namespace berth::init {

StepResult join_network(InitContext& init) {
  if (init.in_network || init.plan.namespaces->host_flags == 0) return {};
  const ChildFd network(TRY(init.process.host.receive_network()));
  if (::setns(network.get(), CLONE_NEWNET) < 0) return failure(Step::BringUpNetwork, errno);
  init.in_network = true;
  return {};
}

StepResult bring_up_network(InitContext& init) {
  TRY(join_network(init));
  if (!init.plan.bring_up_loopback) return {};
  const ChildFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return failure(Step::BringUpNetwork, errno);
  ifreq request{};
  memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK;
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) < 0)
    return failure(Step::BringUpNetwork, errno);
  return {};
}

StepResult set_hostname(InitContext& init) {
  const std::string& host = init.plan.hostname;
  if (!host.empty() && ::sethostname(host.data(), host.size()) < 0)
    return failure(Step::SetHostname, errno, 0);
  const std::string& domain = init.plan.domainname;
  if (!domain.empty() && ::setdomainname(domain.data(), domain.size()) < 0)
    return failure(Step::SetHostname, errno, 1);
  return {};
}

// Through the host's /proc, before the container's own can be in the way: /proc/sys shows the
// namespaces of who looks.
StepResult write_sysctls(InitContext& init) {
  if (init.plan.sysctls.empty()) return {};
  const ChildFd root(::open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct statfs filesystem;
  if (!root || ::fstatfs(root.get(), &filesystem) < 0)
    return failure(Step::WriteSysctls, errno, -1, Action::OpenProc);
  if (filesystem.f_type != PROC_SUPER_MAGIC)
    return failure(Step::WriteSysctls, EINVAL, -1, Action::WrongFilesystem);
  for (size_t index = 0; index < init.plan.sysctls.size(); ++index) {
    const plan::SysctlItem& item = init.plan.sysctls[index];
    if (item.path.starts_with("net/")) TRY(join_network(init));
    const os::UniqueFd file(
        os::open_resolved(root.get(), item.path.c_str(), O_WRONLY | O_CLOEXEC,
                          RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV));
    if (!file) return failure(Step::WriteSysctls, file.get(), static_cast<int>(index));
    if (::write(file.get(), item.value.data(), item.value.size()) < 0) {
      return failure(Step::WriteSysctls, errno, static_cast<int>(index));
    }
  }
  return {};
}

}  // namespace berth::init
