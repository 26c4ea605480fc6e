// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "berth/factory.h"
#include "cli/options.h"

namespace berth::cli {

// What the global options ask for.
Result<FactoryOptions> factory_options(const Invocation& invocation);
Result<Factory> open_factory(const Invocation& invocation);

// The container named by the first word, or another; fails with "container does not exist".
Result<Container> find_container(const Invocation& invocation, size_t word = 0);

// --preserve-fds, 0 when it is not given.
Result<int> preserved_descriptors(const Arguments& arguments);

// $NOTIFY_SOCKET: the service manager that waits for this program; empty when none does.
std::string notify_socket();

// The options that create and run share.
Result<CreateOptions> create_options(const Invocation& invocation);

}  // namespace berth::cli
