// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>

#include "init/step.h"

namespace berth::init {
namespace {

using Name = char[16];

void write_name(int descriptor, Name& name) {
  *std::to_chars(name, name + sizeof name - 1, descriptor).ptr = '\0';
}

// Whether the door can be opened later by who this process is now. What the check itself is denied
// is left to the open.
StepResult check_door(EnterContext& enter) {
  if (enter.descriptors < 0) return {};
  Name name;
  write_name(enter.prepared.door, name);
  const long result = ::syscall(SYS_faccessat2, enter.descriptors, name, W_OK, AT_EACCESS);
  if (result < 0 && errno == EACCES) return failure(Step::AwaitStart, EACCES, -1, Action::OpenDoor);
  return {};
}

StepResult await_gate(int gate) {
  char byte;
  ssize_t size;
  do {
    size = ::read(gate, &byte, 1);
  } while (size < 0 && errno == EINTR);
  if (size != 1) return failure(Step::AwaitStart, size < 0 ? errno : EPIPE);
  if (::write(gate, &sync::kGateExecuting, 1) != 1) return failure(Step::AwaitStart, errno);
  return {};
}

// Until somebody has it open to read. Who closes it again without reading must not end us.
StepResult await_reader(EnterContext& enter) {
  Name name;
  write_name(enter.prepared.door, name);
  int door;
  do {
    door = ::openat(enter.descriptors, name, O_WRONLY | O_CLOEXEC);
  } while (door < 0 && errno == EINTR);
  if (door < 0) return failure(Step::AwaitStart, errno, -1, Action::OpenDoor);
  ::signal(SIGPIPE, SIG_IGN);
  (void)!::write(door, &sync::kGateOpened, 1);
  ::signal(SIGPIPE, SIG_DFL);
  return {};
}

}  // namespace

// A descriptor that only names a file (O_PATH) is opened by way of the host's /proc, which has to
// be reached before the container is entered.
StepResult find_door(EnterContext& enter) {
  if (enter.prepared.door < 0) return {};
  enter.descriptors = ::open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (enter.descriptors < 0) return failure(Step::AwaitStart, errno, -1, Action::OpenDoor);
  return {};
}

// After Ready the host says Start, at once or when the holder of the process wants it; or it
// leaves, and the process waits for somebody else.
StepResult await_go(EnterContext& enter) {
  TRY(check_door(enter));
  if (TRY(enter.process.host.ready())) return {};
  enter.alone = true;
  ::close(enter.process.host.fd());
  return enter.prepared.gate >= 0 ? await_gate(enter.prepared.gate) : await_reader(enter);
}

}  // namespace berth::init
