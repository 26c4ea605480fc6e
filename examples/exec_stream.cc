// SPDX-License-Identifier: Apache-2.0
// A command in a running container; what it writes is passed on line by line with a prefix, as it
// comes. The pipe is given to that one process: nothing of ours is changed for it, so that other
// threads may do the same.
//   exec_stream STATE_ROOT ID COMMAND...
#include <berth/factory.h>
#include <berth/try.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

namespace {

void stream(int from) {
  std::string line;
  char buffer[4096];
  ssize_t size;
  while ((size = ::read(from, buffer, sizeof buffer)) > 0) {
    for (const char letter : std::string_view(buffer, static_cast<size_t>(size))) {
      line += letter;
      if (letter != '\n') continue;
      std::printf("out: %s", line.c_str());
      line.clear();
    }
  }
  if (!line.empty()) std::printf("out: %s\n", line.c_str());
}

berth::Result<int> exec(const char* state_root, const char* id, std::vector<std::string> args) {
  const berth::Factory factory = TRY(berth::Factory::open({.state_root = state_root}));
  berth::Container container = TRY(factory.load(id));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0)
    return std::unexpected(berth::Error::system(errno, "make a pipe"));
  berth::Result<berth::Process> process =
      container.exec({.args = std::move(args), .streams = {-1, ends[1], ends[1]}});
  ::close(ends[1]);  // the process has its own: the pipe ends with it
  if (process) stream(ends[0]);
  ::close(ends[0]);
  return TRY(TRY(std::move(process)).wait()).shell_code();
}

}  // namespace

int main(int count, char** words) {
  if (count < 4) {
    std::fputs("usage: exec_stream STATE_ROOT ID COMMAND...\n", stderr);
    return 2;
  }
  const berth::Result<int> code = exec(words[1], words[2], {words + 3, words + count});
  if (code) return *code;
  std::fprintf(stderr, "exec_stream: %s\n", code.error().message().c_str());
  return 1;
}
