// SPDX-License-Identifier: Apache-2.0
#include "os/program.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "berth/try.h"
#include "core/context.h"
#include "os/file.h"

namespace berth::os {
namespace {

// As shells have it.
constexpr int kCannotRun = 126;
constexpr int kNotFound = 127;
constexpr size_t kMaxOutput = 16UL << 20;
constexpr size_t kMaxErrors = 4096;

std::string read_beginning(int file, size_t limit) {
  struct stat status{};
  (void)::fstat(file, &status);
  std::string text(std::min(limit, static_cast<size_t>(status.st_size)), '\0');
  size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t size =
        ::pread(file, text.data() + filled, text.size() - filled, static_cast<off_t>(filled));
    if (size <= 0) break;
    filled += static_cast<size_t>(size);
  }
  text.resize(filled);
  return text;
}

// The child of a program that may have many threads: up to its execve it allocates nothing.
[[noreturn]] void become(char* const* words, char* const* environment, const int (&files)[3]) {
  reset_signals();
  for (int number = 0; number < 3; ++number) {
    if (::dup2(files[number], number) < 0) ::_exit(kCannotRun);
  }
  ::execvpe(words[0], words, environment);
  ::_exit(errno == ENOENT ? kNotFound : kCannotRun);
}

}  // namespace

Result<UniqueFd> memory_file(const char* name, std::string_view text) {
  UniqueFd file(::memfd_create(name, MFD_CLOEXEC));
  if (!file) return system_error(errno, "make a memory file");
  TRY(write_all(file.get(), text));
  if (::lseek(file.get(), 0, SEEK_SET) < 0) return system_error(errno, "make a memory file");
  return file;
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> list;
  list.reserve(words.size() + 1);
  for (const std::string& word : words) list.push_back(const_cast<char*>(word.c_str()));
  list.push_back(nullptr);
  return list;
}

void reset_signals() {
  for (int number = 1; number < NSIG; ++number) (void)::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
}

Result<ProgramEnd> run_program(const ProgramCall& call) {
  const UniqueFd input = TRY(memory_file("input", call.input));
  const UniqueFd output = TRY(memory_file("output", {}));
  const UniqueFd errors = TRY(memory_file("errors", {}));
  const std::vector<char*> words = pointers(call.words);
  const std::vector<char*> own =
      call.environment == nullptr ? std::vector<char*>() : pointers(*call.environment);
  char* const* const environment = call.environment == nullptr ? environ : own.data();
  int pidfd = -1;
  const pid_t pid = clone_child({}, &pidfd);
  if (pid == 0) become(words.data(), environment, {input.get(), output.get(), errors.get()});
  if (pid < 0) return system_error(-pid, "start {}", call.words.front());
  ChildProcess child(pid, UniqueFd(pidfd));
  ProgramEnd end{.status = TRY(child.wait())};
  if (end.status.code == kNotFound)
    return fail(ErrorKind::Unsupported, "there is no program {}", call.words.front());
  if (end.status.code == kCannotRun)
    return fail(ErrorKind::System, "{} cannot be run", call.words.front());
  end.output = read_beginning(output.get(), kMaxOutput);
  end.errors = read_beginning(errors.get(), kMaxErrors);
  while (!end.errors.empty() && end.errors.back() == '\n') end.errors.pop_back();
  return end;
}

}  // namespace berth::os
