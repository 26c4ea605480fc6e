// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "network/firewall.h"
#include "network/ledger.h"
#include "plan/interface_plan.h"

// What an interface takes of the host, beside its devices: addresses, ports, rules. In the ledger
// before it is taken, so that it can be given back by somebody who was not there.
namespace berth::network {

// AlreadyExists at the plan's pointer: another container has published such a port, or a program
// of the host listens there.
[[gnu::cold]] Result<> check_ports(const Ledger& ledger, const plan::InterfacePlan& plan);

// Gives the plan its addresses and writes down what the interface will hold. names: whose it is,
// and what its devices are called.
[[gnu::cold]] Result<Holding> take(Ledger& ledger, Holding names, int host_socket,
                                   plan::InterfacePlan& plan);
// Makes the rules, and what the host must do for them.
[[gnu::cold]] Result<> translate(const Holding& holding, int host_socket,
                                 const plan::InterfacePlan& plan);

// Undoes it, and removes the end in the bridge and the bridge itself if that is made and unused.
// Not yet saved.
[[gnu::cold]] Result<> give_back(Ledger& ledger, Holding held, int host_socket);

}  // namespace berth::network
