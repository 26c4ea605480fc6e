// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "berth/try.h"
#include "core/context.h"
#include "engine/entry.h"
#include "engine/executed.h"
#include "engine/gate.h"
#include "os/file.h"

namespace berth::engine {

HeldGate::~HeldGate() {
  if (directory_ != nullptr) directory_->remove_gate(name_);
}

// The process inherits it, so that it is made before there is a pid to name it by.
Result<> HeldGate::make(const StateDir& directory) {
  uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number)
    return system_error(errno, "get a random number");
  name_ = formatted("held.new.{}", number);
  directory_ = &directory;
  fd_ = TRY(directory.make_gate(name_));
  return {};
}

Result<> HeldGate::name_for(pid_t pid) {
  const std::optional<uint64_t> started = os::start_time(pid);
  if (!started) return ended_early(pid);
  const std::string name = gate_of(pid, *started);
  TRY(directory_->rename_gate(name_, name));
  name_ = name;
  return {};
}

Result<> prepare_hold(const StateDir& directory, Entry& entry) {
  const std::string& fifo = entry.wanted.wait_fifo;
  if (entry.wanted.hold != Hold::None && !fifo.empty())
    return fail(ErrorKind::InvalidUse, "a process is held in one way only: --hold or a FIFO");
  if (entry.wanted.hold == Hold::Container) TRY(entry.gate.make(directory));
  entry.prepared.gate = entry.gate.fd();
  if (fifo.empty()) return {};
  entry.door = TRY(os::open_at(AT_FDCWD, fifo.c_str(), O_PATH) | context("open the FIFO"));
  struct stat status;
  if (::fstat(entry.door.get(), &status) < 0) return system_error(errno, "stat {}", fifo);
  if (!S_ISFIFO(status.st_mode))
    return fail(ErrorKind::InvalidUse, "{} is no FIFO: make one with mkfifo", fifo);
  entry.prepared.door = entry.door.get();
  return {};
}

}  // namespace berth::engine
