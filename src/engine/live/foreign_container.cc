// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>

#include "berth/container.h"
#include "berth/running.h"
#include "berth/try.h"
#include "core/context.h"
#include "engine/container_inner.h"
#include "json/write.h"
#include "os/process.h"

namespace berth {

// A record of ours stands for what another runtime knows of it.
struct [[gnu::visibility("hidden")]] ForeignContainer::Inner {
  engine::Record record;
  std::string config;
  Container container;

  Result<> make_record() const;
  // A change, with the record that it needs; of one without mounts nothing needs to be known.
  template <typename Change>
  auto change(Change change) -> decltype(change(container));
};

namespace {

constexpr const char* kRoot = "/run/berth-mounts";

// With its start time a pid names a process for ever.
std::string name_of(const engine::Record& record) {
  return formatted("{}-{}", record.pid, record.start_time);
}

bool has_ended(const std::string& name) {
  pid_t pid = 0;
  uint64_t start = 0;
  const char* const end = name.data() + name.size();
  const auto [dash, error] = std::from_chars(name.data(), end, pid);
  if (error != std::errc() || dash == end) return false;
  (void)std::from_chars(dash + 1, end, start);
  return os::start_time(pid) != start;
}

Result<> remove_state(const std::string& name, bool only_without_mounts) {
  Result<engine::StateDir> state = engine::StateDir::open(kRoot, name);
  if (!state || !state->lock()) return {};  // somebody else has removed it
  if (only_without_mounts && !TRY(engine::look(*state)).record.mounts.empty()) return {};
  return state->remove();
}

bool same_namespace(pid_t pid, std::string_view kind) {
  struct stat own;
  struct stat its;
  return ::stat(formatted("/proc/self/ns/{}", kind).c_str(), &own) == 0 &&
         ::stat(formatted("/proc/{}/ns/{}", pid, kind).c_str(), &its) == 0 &&
         own.st_ino == its.st_ino;
}

// As much of a config.json as mounts are planned by.
std::string config_of(pid_t pid) {
  json::Writer out;
  out.begin_object().member("ociVersion", "1.0.2").key("root").begin_object();
  out.member("path", "/").end().key("linux").begin_object().key("namespaces").begin_array();
  out.begin_object().member("type", "mount").end();
  if (!same_namespace(pid, "user"))
    out.begin_object()
        .member("type", "user")
        .member("path", formatted("/proc/{}/ns/user", pid))
        .end();
  out.end().end().end();
  return out.take();
}

}  // namespace

Result<> ForeignContainer::Inner::make_record() const {
  Result<engine::StateDir> state = engine::StateDir::create(kRoot, name_of(record));
  if (!state && state.error().kind() == ErrorKind::AlreadyExists) return {};
  engine::StateDir made = TRY(std::move(state));
  TRY(made.write_intent(record, config));
  return made.write_process(record);
}

template <typename Change>
auto ForeignContainer::Inner::change(Change change) -> decltype(change(container)) {
  constexpr int kTries = 16;
  for (int tries = 1;; ++tries) {
    TRY(make_record());
    auto result = change(container);
    // Another program may have tidied the record away before this one has locked it.
    const bool is_gone = !result && !::access(kRoot, F_OK) &&
                         ::access(formatted("{}/{}", kRoot, name_of(record)).c_str(), F_OK) != 0;
    if (is_gone && tries < kTries) continue;
    TRY(remove_state(name_of(record), true));
    return result;
  }
}

ForeignContainer::ForeignContainer(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
ForeignContainer::ForeignContainer(ForeignContainer&&) noexcept = default;
ForeignContainer& ForeignContainer::operator=(ForeignContainer&&) noexcept = default;
ForeignContainer::~ForeignContainer() = default;

Result<ForeignContainer> ForeignContainer::open(const RunningContainer& container) {
  const std::string id =
      container.id.empty() ? formatted("process {}", container.pid) : container.id;
  const std::optional<uint64_t> start = os::start_time(container.pid);
  if (!start) return fail(ErrorKind::WrongState, "container not running: {}", id);
  if (same_namespace(container.pid, "mnt"))
    return fail(ErrorKind::WrongState, "{}: its mounts are those of the host", id);
  for (const std::string& name : TRY(engine::list_ids(kRoot))) {
    if (has_ended(name)) TRY(remove_state(name, false));
  }
  engine::Record record{
      .id = id, .boot_id = engine::boot_id(), .pid = container.pid, .start_time = *start};
  auto handle = std::make_unique<Container::Inner>();
  handle->root = kRoot;
  handle->id = name_of(record);
  return ForeignContainer(std::make_unique<Inner>(std::move(record), config_of(container.pid),
                                                  Container(std::move(handle))));
}

Result<std::string> ForeignContainer::add_mounts(const std::vector<LiveMount>& wanted,
                                                 const std::string& token) {
  return inner_->change([&](Container& its) { return its.add_mounts(wanted, token); });
}

Result<std::string> ForeignContainer::replace_mounts(const std::vector<LiveMount>& wanted,
                                                     const std::string& token, bool force) {
  return inner_->change([&](Container& its) { return its.replace_mounts(wanted, token, force); });
}

Result<> ForeignContainer::change_mounts(const std::vector<LiveMountChange>& wanted, bool force) {
  return inner_->change([&](Container& its) { return its.change_mounts(wanted, force); });
}

Result<> ForeignContainer::remove_mounts(const std::vector<std::string>& names, bool force) {
  return inner_->change([&](Container& its) { return its.remove_mounts(names, force); });
}

Result<std::vector<LiveMountState>> ForeignContainer::mounts() const {
  Result<std::vector<LiveMountState>> states = inner_->container.mounts();
  if (!states && states.error().kind() == ErrorKind::NotFound) return {};
  return states;
}

}  // namespace berth
