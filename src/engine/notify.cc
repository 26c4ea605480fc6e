// SPDX-License-Identifier: Apache-2.0
#include "engine/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "berth/try.h"
#include "core/context.h"
#include "os/process.h"
#include "os/socket.h"

namespace berth::engine {
namespace {

constexpr const char* kDirectory = "notify";
constexpr int kBarrierMs = 30'000;

struct Address {
  sockaddr_un name = {};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&name); }
};

Result<Address> address_of(const std::string& path) {
  Address address;
  if (path.empty() || path.size() >= sizeof address.name.sun_path)
    return fail(ErrorKind::InvalidUse, "$NOTIFY_SOCKET: {} is too long for a socket", path);
  address.name.sun_family = AF_UNIX;
  memcpy(address.name.sun_path, path.data(), path.size());
  if (path[0] == '@') address.name.sun_path[0] = '\0';
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  return address;
}

// "READY=1" of the message's lines; empty: it says something else.
std::string ready_line(std::string_view message) {
  while (!message.empty()) {
    const std::string_view line = message.substr(0, message.find('\n'));
    if (line.starts_with("READY=")) return std::string(line);
    message.remove_prefix(std::min(line.size() + 1, message.size()));
  }
  return {};
}

}  // namespace

Result<NotifyRelay> NotifyRelay::open(const StateDir& directory, const std::string& host) {
  NotifyRelay relay;
  relay.host_ = host;
  relay.socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!relay.socket_) return system_error(errno, "make the notify socket");
  // By the descriptor: the path of the state root may be longer than an address.
  const Address address =
      TRY(address_of(formatted("/proc/self/fd/{}/{}", directory.fd(), kNotifySocket)));
  (void)::unlinkat(directory.fd(), kNotifySocket, 0);
  if (::bind(relay.socket_.get(), address.get(), address.size) < 0 ||
      ::fchmodat(directory.fd(), kNotifySocket, 0777, 0) < 0)
    return system_error(errno, "bind the notify socket");
  return relay;
}

Result<> NotifyRelay::tell(const std::string& text, int barrier) const {
  const Address address = TRY(address_of(host_));
  const os::UniqueFd client(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!client || ::connect(client.get(), address.get(), address.size) < 0)
    return system_error(errno, "connect to $NOTIFY_SOCKET {}", host_);
  const long sent = os::send_packet(client.get(), text.data(), text.size(), barrier);
  if (sent < 0) return system_error(static_cast<int>(-sent), "write to $NOTIFY_SOCKET {}", host_);
  return {};
}

Result<bool> NotifyRelay::pass_on(pid_t main_pid) const {
  char message[4096];
  const ssize_t size = ::recv(socket_.get(), message, sizeof message, MSG_DONTWAIT);
  if (size < 0) return false;
  std::string text = ready_line({message, static_cast<size_t>(size)});
  if (text.empty()) return false;
  if (main_pid > 0) text += formatted("\nMAINPID={}", main_pid);
  TRY(tell(text, -1));
  return true;
}

Result<> NotifyRelay::wait(pid_t pid, int pidfd) const {
  pollfd events[] = {{.fd = socket_.get(), .events = POLLIN, .revents = 0},
                     {.fd = pidfd, .events = POLLIN, .revents = 0}};
  while (true) {
    if (::poll(events, 2, -1) < 0 && errno != EINTR) return system_error(errno, "wait for READY");
    if (events[0].revents != 0) {
      if (TRY(pass_on(pid))) break;
    } else if (events[1].revents != 0) {
      return {};
    }
  }
  // The manager looks up who sent a message: this process must live until it has.
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return system_error(errno, "make a pipe");
  const os::UniqueFd taken(ends[0]);
  {
    const os::UniqueFd barrier(ends[1]);
    TRY(tell("BARRIER=1", barrier.get()));
  }
  (void)TRY(os::wait_exit(taken.get(), kBarrierMs));
  return {};
}

void show_notify_socket(const std::string& state_directory, spec::Spec& spec) {
  spec.mounts.push_back({.destination = "/run/notify",
                         .type = "bind",
                         .source = state_directory + "/" + kDirectory,
                         .options = {"bind", "nosuid", "noexec", "nodev", "ro"}});
  if (spec.process) spec.process->env.emplace_back("NOTIFY_SOCKET=/run/notify/notify.sock");
}

Result<> make_notify_directory(const StateDir& directory) {
  if (::mkdirat(directory.fd(), kDirectory, 0755) < 0)
    return system_error(errno, "make the directory of the notify socket");
  return {};
}

bool has_notify_directory(const StateDir& directory) {
  return ::faccessat(directory.fd(), kDirectory, F_OK, 0) == 0;
}

}  // namespace berth::engine
