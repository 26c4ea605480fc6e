// SPDX-License-Identifier: Apache-2.0
#include "security/seccomp_listener.h"

#include <errno.h>
#include <sys/socket.h>

#include <cstring>
#include <vector>

#include "berth/try.h"
#include "core/context.h"
#include "os/socket.h"

namespace berth::security {
namespace {

ssize_t send_first(int socket, std::string_view text, std::span<const int> descriptors) {
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  std::vector<char> control(CMSG_SPACE(descriptors.size_bytes()));
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL);
}

// The kernel may take a part of a long text; the descriptors go with the first part only.
int send_all(int socket, std::string_view text, std::span<const int> descriptors) {
  while (!text.empty()) {
    const ssize_t sent = send_first(socket, text, descriptors);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno;
    text.remove_prefix(static_cast<size_t>(sent));
    descriptors = {};
  }
  return 0;
}

}  // namespace

std::string seccomp_process_state(const SeccompProcess& process) {
  const std::string metadata =
      process.metadata.empty() ? "" : formatted(R"("metadata":{},)", process.metadata);
  return formatted(R"({{"ociVersion":"{}","fds":["seccompFd"],"pid":{},{}"state":{}}})",
                   process.oci_version, process.pid, metadata, process.state);
}

Result<> send_to_seccomp_agent(std::string_view listener_path, std::string_view text,
                               std::span<const int> descriptors) {
  const os::UniqueFd socket =
      TRY(os::connect_unix(listener_path) | context("seccomp listenerPath {}", listener_path));
  if (const int error = send_all(socket.get(), text, descriptors))
    return system_error(error, "send the seccomp listener to {}", listener_path);
  return {};
}

}  // namespace berth::security
