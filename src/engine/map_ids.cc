// SPDX-License-Identifier: Apache-2.0
#include "engine/map_ids.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <vector>

#include "berth/try.h"
#include "core/context.h"
#include "os/file.h"
#include "os/process.h"

namespace berth::engine {
namespace {

std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> words;
  for (size_t start = 0; (start = text.find_first_not_of(" \n", start)) != std::string::npos;) {
    const size_t end = text.find_first_of(" \n", start);
    words.push_back(text.substr(start, end - start));
    start = end == std::string::npos ? text.size() : end;
  }
  return words;
}

// newuidmap PID CONTAINER HOST SIZE...: setuid programs of the distribution that know /etc/subuid.
Result<> run_helper(const char* helper, pid_t process, const std::string& map) {
  std::vector<std::string> words{helper, std::to_string(process)};
  for (std::string& word : split_words(map)) words.push_back(std::move(word));
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int pidfd = -1;
  const pid_t pid = os::clone_child({}, &pidfd);
  if (pid == 0) {
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  if (pid < 0) return system_error(-pid, "start {}", helper);
  os::ChildProcess child(pid, os::UniqueFd(pidfd));
  const os::WaitStatus status = TRY(child.wait());
  if (status.code == 127)
    return fail(ErrorKind::Unsupported, "{} cannot be run: install it (package uidmap)", helper);
  if (status.code != 0 || status.signal != 0) {
    return fail(ErrorKind::System,
                "{} refused the map: are the ids in /etc/subuid and /etc/subgid?", helper);
  }
  return {};
}

}  // namespace

Result<> map_ids(const plan::IdPlan& plan, pid_t process) {
  if (plan.use_helpers) {
    TRY(run_helper("newuidmap", process, plan.uid_map) | at("/linux/uidMappings"));
    return run_helper("newgidmap", process, plan.gid_map) | at("/linux/gidMappings");
  }
  const std::string path = formatted("/proc/{}", process);
  const os::UniqueFd directory = TRY(os::open_at(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY));
  TRY(os::write_file_at(directory.get(), "uid_map", plan.uid_map) | at("/linux/uidMappings"));
  if (plan.deny_setgroups)
    TRY(os::write_file_at(directory.get(), "setgroups", "deny") | at("/linux/gidMappings"));
  return os::write_file_at(directory.get(), "gid_map", plan.gid_map) | at("/linux/gidMappings");
}

}  // namespace berth::engine
