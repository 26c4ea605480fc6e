// SPDX-License-Identifier: Apache-2.0
// Runs the container of a bundle, waits for its end and deletes it. The program's streams are ours.
//   run_container STATE_ROOT BUNDLE ID
#include <berth/factory.h>
#include <berth/try.h>

#include <cstdio>

namespace {

berth::Result<int> run(const char* state_root, const char* bundle, const char* id) {
  berth::Factory factory = TRY(berth::Factory::open({.state_root = state_root}));
  berth::Started started = TRY(factory.run(id, {.bundle = bundle}));
  const berth::ExitStatus status = TRY(started.process.wait());
  TRY(started.container.destroy());
  return status.shell_code();
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) {
    std::fputs("usage: run_container STATE_ROOT BUNDLE ID\n", stderr);
    return 2;
  }
  const berth::Result<int> code = run(words[1], words[2], words[3]);
  if (code) return *code;
  std::fprintf(stderr, "run_container: %s\n", code.error().message().c_str());
  return 1;
}
