// SPDX-License-Identifier: Apache-2.0
#include "network/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "berth/try.h"
#include "core/context.h"
#include "os/file.h"
#include "os/netlink.h"

namespace berth::network {
namespace {

constexpr const char* kOwnNamespace = "/proc/thread-self/ns/net";

}  // namespace

Result<os::UniqueFd> open_own_namespace() { return os::open_at(AT_FDCWD, kOwnNamespace, O_RDONLY); }

Result<os::UniqueFd> open_own_socket() {
  os::UniqueFd socket(os::open_route_socket());
  if (!socket) return system_error(-socket.get(), "open a route socket");
  return socket;
}

Result<os::UniqueFd> open_route_socket_in(int network_namespace) {
  const os::UniqueFd back = TRY(open_own_namespace());
  if (::setns(network_namespace, CLONE_NEWNET) < 0)
    return system_error(errno, "enter the container's network namespace");
  Result<os::UniqueFd> socket = open_own_socket();
  if (::setns(back.get(), CLONE_NEWNET) < 0)
    return system_error(errno, "go back to the own network namespace");
  return socket;
}

Result<bool> is_own(int network_namespace) {
  struct stat own;
  struct stat other;
  if (::stat(kOwnNamespace, &own) < 0 || ::fstat(network_namespace, &other) < 0)
    return system_error(errno, "look at the network namespace");
  return own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

Result<> check_other(int network_namespace) {
  if (!TRY(is_own(network_namespace))) return {};
  return fail(
      ErrorKind::InvalidConfig,
      "the container has the host's network namespace: it cannot be given devices of its own");
}

}  // namespace berth::network
