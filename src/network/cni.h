// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "berth/error.h"
#include "plan/interface_plan.h"

// Interfaces that the plugins of a CNI network make: programs of others, which are run as its
// specification says (sections 2 to 4).
namespace berth::network {

struct CniInterface {
  std::string state = {};      // the container's directory, whose last part is its id
  std::string name = {};       // in the container
  int network_namespace = -1;  // -1: it has ended
};

// The network is there, its plugins are, and they can do what is asked.
[[gnu::cold]] Result<> check_cni(const CniInterface& interface, const plan::InterfacePlan& plan);
// ADD, in the order of the list. What was asked for is in the container's directory before, the
// plugins' result after.
[[gnu::cold]] Result<> add_cni(const CniInterface& interface, const plan::InterfacePlan& plan);
// DEL, in reverse, of what the container's directory knows, all of it even when a plugin fails:
// then it can be repeated.
[[gnu::cold]] Result<> remove_cni(const CniInterface& interface);
// What the plugins answered, as JSON; empty: there is nothing.
[[gnu::cold]] std::string cni_result(const CniInterface& interface);

}  // namespace berth::network
