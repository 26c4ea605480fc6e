// SPDX-License-Identifier: Apache-2.0
#include "engine/lint_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "berth/try.h"
#include "core/format.h"
#include "engine/gather_facts.h"
#include "engine/probe_kernel.h"
#include "os/file.h"
#include "os/path.h"
#include "plan/lint_rules.h"
#include "spec/paths.h"
#include "spec/seccomp_names.h"
#include "spec/validate.h"

namespace berth::engine {
namespace {

constexpr size_t kLargeFile = 65536;
// What is mounted below them brings no program.
constexpr std::string_view kWithoutPrograms[] = {"/dev", "/proc", "/sys", "/etc", "/run", "/tmp"};

bool is_missing(int error) { return error == ENOENT || error == ENOTDIR; }

bool exists(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 || !is_missing(errno);
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(" \t\n"), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::vector<std::string> words_in(const std::string& path) {
  const Result<std::string> text = os::read_file_at(AT_FDCWD, path.c_str(), kLargeFile);
  return text ? words_of(*text) : std::vector<std::string>();
}

// "Character devices:", lines of "MAJOR NAME", "Block devices:", lines again.
void gather_drivers(plan::LintFacts& facts) {
  std::vector<int64_t>* list = nullptr;
  for (const std::string& word : words_in("/proc/devices")) {
    if (word == "Character") list = &facts.character_drivers;
    if (word == "Block") list = &facts.block_drivers;
    int64_t major = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), major);
    const bool is_number = error == std::errc() && end == word.data() + word.size();
    if (is_number && list != nullptr) list->push_back(major);
  }
}

void gather_controllers(plan::LintFacts& facts) {
  for (const plan::CgroupHierarchy& hierarchy : facts.host.hierarchies) {
    const std::vector<std::string> names =
        hierarchy.is_v2 ? words_in(hierarchy.mountpoint + "/cgroup.controllers")
                        : hierarchy.controllers;
    facts.controllers.insert(facts.controllers.end(), names.begin(), names.end());
  }
}

bool has_namespace(const spec::Namespace& wanted) {
  constexpr std::string_view kFiles[] = {"pid", "net",  "mnt",    "ipc",
                                         "uts", "user", "cgroup", "time"};
  if (!wanted.path.empty()) return exists(wanted.path);
  return exists(formatted("/proc/self/ns/{}", kFiles[static_cast<size_t>(wanted.type)]));
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

// A source inside of the container's root can be what an earlier mount brings.
bool has_source(const spec::Mount& mount, const std::string& root) {
  return !plan::is_bind(mount) || !mount.source.starts_with('/') || is_below(mount.source, root) ||
         exists(mount.source);
}

// Network sysctls come and go with interfaces and modules.
bool has_sysctl(const std::string& key) {
  const std::string path = spec::sysctl_path(key);
  return path.empty() || path.starts_with("net/") || exists("/proc/sys/" + path);
}

void gather_hooks(const std::vector<spec::Hook>& hooks, std::string_view kind,
                  plan::LintFacts& facts) {
  for (size_t i = 0; i < hooks.size(); ++i) {
    if (::faccessat(AT_FDCWD, hooks[i].path.c_str(), X_OK, AT_EACCESS) == 0) continue;
    struct stat status;
    const bool denied = ::stat(hooks[i].path.c_str(), &status) < 0 && !is_missing(errno);
    if (!denied) facts.missing_hooks.push_back(formatted("/hooks/{}/{}/path", kind, i));
  }
}

// startContainer's are programs of the container.
void gather_all_hooks(const spec::Hooks& hooks, plan::LintFacts& facts) {
  gather_hooks(hooks.prestart, "prestart", facts);
  gather_hooks(hooks.create_runtime, "createRuntime", facts);
  gather_hooks(hooks.create_container, "createContainer", facts);
  gather_hooks(hooks.poststart, "poststart", facts);
  gather_hooks(hooks.poststop, "poststop", facts);
}

bool can_bring_programs(const spec::Mount& mount) {
  const std::string target = spec::cleaned_path(mount.destination);
  return std::ranges::none_of(kWithoutPrograms,
                              [&](std::string_view each) { return is_below(target, each); });
}

bool has_file(int root, const std::string& path) {
  const os::UniqueFd file(os::RootDir(root).open(path.c_str()));
  struct stat status;
  if (!file) return !is_missing(-file.get());
  return ::fstat(file.get(), &status) < 0 || !S_ISDIR(status.st_mode);
}

std::string path_of(const spec::Process& process) {
  std::string path;
  for (const std::string& variable : process.env) {
    if (variable.starts_with("PATH=")) path = variable.substr(5);
  }
  return path;
}

bool has_program(const spec::Spec& spec, int root) {
  if (!spec.process || spec.process->args.empty()) return true;
  if (std::ranges::any_of(spec.mounts, can_bring_programs)) return true;
  const std::string& name = spec.process->args.front();
  if (name.starts_with('/')) return has_file(root, name);
  if (name.contains('/')) return has_file(root, spec.process->cwd + "/" + name);
  const std::string path = path_of(*spec.process);
  for (std::string_view rest = path; !rest.empty();) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
    if (has_file(root, formatted("{}/{}", folder.empty() ? spec.process->cwd : folder, name)))
      return true;
  }
  return false;
}

void gather_root(const spec::Spec& spec, const std::string& path, plan::LintFacts& facts) {
  const os::UniqueFd root(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  facts.root_exists = root || !is_missing(errno);
  if (root) facts.program_exists = has_program(spec, root.get());
}

}  // namespace

Result<plan::LintFacts> gather_lint_facts(const spec::Spec& spec, const std::string& bundle) {
  plan::LintFacts facts{.host = TRY(gather_facts())};
  pretend_root(facts.host);
  const std::string root = spec.root ? spec.root->path : "";
  const std::string path = root.starts_with('/') ? root : bundle + "/" + root;
  gather_root(spec, path, facts);
  for (const spec::Mount& mount : spec.mounts)
    facts.mount_sources.push_back(has_source(mount, path));
  for (const spec::Namespace& wanted : spec.platform.namespaces)
    facts.namespaces.push_back(has_namespace(wanted));
  for (const spec::NetDevice& device : spec.platform.net_devices)
    facts.net_devices.push_back(exists("/sys/class/net/" + device.host_name));
  for (const auto& [key, value] : spec.platform.sysctl) facts.sysctls.push_back(has_sysctl(key));
  gather_all_hooks(spec.hooks, facts);
  facts.filesystems = words_in("/proc/filesystems");
  gather_controllers(facts);
  gather_drivers(facts);
  for (const json::Name& flag : spec::seccomp_flags()) {
    if (kernel_has_seccomp_flag(static_cast<unsigned>(flag.value)))
      facts.seccomp_flags.emplace_back(flag.text);
  }
  facts.has_resctrl = exists("/sys/fs/resctrl/schemata");
  return facts;
}

}  // namespace berth::engine
