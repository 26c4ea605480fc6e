// SPDX-License-Identifier: Apache-2.0
#include "os/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <string>

#include "berth/try.h"
#include "core/context.h"

namespace berth::os {
namespace {

constexpr size_t kOneDescriptor = CMSG_SPACE(sizeof(int));

}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> packet_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
    return system_error(errno, "make a socket pair");
  }
  return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

long send_packet(int socket, const void* data, size_t size, int fd) {
  iovec part{.iov_base = const_cast<void*>(data), .iov_len = size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[kOneDescriptor] = {};
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    *reinterpret_cast<int*>(CMSG_DATA(header)) = fd;
  }
  ssize_t sent;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : sent;
}

long receive_packet(int socket, void* data, size_t size, UniqueFd* fd) {
  iovec part{.iov_base = data, .iov_len = size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[kOneDescriptor] = {};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t received;
  do {
    received = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0) return -errno;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS &&
      header->cmsg_len >= CMSG_LEN(sizeof(int))) {
    UniqueFd passed(*reinterpret_cast<const int*>(CMSG_DATA(header)));
    if (fd != nullptr) *fd = std::move(passed);
  }
  return received;
}

Result<UniqueFd> connect_unix(std::string_view path, int type) {
  UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!socket) return system_error(errno, "make a socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string short_path(path);
  UniqueFd directory;
  if (short_path.size() >= sizeof address.sun_path) {
    const size_t slash = short_path.rfind('/');
    const std::string parent = slash == std::string::npos ? "." : short_path.substr(0, slash + 1);
    directory.reset(::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return system_error(errno, "open {}", parent);
    short_path =
        "/proc/self/fd/" + std::to_string(directory.get()) + "/" + short_path.substr(slash + 1);
  }
  if (short_path.size() >= sizeof address.sun_path)
    return fail(ErrorKind::InvalidUse, "socket path {} is too long", path);
  memcpy(address.sun_path, short_path.c_str(), short_path.size() + 1);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return system_error(errno, "connect to {}", path);
  }
  return socket;
}

Result<> send_descriptor(std::string_view socket_path, int fd, std::string_view name) {
  const UniqueFd socket = TRY(connect_unix(socket_path));
  const long sent = send_packet(socket.get(), name.data(), name.size(), fd);
  if (sent < 0)
    return system_error(static_cast<int>(-sent), "send a descriptor to {}", socket_path);
  return {};
}

}  // namespace berth::os
