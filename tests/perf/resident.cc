// SPDX-License-Identifier: Apache-2.0
// An engine that stays and uses libberth: what is saved by not starting a program for each
// operation. A packet is a request, one word a line; the answer is one byte, the status.
//   create ID BUNDLE
//   exec ID COMMAND...
#include <berth/factory.h>
#include <berth/try.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Words = std::vector<std::string>;

Words split(std::string_view text) {
  Words words;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

class Engine {
 public:
  explicit Engine(berth::Factory factory) : factory_(std::move(factory)) {}

  berth::Result<int> answer(const Words& words) {
    if (words.size() == 3 && words[0] == "create") return create(words[1], words[2]);
    if (words.size() >= 3 && words[0] == "exec") return exec(words);
    return 2;
  }

 private:
  berth::Result<int> create(const std::string& id, const std::string& bundle) {
    TRY(factory_.create(id, {.bundle = bundle}));
    return 0;
  }
  berth::Result<int> exec(const Words& words) {
    berth::Container container = TRY(factory_.load(words[1]));
    berth::Process process = TRY(container.exec({.args = {words.begin() + 2, words.end()}}));
    return TRY(process.wait()).shell_code();
  }

  berth::Factory factory_;
};

int listen_at(const char* path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  const int listener = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  const auto* place = reinterpret_cast<const sockaddr*>(&address);
  if (listener < 0 || ::bind(listener, place, sizeof address) < 0 || ::listen(listener, 4) < 0)
    return -1;
  return listener;
}

void serve(Engine& engine, int client) {
  char packet[4096];
  ssize_t size;
  while ((size = ::read(client, packet, sizeof packet)) > 0) {
    const berth::Result<int> done = engine.answer(split({packet, static_cast<size_t>(size)}));
    if (!done) std::fprintf(stderr, "resident: %s\n", done.error().message().c_str());
    const auto status = static_cast<char>(done.value_or(1));
    if (::write(client, &status, 1) != 1) return;
    // The first processes of containers that somebody else has deleted.
    while (::waitpid(-1, nullptr, WNOHANG) > 0) continue;
  }
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::fputs("usage: resident STATE_ROOT SOCKET\n", stderr);
    return 2;
  }
  if (const berth::Result<> copied = berth::protect_executable(words); !copied) {
    std::fprintf(stderr, "resident: %s\n", copied.error().message().c_str());
    return 1;
  }
  berth::Result<berth::Factory> factory = berth::Factory::open({.state_root = words[1]});
  const int listener = listen_at(words[2]);
  if (!factory || listener < 0) {
    std::perror("resident");
    return 1;
  }
  std::puts("ready");
  std::fflush(stdout);
  Engine engine(std::move(*factory));
  for (;;) {
    const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return 1;
    serve(engine, client);
    ::close(client);
  }
}
