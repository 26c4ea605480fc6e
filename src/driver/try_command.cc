// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdlib>

#include "berth/driver.h"

namespace berth {
namespace {

bool is_below(std::string_view path, std::string_view directory) {
  return path == directory || (path.starts_with(directory) && path[directory.size()] == '/');
}

// A private directory is mounted here, so it must be a plain absolute path of its own.
std::string home_directory() {
  const char* home = getenv("HOME");
  std::string_view path = home == nullptr ? "" : home;
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  for (auto system : {"/proc", "/sys", "/dev"}) {
    if (is_below(path, system)) path = "";
  }
  bool plain =
      path.starts_with('/') && path != "/" && !path.contains("/../") && !path.ends_with("/..");
  return plain ? std::string(path) : "/root";
}

// Where the caller is, unless a private directory will cover it.
std::string working_directory(const std::string& home) {
  char* current = getcwd(nullptr, 0);
  std::string path = current == nullptr || current[0] != '/' ? "/" : current;
  free(current);
  for (std::string_view covered :
       {std::string_view(home), std::string_view("/tmp"), std::string_view("/run"),
        std::string_view("/dev"), std::string_view("/proc"), std::string_view("/sys")}) {
    if (is_below(path, covered)) return home;
  }
  return path;
}

// Of the caller's environment only what makes output readable: the rest may hold secrets.
std::vector<std::string> environment_of_try(const std::string& home) {
  std::vector<std::string> variables = {"HOME=" + home, "container=berth"};
  for (const char* name : {"TERM", "COLORTERM", "LANG", "LC_ALL", "TZ"}) {
    const char* value = getenv(name);
    if (value != nullptr) variables.push_back(std::string(name) + "=" + value);
  }
  return variables;
}

}  // namespace

Command try_command(const std::vector<std::string>& args, bool terminal) {
  const std::string home = home_directory();
  return {.args = args,
          .env = environment_of_try(home),
          .cwd = working_directory(home),
          .hostname = "berth-try",
          .terminal = terminal,
          .no_new_privileges = true,
          .mounts = {{.source = "tmpfs",
                      .destination = home,
                      .type = "tmpfs",
                      .options = {"nosuid", "nodev", "mode=700"}}}};
}

}  // namespace berth
