// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"
#include "cgroup/bus_message.h"
#include "os/fd.h"

namespace berth::cgroup {

// How long systemd may take for all that is asked of it at once, in milliseconds.
inline constexpr int kBusTimeoutMs = 30'000;

// A connection to D-Bus (D-Bus Specification, "Authentication Protocol" and "Message Bus"), or
// without a bus in between to systemd itself. What is sent goes out with the next read: a login and
// a first call are one packet. Nothing is waited for longer than kBusTimeoutMs.
class Bus {
 public:
  // The system's or the user's, at the first place that answers.
  static Result<Bus> open(bool of_user);

  // Whether messages need a destination.
  bool has_destinations() const { return has_destinations_; }
  uint32_t send(const BusCall& call);
  // The next message, whatever it is.
  Result<BusMessage> receive();
  // From here on another kBusTimeoutMs.
  void restart_clock();

 private:
  explicit Bus(os::UniqueFd socket, bool has_destinations);
  Result<> flush();
  // At least `size` bytes are in input_ afterwards.
  Result<> fill(size_t size);
  Result<> wait(short events) const;
  Result<> authenticate();

  os::UniqueFd socket_;
  bool has_destinations_;
  bool authenticated_ = false;
  uint32_t serial_ = 0;
  int64_t deadline_ = 0;
  std::string output_ = {};
  std::string input_ = {};
};

// Where a bus listens: the paths of "unix:path=/run/dbus/system_bus_socket;unix:path=…" (D-Bus
// Specification, "Server Addresses"). What berth cannot speak is left out.
std::vector<std::string> socket_paths(std::string_view addresses);

}  // namespace berth::cgroup
