// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "network/device.h"
#include "network/strategy.h"
#include "os/fd.h"
#include "spec/spec.h"

// linux.netDevices: devices of the host that a container gets for its life.
namespace berth::network {

// What must be known to give a device back, also after a crash: kept in the container's record.
struct MovedDevice {
  std::string host_name = {};
  std::string name = {};      // in the container; may end in %d, which is then a free number
  int index = 0;              // on the host, and in the container unless it was taken there
  std::string hardware = {};  // its address: by it the device is known again
  bool was_up = false;
  std::vector<Address> addresses = {};  // permanent and global ones, before the move
  bool operator==(const MovedDevice&) const = default;
};

class MovedDevices : public NetworkStrategy {
 public:
  explicit MovedDevices(const std::vector<spec::NetDevice>& wanted);
  // Of a record: only to release.
  explicit MovedDevices(std::vector<MovedDevice> devices) : devices_(std::move(devices)) {}

  // The devices exist on the host; their addresses are read, because a move takes them away.
  [[gnu::cold]] Result<> validate() override;
  [[gnu::cold]] Result<> attach(int network_namespace) override;
  [[gnu::cold]] Result<> release(int network_namespace) override;

  const std::vector<MovedDevice>& devices() const { return devices_; }

 private:
  std::vector<MovedDevice> devices_;
};

}  // namespace berth::network
