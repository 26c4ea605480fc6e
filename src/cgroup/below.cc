// SPDX-License-Identifier: Apache-2.0
#include "cgroup/below.h"

#include <errno.h>
#include <fcntl.h>

#include "berth/try.h"
#include "cgroup/counters.h"
#include "cgroup/writes.h"
#include "core/context.h"
#include "os/file.h"

namespace berth::cgroup {
namespace {

// As runc has it, for those who look for it. The 0 is what a process writes that enters.
constexpr const char* kAdding = "adding pid 0 to cgroups";

std::string full_path(const Directory& own, const std::string& path) {
  return own.full_path() + (path.empty() ? "" : "/" + path);
}

Result<os::UniqueFd> open_there(const Directory& own, const std::string& path, const char* file,
                                int flags) {
  const std::string relative = path.empty() ? file : path + "/" + file;
  Result<os::UniqueFd> opened = own.open_file(relative.c_str(), flags);
  if (opened || !is_missing(opened.error()) || path.empty()) return opened;
  return std::unexpected(Error(ErrorKind::System, ENOENT,
                               formatted("{}: open {}/cgroup.procs: no such file or directory",
                                         kAdding, full_path(own, path))));
}

std::string hint(const Directory& own, const Below& below, int error) {
  if (error == EBUSY) {
    return " (it gives controllers to cgroups in it, so that only those may hold processes: name "
           "one with --cgroup)";
  }
  if (error != EOPNOTSUPP) return {};
  const std::string file = (below.path().empty() ? "" : below.path() + "/") + "cgroup.type";
  return formatted(
      " (its cgroup.type is \"{}\", in which no process may be: name another with "
      "--cgroup)",
      trimmed(text_of(own, file)));
}

}  // namespace

Result<> Below::open(const Directory& own, const std::string& path) {
  path_ = path;
  fd_.reset();
  if (!path.empty()) fd_ = TRY(open_there(own, path, ".", O_RDONLY | O_DIRECTORY));
  return {};
}

int Below::fd(const Directory& own) const { return fd_ ? fd_.get() : own.fd().value_or(-1); }

Result<> Below::add(const Directory& own, pid_t process) const {
  const std::string text = formatted("{}", process);
  return fd_ ? os::write_file_at(fd_.get(), "cgroup.procs", text) : own.write("cgroup.procs", text);
}

Result<os::UniqueFd> open_tasks_below(const Directory& own, const std::string& path) {
  return open_there(own, path, "tasks", O_WRONLY);
}

std::optional<std::string> place_below(std::string_view membership, const Directory& own) {
  std::optional<std::string> found;
  for_each_line(membership, [&](std::string_view line) {
    if (!line.starts_with("0::")) return;
    line.remove_prefix(3);
    if (!line.starts_with(own.place().path)) return;
    line.remove_prefix(own.place().path.size());
    if (line.starts_with('/')) found = std::string(line.substr(1));
  });
  return found;
}

Error entry_error(const Directory& own, const Below& below, int error) {
  const std::string where = full_path(own, below.path());
  return Error(ErrorKind::System, error,
               formatted("{}: enter {}/cgroup.procs: {}{}", kAdding, where,
                         Error::system(error, {}).cause(), hint(own, below, error)));
}

std::unexpected<Error> unknown_controller(const std::string& controller) {
  return fail(ErrorKind::InvalidUse,
              "unknown controller {} in --cgroup: the container has no hierarchy of it",
              controller);
}

}  // namespace berth::cgroup
