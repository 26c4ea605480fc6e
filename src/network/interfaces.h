// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "network/strategy.h"
#include "plan/interface_plan.h"

// Interfaces that are made for a container: docs/networking.md.
namespace berth::network {

// What must be known to remove an interface, also after a crash: kept in the container's record.
struct MadeInterface {
  Interface::Kind kind = Interface::Kind::Bridge;
  std::string link = {};
  bool made_link = false;      // the link goes with its last user
  std::string host_name = {};  // Bridge: of the end in the bridge
  std::string name = {};       // in the container
  bool operator==(const MadeInterface&) const = default;
};

class Interfaces : public NetworkStrategy {
 public:
  Interfaces(std::string id, std::vector<plan::InterfacePlan> wanted)
      : id_(std::move(id)), wanted_(std::move(wanted)) {}
  // Of a record: only to release.
  Interfaces(std::string id, std::vector<MadeInterface> made)
      : id_(std::move(id)), made_(std::move(made)) {}

  // Their links are there, or can be made; the names of the ends outside are chosen.
  [[gnu::cold]] Result<> validate() override;
  [[gnu::cold]] Result<> attach(int network_namespace) override;
  // -1: those that only the container's namespace held are gone with it.
  [[gnu::cold]] Result<> release(int network_namespace) override;

  const std::vector<MadeInterface>& made() const { return made_; }

 private:
  std::string id_;
  std::vector<plan::InterfacePlan> wanted_ = {};
  std::vector<MadeInterface> made_ = {};
};

// Devices of the calling thread's namespace say by this whose they are.
std::string alias_of(const std::string& id);

}  // namespace berth::network
