// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "spec/spec.h"

namespace berth::json {
class Writer;
}

namespace berth::spec {

// The state of a container as programs read it (runtime.md, "State", with the usual additions).
struct State {
  std::string oci_version = {};
  std::string id = {};
  int pid = 0;              // 0 when stopped
  std::string status = {};  // "creating", "created", "running", "paused", "stopped"
  std::string bundle = {};
  std::string rootfs = {};
  std::string created = {};  // RFC 3339 with nanoseconds, UTC
  StringMap annotations = {};
  std::string owner = {};
  bool operator==(const State&) const = default;
};

// `berth state`: two spaces a level, members in the usual order.
std::string state_json(const State& state);
// One element of `berth list`.
void write_state(json::Writer& writer, const State& state);

// What a hook gets on its standard input: compact, members of runtime.md only, plus "root" as the
// field sends it.
std::string hook_state_json(const State& state);

// What goes with the descriptor of a seccomp listener (config-linux.md, "The Container Process
// State").
std::string seccomp_state_json(const State& state, int process_pid, std::string_view metadata);

}  // namespace berth::spec
