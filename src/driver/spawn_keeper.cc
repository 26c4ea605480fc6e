// SPDX-License-Identifier: Apache-2.0
#include "driver/spawn_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "berth/try.h"
#include "core/context.h"
#include "driver/attachment_inner.h"
#include "driver/keeper_channel.h"
#include "os/file.h"
#include "os/socket.h"

namespace berth::driver {
namespace {

// Above all that the keeper gets, so that none is overwritten before it was copied.
constexpr int kSafe = 16;

constexpr const char* kInstalled = BERTH_INSTALLED_PROGRAM;

std::string own_program() {
  char path[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  const std::string_view name(path, size > 0 ? static_cast<size_t>(size) : 0);
  return name.substr(name.rfind('/') + 1) == "berth" ? std::string(name) : std::string();
}

std::string in_path() {
  const char* variable = ::getenv("PATH");
  std::string_view rest = variable == nullptr ? "" : variable;
  while (!rest.empty()) {
    const std::string_view directory = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(directory.size() + 1, rest.size()));
    const std::string path = std::string(directory) + "/berth";
    if (directory.starts_with('/') && ::access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

std::string_view manager_name(CgroupManagerKind kind) {
  if (kind == CgroupManagerKind::Systemd) return "systemd";
  return kind == CgroupManagerKind::Disabled ? "disabled" : "cgroupfs";
}

std::string_view rootless_name(Rootless rootless) {
  if (rootless == Rootless::Yes) return "true";
  return rootless == Rootless::No ? "false" : "auto";
}

std::vector<std::string> words_of(const KeeperCall& call) {
  const auto word = [](std::string_view name, std::string_view value) {
    return "--" + std::string(name) + "=" + std::string(value);
  };
  std::vector<std::string> words = {
      call.program,
      word("root", call.factory.state_root),
      word("cgroup-manager", manager_name(call.factory.cgroup_manager)),
      word("rootless", rootless_name(call.factory.rootless)),
      "__keep",
      word("bundle", call.bundle),
      word("streams", to_string(call.streams))};
  if (call.attach) words.emplace_back("--client");
  if (call.overlay) words.emplace_back("--overlay");
  if (call.remove_at_end) words.emplace_back("--remove");
  words.push_back(call.id);
  return words;
}

Result<os::UniqueFd> text_file(std::string_view text) {
  os::UniqueFd file(::memfd_create("config.json", MFD_CLOEXEC));
  if (!file) return system_error(errno, "memfd_create");
  TRY(os::write_all(file.get(), text));
  if (::lseek(file.get(), 0, SEEK_SET) < 0) return system_error(errno, "lseek");
  return file;
}

Result<os::UniqueFd> copy_above(int descriptor) {
  os::UniqueFd copy(::fcntl(descriptor, F_DUPFD_CLOEXEC, kSafe));
  if (!copy) return system_error(errno, "copy descriptor {}", descriptor);
  return copy;
}

// What becomes the keeper's descriptors 0 to 5, by index; empty: /dev/null for a standard stream.
struct Passed {
  os::UniqueFd files[kEnd] = {};
};

Result<> pass(Passed& passed, int index, int descriptor) {
  passed.files[index] = TRY(copy_above(descriptor));
  return {};
}

Result<> pass_streams(const KeeperCall& call, SpawnedKeeper& keeper, Passed& passed) {
  for (int number = 0; number < 3; ++number) {
    if (call.streams == Streams::Given) TRY(pass(passed, number, call.given[number]));
    if (call.streams != Streams::Pipes) continue;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0) return system_error(errno, "make a pipe");
    os::UniqueFd read(ends[0]), write(ends[1]);
    TRY(pass(passed, number, number == 0 ? read.get() : write.get()));
    keeper.ends[number] = std::move(number == 0 ? write : read);
  }
  return {};
}

Result<SpawnedKeeper> prepare(const KeeperCall& call, Passed& passed) {
  SpawnedKeeper keeper;
  auto [ours, its] = TRY(os::packet_pair());
  keeper.channel = std::move(ours);
  TRY(pass(passed, kChannel, its.get()));
  TRY(pass(passed, kConfig, TRY(text_file(call.config)).get()));
  if (call.attach) {
    auto [client, server] = TRY(os::packet_pair());
    keeper.client = std::move(client);
    TRY(pass(passed, kClient, server.get()));
  }
  TRY(pass_streams(call, keeper, passed));
  return keeper;
}

// posix_spawn_file_actions_t and posix_spawnattr_t, by their one user.
class SpawnSettings {
 public:
  explicit SpawnSettings(const Passed& passed) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    for (int number = 0; number < kEnd; ++number) {
      const int file = passed.files[number].get();
      if (file >= 0)
        ::posix_spawn_file_actions_adddup2(&actions_, file, number);
      else if (number < 3)
        ::posix_spawn_file_actions_addopen(&actions_, number, "/dev/null", O_RDWR, 0);
    }
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  Result<pid_t> spawn(const std::vector<std::string>& words) const {
    std::vector<char*> pointers;
    for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    pid_t pid = 0;
    const int problem =
        ::posix_spawn(&pid, pointers[0], &actions_, &attributes_, pointers.data(), environ);
    if (problem != 0) return system_error(problem, "execute {}", words[0]);
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

}  // namespace

Attachment take_client(SpawnedKeeper& keeper) {
  auto inner = std::make_unique<Attachment::Inner>();
  inner->socket = std::move(keeper.client);
  return Attachment(std::move(inner));
}

void await_keeper(SpawnedKeeper& keeper) {
  (void)::shutdown(keeper.channel.get(), SHUT_WR);
  await_end(keeper.channel.get());
  keeper.channel.reset();
}

Result<std::string> find_program(const std::string& wanted) {
  std::string program = wanted.empty() ? own_program() : wanted;
  if (program.empty() && ::access(kInstalled, X_OK) == 0) program = kInstalled;
  if (program.empty()) program = in_path();
  if (program.starts_with('/') && ::access(program.c_str(), X_OK) == 0) return program;
  return fail(ErrorKind::NotFound,
              "the berth command, which keeps each box: {} (DriverOptions::program)",
              program.empty() ? "it is not installed" : program + " cannot be executed");
}

Result<SpawnedKeeper> spawn_keeper(const KeeperCall& call) {
  Passed passed;
  SpawnedKeeper keeper = TRY(prepare(call, passed));
  const SpawnSettings settings(passed);
  const pid_t pid = TRY(settings.spawn(words_of(call)));
  // It forks, so that the keeper is nobody's child, and ends. The caller may reap all its children.
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
  return keeper;
}

}  // namespace berth::driver
