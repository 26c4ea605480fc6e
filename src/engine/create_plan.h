// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "engine/creation.h"

namespace berth::engine {

// The bundle's directory as an absolute path, and the text of the config that the options name.
Result<std::string> find_bundle(const CreateOptions& options);
Result<std::string> read_config(const CreateOptions& options, const std::string& bundle);

// Reads the config that the options name, checks it and plans it: the first half of create, which
// touches nothing.
Result<> plan_creation(std::string_view id, Creation& creation);

// What the caller asks to be kept open: counted from 3 up, behind the sockets that are. One that is
// not open would become one of ours by chance, and lead to the host. (Ours are close-on-exec, what
// a caller hands on is not.)
Result<> check_preserved(int count, int sockets);

// The plan that a container had.
Result<plan::Plan> plan_of_record(const Record& record, std::string_view config);

// The caller's window, unless the process says its size itself: before the program can ask.
void set_window(const std::function<WindowSize()>& window, spec::Process& process);

// After the program runs. A failure stops and removes nothing by itself: init is killed, the error
// says so.
Result<> run_poststart(const Record& record, std::string_view config, int init);
// After the container is gone; a failure is no error, but warned of (config.md, "Poststop").
void run_poststop(const Record& record, std::string_view config,
                  const std::function<void(const std::string&)>& on_warning);

}  // namespace berth::engine
