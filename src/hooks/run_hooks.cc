// SPDX-License-Identifier: Apache-2.0
#include "hooks/run_hooks.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "berth/try.h"
#include "core/context.h"
#include "core/signal_words.h"
#include "hooks/spawn_hook.h"
#include "os/program.h"

namespace berth::hooks {
namespace {

constexpr size_t kMaxOutput = 4096;

std::string read_output(int file) {
  std::string text(kMaxOutput, '\0');
  const ssize_t size = ::pread(file, text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<size_t>(size) : 0);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Result<os::UniqueFd> make_alarm(const plan::HookItem& hook) {
  if (!hook.timeout_seconds) return os::UniqueFd();
  os::UniqueFd late(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!late) return system_error(errno, "make an eventfd");
  return late;
}

bool has_rung(const os::UniqueFd& late) {
  uint64_t count = 0;
  return late && ::read(late.get(), &count, sizeof count) == sizeof count;
}

Result<> run_hook(const plan::HookItem& hook, std::string_view state,
                  const std::string& directory) {
  const os::UniqueFd input = TRY(os::memory_file("state", state));
  const os::UniqueFd output = TRY(os::memory_file("hook", {}));
  const os::UniqueFd late = TRY(make_alarm(hook));
  os::ChildProcess child =
      TRY(spawn_hook({hook, directory, input.get(), output.get(), late.get()}));
  const os::WaitStatus status = TRY(child.wait());
  if (has_rung(late)) {
    return fail(ErrorKind::System, "hook {} did not end within {} s: {}", hook.path,
                *hook.timeout_seconds, read_output(output.get()));
  }
  if (status.signal != 0) {
    return fail(ErrorKind::System, "hook {} was killed by {}: {}", hook.path,
                signal_words(status.signal), read_output(output.get()));
  }
  if (status.code != 0) {
    return fail(ErrorKind::System, "hook {} failed with exit status {}: {}", hook.path, status.code,
                read_output(output.get()));
  }
  return {};
}

}  // namespace

Result<> run_hooks(std::span<const plan::HookItem> hooks, std::string_view state,
                   const std::string& directory) {
  for (const plan::HookItem& hook : hooks)
    TRY(run_hook(hook, state, directory) | context("error running hook") | at(hook.pointer));
  return {};
}

}  // namespace berth::hooks
