// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/values.h"
#include "core/context.h"

namespace berth::cli {
namespace {

std::string json(const std::vector<pid_t>& pids) {
  std::string text;
  for (pid_t pid : pids) text += formatted("{}{}", text.empty() ? "" : ",", pid);
  return "[" + text + "]\n";
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    auto start = line.find_first_not_of(" \t");
    if (start == std::string_view::npos) return words;
    auto end = std::min(line.find_first_of(" \t", start), line.size());
    words.push_back(line.substr(start, end - start));
    line.remove_prefix(end);
  }
}

std::string_view take_line(std::string_view& text) {
  auto end = std::min(text.find('\n'), text.size());
  auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// The header and the rows whose PID is one of ours.
Result<std::string> filtered(std::string_view listing, const std::vector<pid_t>& pids) {
  auto header = take_line(listing);
  auto columns = words_of(header);
  auto column = static_cast<size_t>(std::ranges::find(columns, "PID") - columns.begin());
  if (column == columns.size()) {
    return fail(ErrorKind::InvalidUse, "the output of ps has no PID column: {}", header);
  }
  auto text = std::string(header) + '\n';
  while (!listing.empty()) {
    auto line = take_line(listing);
    auto words = words_of(line);
    if (words.size() <= column) continue;
    auto pid = TRY(parse_integer(words[column]) | context("PID column of ps"));
    if (std::ranges::find(pids, pid) != pids.end()) text += std::string(line) + '\n';
  }
  return text;
}

Result<std::string> read_to_end(int descriptor) {
  std::string text;
  char buffer[4096];
  while (true) {
    ssize_t count = read(descriptor, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error(errno, "read the output of ps");
    if (count == 0) return text;
    text.append(buffer, static_cast<size_t>(count));
  }
}

Result<pid_t> spawn_ps(std::vector<std::string> arguments, int output) {
  arguments.insert(arguments.begin(), "ps");
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  pid_t pid = 0;
  int problem = posix_spawnp(&pid, "ps", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (problem != 0) return system_error(problem, "run the host's ps");
  return pid;
}

Result<std::string> listing_of_host(std::vector<std::string> arguments) {
  if (arguments.empty()) arguments = {"-ef"};
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return system_error(errno, "pipe");
  auto child = spawn_ps(std::move(arguments), ends[1]);
  close(ends[1]);
  auto text = child ? read_to_end(ends[0]) : std::string();
  close(ends[0]);
  pid_t pid = TRY(std::move(child));
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) return fail(ErrorKind::System, "the host's ps failed (wait status {})", status);
  return text;
}

}  // namespace

Result<int> run_ps(const Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  auto container = TRY(find_container(invocation));
  auto pids = TRY(container.processes());
  if (arguments.text("format") == "json") {
    TRY(print(json(pids)));
    return 0;
  }
  auto listing = TRY(listing_of_host(arguments.words_from(1)));
  TRY(print(TRY(filtered(listing, pids))));
  return 0;
}

}  // namespace berth::cli
