// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "berth/error.h"
#include "berth/process.h"

namespace [[gnu::visibility("default")]] berth {

// Whose limit made the kernel kill for want of memory.
enum class OomLimit : unsigned char {
  Unknown,    // no count rose that can be seen from here
  Container,  // the limit of the container's cgroup
  Inside,     // of a cgroup that the container has made in its own
  Above,      // of a cgroup that the container's is in
  Machine,    // of no cgroup: the machine had no memory left
};
// "container" and so on, as in the JSON.
std::string_view to_string(OomLimit limit);

// Who was killed.
struct OomVictim {
  pid_t pid = 0;            // in the machine's first pid namespace
  std::string name = {};    // as in /proc/PID/comm
  std::string cgroup = {};  // where it was
};

// Processes of the container's cgroup that the kernel has killed for want of memory.
struct OutOfMemory {
  uint64_t kills = 0;      // since the cgroup was made
  uint64_t new_kills = 0;  // since this was last told
  OomLimit limit = OomLimit::Unknown;
  std::string cgroup = {};              // whose limit; empty: not known, or the machine's
  std::vector<OomVictim> victims = {};  // those whom the kernel's log names, where it can be read

  // As `berth events` prints it, in one line.
  std::string to_json() const;
};

// How a container's first process ended, and what the container had used by then. Kept beside the
// container's record until it is deleted, once somebody has seen the end.
struct ExitRecord {
  std::string id = {};
  std::optional<ExitStatus> exit = {};  // nullopt: nobody who could know was watching
  std::optional<OutOfMemory> oom = {};  // when there were kills
  bool counted = false;       // its cgroup was still there: no kills means that there were none
  std::string created = {};   // RFC 3339, UTC
  std::string started = {};   // the same; empty: its program never ran
  std::string finished = {};  // when the end was seen; empty: nobody saw it
  // Of the cgroup. nullopt: not counted there, or the cgroup is gone.
  std::optional<uint64_t> memory_peak_bytes = {};
  std::optional<uint64_t> cpu_ns = {};
  std::optional<uint64_t> pids_peak = {};

  // As `berth wait --format json` prints it, in one line.
  std::string to_json() const;
};

// Whatever a stream tells.
using Event = std::variant<OutOfMemory, ExitRecord>;

// What happens to one container, from the moment it was opened. It waits for nothing by itself: its
// descriptor goes into the caller's own poll loop.
class EventStream {
 public:
  EventStream(EventStream&&) noexcept;
  EventStream& operator=(EventStream&&) noexcept;
  ~EventStream();

  // Readable when there may be something to tell. Owned by the stream.
  int fd() const;
  // The next event, or nullopt when there is none now. The ExitRecord is the last one.
  Result<std::optional<Event>> next();

  struct Inner;
  explicit EventStream(std::unique_ptr<Inner> inner);

 private:
  std::unique_ptr<Inner> inner_;
};

}  // namespace berth
