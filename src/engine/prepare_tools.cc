// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/try.h"
#include "core/context.h"
#include "engine/entry.h"
#include "os/mount.h"
#include "plan/make_plan.h"

namespace berth::engine {
namespace {

constexpr uint64_t kAttributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
constexpr const char* kProgramFolders[] = {"bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin"};

Result<os::UniqueFd> clone_tools(const std::string& folder) {
  os::UniqueFd tools(os::clone_mount(AT_FDCWD, folder.c_str(), true));
  const int error = -tools.get();
  if (error == EPERM)
    return fail(ErrorKind::Unsupported, "tools are for who may mount: root of the host");
  if (!tools) return system_error(error, "open the tools {}", folder);
  struct stat status;
  if (::fstat(tools.get(), &status) < 0) return system_error(errno, "stat {}", folder);
  if (!S_ISDIR(status.st_mode))
    return fail(ErrorKind::InvalidUse, "the tools {} are no directory", folder);
  // What is mounted in them later is not to follow.
  int result = os::set_propagation(tools.get(), MS_PRIVATE | MS_REC);
  if (result == 0) result = os::set_attributes(tools.get(), kAttributes, 0, true);
  if (result < 0) return system_error(-result, "make the tools {} read-only", folder);
  return tools;
}

// "PATH=/mnt/bin:/mnt/usr/bin:" and what it was.
std::string path_variable(int tools, const std::string& place, std::string_view before) {
  std::string variable = "PATH=";
  for (const char* folder : kProgramFolders) {
    if (::faccessat(tools, folder, X_OK, 0) == 0) variable += formatted("/{}/{}:", place, folder);
  }
  if (variable == "PATH=") variable += formatted("/{}:", place);
  return variable + std::string(before);
}

// The slot of PATH in the environment, which the process fills in when it knows the place.
char** path_slot(std::vector<char*>& environment) {
  for (char*& variable : environment) {
    if (variable != nullptr && std::string_view(variable).starts_with("PATH=")) return &variable;
  }
  environment.insert(environment.begin(), nullptr);
  return environment.data();
}

}  // namespace

Result<> prepare_tools(Entry& entry) {
  const ProcessSpec& wanted = entry.wanted;
  if (wanted.tools.empty()) return {};
  entry.tools = TRY(clone_tools(wanted.tools));
  init::PreparedEnter& prepared = entry.prepared;
  const char* const before = prepared.process.path;
  entry.plan.tool_places = plan::plan_tool_places(wanted.tools_place);
  for (const plan::ToolPlace& place : entry.plan.tool_places)
    entry.tool_paths.push_back(
        path_variable(entry.tools.get(), place.path, before == nullptr ? "" : before));
  for (std::string& variable : entry.tool_paths) prepared.tool_paths.push_back(variable.data());
  prepared.path_slot = path_slot(prepared.process.envp);
  prepared.tools = entry.tools.get();
  return {};
}

}  // namespace berth::engine
