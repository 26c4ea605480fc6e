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
  std::string link = {};       // Cni: the network's name
  std::string host_name = {};  // Bridge: of the end in the bridge
  std::string name = {};       // in the container
  bool operator==(const MadeInterface&) const = default;
};

class Interfaces : public NetworkStrategy {
 public:
  // state: the container's directory, whose last part is its id.
  Interfaces(std::string state, std::vector<plan::InterfacePlan> wanted)
      : state_(std::move(state)), wanted_(std::move(wanted)) {}
  // Of a record: only to release.
  Interfaces(std::string state, std::vector<MadeInterface> made)
      : state_(std::move(state)), made_(std::move(made)) {}

  // Their links are there, or can be made; the names of the ends outside are chosen.
  [[gnu::cold]] Result<> validate() override;
  [[gnu::cold]] Result<> attach(int network_namespace) override;
  // -1: those that only the container's namespace held are gone with it.
  [[gnu::cold]] Result<> release(int network_namespace) override;

  const std::vector<MadeInterface>& made() const { return made_; }

 private:
  Result<> attach_own(int network_namespace);
  Result<> release_own(int network_namespace);
  Result<> release_cni(int network_namespace);

  std::string state_;
  std::vector<plan::InterfacePlan> wanted_ = {};
  std::vector<MadeInterface> made_ = {};
};

// Gives back what containers have left that are gone without it, of the calling thread's namespace:
// the names of their devices, rules and addresses.
[[gnu::cold]] Result<std::vector<std::string>> remove_leftovers();

}  // namespace berth::network
