// SPDX-License-Identifier: Apache-2.0
#include "cgroup/bus.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "berth/try.h"
#include "cgroup/waiting.h"
#include "core/context.h"
#include "os/socket.h"

namespace berth::cgroup {
namespace {

// Whoever the kernel says that we are (an empty identity): also right in a user namespace, where
// our own number is another than that which the bus sees.
constexpr std::string_view kLogin = {"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n", 29};

struct Place {
  std::string path;
  bool is_bus = true;
};

std::string unescaped(std::string_view text) {
  std::string plain;
  for (size_t at = 0; at < text.size(); ++at) {
    unsigned value = 0;
    const char* const hex = text.data() + at + 1;
    if (text[at] == '%' && text.size() - at > 2 &&
        std::from_chars(hex, hex + 2, value, 16).ptr == hex + 2) {
      plain += static_cast<char>(value);
      at += 2;
    } else {
      plain += text[at];
    }
  }
  return plain;
}

std::string environment(const char* name) {
  const char* value = ::getenv(name);
  return value == nullptr ? std::string() : value;
}

// An address that the caller gives is the only one: what else answers would be another's.
std::vector<Place> places(bool of_user) {
  std::vector<Place> found;
  const std::string given =
      environment(of_user ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS");
  for (std::string& path : socket_paths(given)) found.push_back({std::move(path)});
  if (!given.empty()) return found;
  if (!of_user) return {{"/run/dbus/system_bus_socket"}, {"/run/systemd/private", false}};
  std::string runtime = environment("XDG_RUNTIME_DIR");
  if (runtime.empty()) runtime = formatted("/run/user/{}", ::geteuid());
  return {{runtime + "/bus"}, {runtime + "/systemd/private", false}};
}

std::unexpected<Error> no_answer(bool of_user, const std::string& tried) {
  return fail(ErrorKind::Unsupported,
              "systemd cgroup flag passed, but systemd's {} manager cannot be reached ({}): run "
              "under systemd, or use --cgroup-manager=cgroupfs",
              of_user ? "user" : "system", tried.empty() ? "no address that berth knows" : tried);
}

}  // namespace

std::vector<std::string> socket_paths(std::string_view addresses) {
  constexpr std::string_view kUnix = "unix:", kPath = "path=";
  std::vector<std::string> paths;
  while (!addresses.empty()) {
    std::string_view address = addresses.substr(0, addresses.find(';'));
    addresses.remove_prefix(std::min(address.size() + 1, addresses.size()));
    if (!address.starts_with(kUnix)) continue;
    address.remove_prefix(kUnix.size());
    while (!address.empty()) {
      const std::string_view pair = address.substr(0, address.find(','));
      address.remove_prefix(std::min(pair.size() + 1, address.size()));
      if (pair.starts_with(kPath)) paths.push_back(unescaped(pair.substr(kPath.size())));
    }
  }
  return paths;
}

Bus::Bus(os::UniqueFd socket, bool has_destinations)
    : socket_(std::move(socket)), has_destinations_(has_destinations), output_(kLogin) {
  restart_clock();
  if (!has_destinations) return;
  send({.destination = "org.freedesktop.DBus",
        .path = "/org/freedesktop/DBus",
        .interface = "org.freedesktop.DBus",
        .member = "Hello"});
}

Result<Bus> Bus::open(bool of_user) {
  std::string tried;
  for (const Place& place : places(of_user)) {
    Result<os::UniqueFd> socket = os::connect_unix(place.path);
    if (socket) return Bus(std::move(*socket), place.is_bus);
    tried += (tried.empty() ? "" : "; ") + socket.error().message();
  }
  return no_answer(of_user, tried);
}

uint32_t Bus::send(const BusCall& call) {
  output_ += write_call(call, ++serial_);
  return serial_;
}

void Bus::restart_clock() { deadline_ = now_ms() + kBusTimeoutMs; }

Result<> Bus::wait(short events) const {
  pollfd item{.fd = socket_.get(), .events = events, .revents = 0};
  for (;;) {
    const int64_t left = std::max<int64_t>(deadline_ - now_ms(), 0);
    const int count = ::poll(&item, 1, static_cast<int>(left));
    if (count > 0) return {};
    if (count == 0)
      return fail(ErrorKind::System, "systemd has not answered in {} seconds",
                  kBusTimeoutMs / 1000);
    if (errno != EINTR) return system_error(errno, "wait for systemd");
  }
}

Result<> Bus::flush() {
  while (!output_.empty()) {
    const ssize_t sent =
        ::send(socket_.get(), output_.data(), output_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      output_.erase(0, static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      TRY(wait(POLLOUT));
    } else if (errno != EINTR) {
      return system_error(errno, "the connection to systemd is broken");
    }
  }
  return {};
}

Result<> Bus::fill(size_t size) {
  constexpr size_t kChunk = 16384;
  while (input_.size() < size) {
    const size_t have = input_.size();
    input_.resize(have + kChunk);
    const ssize_t got = ::recv(socket_.get(), input_.data() + have, kChunk, MSG_DONTWAIT);
    input_.resize(have + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got > 0) continue;
    if (got == 0) return fail(ErrorKind::System, "the connection to systemd was closed");
    if (errno == EAGAIN)
      TRY(wait(POLLIN));
    else if (errno != EINTR)
      return system_error(errno, "the connection to systemd is broken");
  }
  return {};
}

// "DATA\r\nOK 1234deadbeef\r\n": then messages follow.
Result<> Bus::authenticate() {
  constexpr std::string_view kEnd = "\r\n", kAccepted = "OK";
  constexpr size_t kLongestLine = 16384;
  for (;;) {
    const size_t end = input_.find(kEnd);
    if (end == input_.npos) {
      if (input_.size() > kLongestLine)
        return fail(ErrorKind::System, "what answers at systemd's socket does not speak D-Bus");
      TRY(fill(input_.size() + 1));
      continue;
    }
    const std::string line = input_.substr(0, end);
    input_.erase(0, end + kEnd.size());
    if (line.starts_with(kAccepted)) break;
    if (line != "DATA")
      return fail(ErrorKind::System, "the bus does not let this user in: it says \"{}\"", line);
  }
  authenticated_ = true;
  return {};
}

Result<BusMessage> Bus::receive() {
  TRY(flush());
  if (!authenticated_) TRY(authenticate());
  TRY(fill(kBusHeaderSize));
  const size_t size = TRY(message_size(input_));
  TRY(fill(size));
  Result<BusMessage> message = read_message(std::string_view(input_).substr(0, size));
  input_.erase(0, size);
  return message;
}

}  // namespace berth::cgroup
