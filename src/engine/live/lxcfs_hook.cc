// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "berth/lxcfs.h"
#include "berth/try.h"
#include "core/context.h"
#include "json/value.h"
#include "os/file.h"
#include "spec/read_spec.h"

namespace berth {
namespace {

constexpr size_t kMaxConfig = 64UL << 20;

Result<std::string> text_of(const json::Value& state, std::string_view name) {
  const json::Value* const value = state.find(name);
  if (value != nullptr && value->kind == json::Value::Kind::String)
    return std::string(value->string());
  return fail(ErrorKind::InvalidUse, "the state has no {}: it is for hooks of an OCI runtime",
              name);
}

Result<pid_t> pid_of(const json::Value& state) {
  const json::Value* const value = state.find("pid");
  constexpr uint64_t kMost = 1 << 22;
  const bool is_pid = value != nullptr && value->kind == json::Value::Kind::Unsigned &&
                      value->unsigned_integer > 0 && value->unsigned_integer <= kMost;
  if (is_pid) return static_cast<pid_t>(value->unsigned_integer);
  return fail(ErrorKind::InvalidUse, "the state has no pid: the container does not run");
}

// Before pivot_root(2) its root is the host's.
Result<bool> is_pivoted(pid_t pid) {
  struct stat own;
  struct stat its;
  const std::string path = formatted("/proc/{}/root", pid);
  if (::stat("/", &own) < 0 || ::stat(path.c_str(), &its) < 0)
    return system_error(errno, "look at the root of process {}", pid);
  return own.st_dev != its.st_dev || own.st_ino != its.st_ino;
}

// As mountinfo shows it: without links.
Result<std::string> rootfs_of(const std::string& bundle) {
  const std::string config = bundle + "/config.json";
  const std::string text = TRY(os::read_file_at(AT_FDCWD, config.c_str(), kMaxConfig));
  const spec::Spec spec = TRY(spec::read_spec(text, spec::Detail::Effects));
  if (!spec.root) return fail(ErrorKind::InvalidConfig, "{} has no root", config);
  const std::string& path = spec.root->path;
  const std::string whole = path.starts_with('/') ? path : bundle + "/" + path;
  const std::unique_ptr<char, decltype(&::free)> plain(::realpath(whole.c_str(), nullptr), &::free);
  if (plain == nullptr) return system_error(errno, "find the root {}", whole);
  return std::string(plain.get());
}

}  // namespace

Result<RunningContainer> container_of_hook(std::string_view state) {
  const json::Document document = TRY(json::parse(state));
  if (document.root().kind != json::Value::Kind::Object)
    return fail(ErrorKind::InvalidUse, "the state is no object");
  RunningContainer container{.id = TRY(text_of(document.root(), "id")), .pid = TRY(pid_of(document.root()))};
  if (!TRY(is_pivoted(container.pid))) container.rootfs = TRY(rootfs_of(TRY(text_of(document.root(), "bundle"))));
  return container;
}

}  // namespace berth
