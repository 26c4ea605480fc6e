// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "berth/events.h"
#include "engine/container_inner.h"

namespace berth::engine {

// The text of exit.json and back. What can not be read is no record.
std::optional<ExitRecord> parse_exit(std::string_view json);

// exit.json, if somebody has written it.
Result<std::optional<ExitRecord>> read_exit(const StateDir& directory);

// What the cgroup says of a container whose first process has ended: peaks and kills.
ExitRecord measure_end(const Record& record);

// Keeps the record unless one is kept that knows no less; returns the one that is kept then. A
// container that was deleted meanwhile keeps nothing: that is no error.
Result<ExitRecord> keep_exit(const StateDir& directory, ExitRecord record);

// Of a container whose first process has ended, by who has not seen it.
Result<ExitRecord> recall_exit(const StateDir& directory, const Snapshot& snapshot);

}  // namespace berth::engine
