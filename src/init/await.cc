// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <unistd.h>

#include "init/step.h"

namespace berth::init {

StepResult await_host(InitContext& init) {
  if (!init.prepared.host_work) return {};
  return init.process.host.namespaces_ready();
}

// After Ready the host writes the record. Then either it says Start (run), or `start` opens the
// gate from another process.
StepResult await_start(InitContext& init) {
  if (TRY(init.process.host.ready())) return {};
  ::close(init.process.host.fd());
  char byte;
  ssize_t size;
  do {
    size = ::read(init.prepared.gate, &byte, 1);
  } while (size < 0 && errno == EINTR);
  if (size != 1) return failure(Step::AwaitStart, size < 0 ? errno : EPIPE);
  return {};
}

}  // namespace berth::init
