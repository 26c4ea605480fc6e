// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "berth/try.h"
#include "cli/log.h"
#include "cli/values.h"
#include "core/context.h"

namespace berth::cli {
namespace {

Result<std::string> absolute(std::string path) {
  if (path.empty() || path.front() == '/') return path;
  char* current = getcwd(nullptr, 0);
  if (current == nullptr) return system_error(errno, "current directory");
  path = std::string(current) + "/" + path;
  free(current);
  return path;
}

CgroupManagerKind cgroup_manager(const Arguments& globals) {
  auto name = globals.text("cgroup-manager");
  if (name == "disabled") return CgroupManagerKind::Disabled;
  bool systemd = name == "systemd" || globals.on("systemd-cgroup");
  return systemd ? CgroupManagerKind::Systemd : CgroupManagerKind::Filesystem;
}

Rootless rootless(const Arguments& globals) {
  auto text = globals.text("rootless");
  return text == "true" ? Rootless::Yes : text == "false" ? Rootless::No : Rootless::Auto;
}

}  // namespace

Result<FactoryOptions> factory_options(const Invocation& invocation) {
  const auto& globals = invocation.globals;
  auto root = globals.text("root");
  if (globals.given("root") && root.find_first_not_of('/') == std::string::npos) {
    return fail(ErrorKind::InvalidUse, "--root={}: name a directory other than /", root);
  }
  return FactoryOptions{
      .state_root = TRY(absolute(root)),
      .cgroup_manager = cgroup_manager(globals),
      .rootless = rootless(globals),
      .on_warning = [](const std::string& text) { log(LogLevel::Warning, text); }};
}

Result<Factory> open_factory(const Invocation& invocation) {
  return Factory::open(TRY(factory_options(invocation)));
}

Result<Container> find_container(const Invocation& invocation, size_t word) {
  auto factory = TRY(open_factory(invocation));
  auto id = invocation.arguments.word(word);
  auto container = factory.load(id);
  if (!container && container.error().kind() == ErrorKind::NotFound &&
      !container.error().message().contains("container does not exist")) {
    container.error().add_context("container does not exist");
  }
  return container;
}

Result<int> preserved_descriptors(const Arguments& arguments) {
  constexpr int64_t kMost = 1 << 20;  // more than any limit on open files
  if (!arguments.given("preserve-fds")) return 0;
  auto count =
      TRY(parse_integer(arguments.text("preserve-fds")) | context("option --preserve-fds"));
  if (count < 0 || count > kMost) {
    return fail(ErrorKind::InvalidUse, "option --preserve-fds: {} is out of range", count);
  }
  return static_cast<int>(count);
}

std::string notify_socket() {
  const char* path = getenv("NOTIFY_SOCKET");
  return path == nullptr ? std::string() : std::string(path);
}

Result<CreateOptions> create_options(const Invocation& invocation) {
  const Arguments& arguments = invocation.arguments;
  return CreateOptions{.bundle = arguments.text("bundle"),
                       .config_file = arguments.text("config"),
                       .console_socket = arguments.text("console-socket"),
                       .pid_file = arguments.text("pid-file"),
                       .pidfd_socket = arguments.text("pidfd-socket"),
                       .notify_socket = notify_socket(),
                       .no_pivot = arguments.on("no-pivot"),
                       .no_new_keyring = arguments.on("no-new-keyring"),
                       .preserve_fds = TRY(preserved_descriptors(arguments)),
                       .on_exposed = [argv = invocation.argv] { return protect_executable(argv); }};
}

}  // namespace berth::cli
