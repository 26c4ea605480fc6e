// SPDX-License-Identifier: Apache-2.0
#include "berth/factory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "berth/oci.h"
#include "berth/try.h"
#include "core/context.h"
#include "engine/container_inner.h"
#include "engine/create_plan.h"
#include "engine/creation.h"
#include "engine/gather_facts.h"
#include "os/file.h"
#include "plan/make_plan.h"
#include "spec/read_spec.h"

namespace berth {
namespace {

constexpr size_t kMaxPasswd = 1 << 20;

// Also one who is root of a user namespace: Podman without privileges runs berth so, with $USER as
// it was. runc's rule.
bool is_ordinary_user() {
  if (::geteuid() != 0) return true;
  if (!engine::in_user_namespace()) return false;
  const char* name = ::getenv("USER");
  return name == nullptr || std::string_view(name) != "root";
}

Container open_handle(const FactoryOptions& options, std::string_view id,
                      std::optional<engine::StateDir> opened = {}) {
  auto inner = std::make_unique<Container::Inner>();
  inner->root = options.state_root;
  inner->id = id;
  inner->on_warning = options.on_warning;
  inner->opened = std::move(opened);
  return Container(std::move(inner));
}

// Of who made it: nothing of it needs to be opened or read again.
Container handle_of(engine::Creation& creation) {
  creation.state.unlock();
  auto inner = std::make_unique<Container::Inner>();
  inner->root = creation.factory.state_root;
  inner->id = creation.record.id;
  inner->on_warning = creation.factory.on_warning;
  inner->opened = std::move(creation.state);
  std::string config;
  if (creation.record.has_poststop) config = std::move(creation.config);
  inner->made = engine::Snapshot{.record = std::move(creation.record),
                                 .config = std::move(config),
                                 .cgroup = std::move(creation.cgroup)};
  return Container(std::move(inner));
}

// The host's /etc/passwd, read plainly: name services would load libraries.
std::string user_name(uid_t uid) {
  const Result<std::string> text = os::read_file_at(AT_FDCWD, "/etc/passwd", kMaxPasswd);
  const std::string wanted = ":" + std::to_string(uid) + ":";
  for (size_t start = 0; text && start < text->size();) {
    size_t end = text->find('\n', start);
    if (end == std::string::npos) end = text->size();
    const std::string_view line(text->data() + start, end - start);
    const size_t name = line.find(':');
    const size_t password = name == std::string_view::npos ? name : line.find(':', name + 1);
    if (password != std::string_view::npos && line.substr(password).starts_with(wanted))
      return std::string(line.substr(0, name));
    start = end + 1;
  }
  return "#" + std::to_string(uid);
}

ListEntry list_entry(const std::string& root, const std::string& id) {
  ListEntry entry;
  entry.state.id = id;
  const Result<engine::StateDir> directory = engine::StateDir::open(root, id);
  Result<engine::Snapshot> snapshot =
      directory ? engine::look(*directory)
                : std::unexpected(Error(ErrorKind::NotFound, "container does not exist"));
  if (!snapshot) {
    entry.error = snapshot.error().message();
    return entry;
  }
  entry.state = engine::state_of(snapshot->record, snapshot->status);
  entry.state.owner = user_name(snapshot->record.owner);
  return entry;
}

Result<> make(std::string_view id, engine::Creation& creation) {
  TRY(engine::plan_creation(id, creation));
  if (creation.factory.on_warning) {
    for (const std::string& warning : creation.plan.host.warnings)
      creation.factory.on_warning(warning);
  }
  const bool alone = creation.start_now && plan::leaves_init_alone(creation.plan);
  if (creation.options.on_exposed && !alone) TRY(creation.options.on_exposed());
  return engine::create_container(creation) | context("create container {}", id);
}

}  // namespace

std::string default_state_root() {
  const char* runtime = ::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && runtime[0] == '/' && is_ordinary_user())
    return std::string(runtime) + "/berth";
  return ::geteuid() == 0 ? "/run/berth" : formatted("/tmp/berth-{}", ::geteuid());
}

Result<Factory> Factory::open(FactoryOptions options) {
  if (options.state_root.empty()) options.state_root = default_state_root();
  if (options.state_root[0] != '/') {
    char* here = ::get_current_dir_name();
    if (here == nullptr) return system_error(errno, "find the working directory");
    options.state_root = std::string(here) + "/" + options.state_root;
    ::free(here);
  }
  while (options.state_root.size() > 1 && options.state_root.back() == '/')
    options.state_root.pop_back();
  if (options.state_root == "/") return fail(ErrorKind::InvalidUse, "the state root cannot be /");
  return Factory(std::move(options));
}

Result<Container> Factory::create(std::string_view id, const CreateOptions& options) {
  engine::Creation creation(options_, options);
  TRY(make(id, creation));
  (void)creation.init.release();
  return open_handle(options_, id);
}

Result<Started> Factory::run(std::string_view id, const CreateOptions& options) {
  engine::Creation creation(options_, options);
  creation.start_now = true;
  TRY(make(id, creation));
  if (!creation.spec.hooks.poststart.empty()) {
    Result<> result =
        engine::run_poststart(creation.record, creation.config, creation.init.pidfd());
    creation.kept = result.has_value();
    TRY(std::move(result));
  }
  if (creation.notify && options.detach) {
    creation.state.unlock();  // the program may take its time
    const Result<> told = creation.notify.wait(creation.init.pid(), creation.init.pidfd());
    if (!told && options_.on_warning) options_.on_warning(told.error().message());
  }
  auto inner = std::make_unique<Process::Inner>();
  inner->notify = std::move(creation.notify);
  inner->pid = creation.init.pid();
  inner->pidfd = creation.init.release();
  inner->console = std::move(creation.console);
  return Started{.container = handle_of(creation), .process = Process(std::move(inner))};
}

Result<Container> Factory::load(std::string_view id) const {
  engine::StateDir directory = TRY(engine::StateDir::open(options_.state_root, id));
  return open_handle(options_, id, std::move(directory));
}

Result<std::vector<ListEntry>> Factory::list() const {
  std::vector<ListEntry> entries;
  for (const std::string& id : TRY(engine::list_ids(options_.state_root)))
    entries.push_back(list_entry(options_.state_root, id));
  return entries;
}

bool Factory::state_root_exists() const { return ::access(options_.state_root.c_str(), F_OK) == 0; }

Result<std::string> Factory::plan(std::string_view id, const CreateOptions& options) const {
  CreateOptions foreground =
      options;  // nothing is started: where the terminal would go is no question
  foreground.detach = false;
  engine::Creation planned(options_, foreground);
  planned.kept = true;
  planned.plan_as_root = true;
  TRY(engine::plan_creation(id, planned));
  return plan::dump(planned.plan);
}

std::string default_config(bool rootless) {
  // As runc: a cgroup namespace where only v2 is mounted.
  struct statfs mounted{};
  const bool pure_v2 = ::statfs("/sys/fs/cgroup", &mounted) == 0 &&
                       static_cast<uint64_t>(mounted.f_type) == CGROUP2_SUPER_MAGIC;
  return spec::write_spec(spec::default_spec(rootless, pure_v2), 4) + "\n";
}

}  // namespace berth
