// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/try.h"
#include "core/context.h"
#include "engine/attach_network.h"
#include "engine/class_of_service.h"
#include "engine/clock.h"
#include "engine/create_plan.h"
#include "engine/creation.h"
#include "engine/launch.h"
#include "engine/prepare.h"
#include "engine/serve_init.h"
#include "os/file.h"
#include "spec/read_spec.h"
#include "sync/step.h"

namespace berth::engine {
namespace {

using sync::Step;

struct HostStep {
  Step step;
  Result<> (*run)(Creation&);
};

Result<> reserve_state(Creation& creation) {
  creation.state = TRY(StateDir::create(creation.factory.state_root, creation.plan.host.id));
  TRY(creation.state.write_intent(creation.record, creation.config));
  if (creation.options.host_overlay && ::mkdirat(creation.state.fd(), "overlay", 0700) < 0)
    return system_error(errno, "make the overlay's place");
  if (!creation.options.notify_socket.empty()) {
    TRY(make_notify_directory(creation.state));
    if (creation.start_now)
      creation.notify = TRY(NotifyRelay::open(creation.state, creation.options.notify_socket));
  }
  if (creation.start_now) return {};
  creation.gate = TRY(creation.state.make_gate());
  creation.prepared.gate = creation.gate.get();
  return {};
}

Result<> compile_seccomp(Creation& creation) {
  creation.seccomp = TRY(security::compile_seccomp(creation.spec));
  return {};
}

Result<> create_cgroup(Creation& creation) {
  const plan::CgroupPlan& plan = creation.plan.host.cgroup;
  auto manager =
      TRY(cgroup::make_manager(plan, std::move(creation.systemd)) | at("/linux/cgroupsPath"));
  TRY(manager->create(plan.writes) | at("/linux/cgroupsPath"));
  creation.cgroup = std::move(manager);
  return {};
}

Result<> apply_devices(Creation& creation) {
  const plan::CgroupPlan& plan = creation.plan.host.cgroup;
  if (!plan.limits_devices) return {};
  return creation.cgroup->apply_devices(plan.devices) | at("/linux/resources/devices");
}

// v2 gets one program; v1 many lines, between which init could not make its device nodes.
bool limits_devices_at_once(const Creation& creation) {
  const std::vector<plan::CgroupPlace>& places = creation.plan.host.cgroup.places;
  return places.size() == 1 && places.front().is_v2;
}

// Before anybody is in the cgroup: there is no moment in which the container runs without its
// limits.
Result<> limit_resources(Creation& creation) {
  const plan::CgroupPlan& plan = creation.plan.host.cgroup;
  TRY(make_class(creation));
  TRY(creation.cgroup->apply(plan.writes));
  if (!limits_devices_at_once(creation)) TRY(apply_devices(creation));
  if (plan.delegate) TRY(creation.cgroup->delegate(plan.delegate_uid));
  return {};
}

// While init mounts: until it is served, init runs nothing but our own code.
Result<> limit_devices(Creation& creation) {
  return limits_devices_at_once(creation) ? apply_devices(creation) : Result<>();
}

// How a container is made, seen from the host. The other side is init/run_init.cc.
constexpr HostStep kCreateSteps[] = {
    {Step::ReserveState, reserve_state},  // the intent is on disk before anything is made
    {Step::CompileSeccomp, compile_seccomp},
    {Step::OpenMountSources, prepare_init},
    {Step::CreateCgroup, create_cgroup},
    {Step::LimitResources, limit_resources},
    {Step::CloneInit, launch},  // into the cgroup
    {Step::MakeNetwork, make_network},
    {Step::LimitDevices, limit_devices},
    {Step::ServeInit, serve_init},      // maps ids, runs host hooks, takes the terminal
    {Step::RecordState, record_state},  // "created"; then init is let go
};

constexpr bool comes_before(Step first, Step second) {
  size_t places[2] = {};
  for (size_t index = 0; index < std::size(kCreateSteps); ++index) {
    if (kCreateSteps[index].step == first) places[0] = index;
    if (kCreateSteps[index].step == second) places[1] = index;
  }
  return places[0] < places[1];
}
static_assert(comes_before(Step::ReserveState, Step::CreateCgroup),
              "what a killed create left must be findable");
static_assert(comes_before(Step::CreateCgroup, Step::CloneInit),
              "no process may live outside its cgroup");
static_assert(comes_before(Step::LimitResources, Step::CloneInit),
              "no process may live without its limits");
static_assert(comes_before(Step::LimitDevices, Step::ServeInit),
              "no hook and no program may run without the rules for devices");
static_assert(comes_before(Step::ServeInit, Step::RecordState), "created means: ready to exec");

// Somebody is told the container's state while it is made, or after this program.
bool tells_state(const spec::Spec& spec) {
  const spec::Hooks& hooks = spec.hooks;
  for (const auto* list : {&hooks.prestart, &hooks.create_runtime, &hooks.create_container,
                           &hooks.start_container, &hooks.poststart, &hooks.poststop}) {
    if (!list->empty()) return true;
  }
  return spec.platform.seccomp && !spec.platform.seccomp->listener_path.empty();
}

Result<Record> intent_of(const Creation& creation) {
  const plan::Plan& plan = creation.plan;
  const spec::Spec& spec = creation.spec;
  StringMap annotations;
  if (tells_state(spec)) annotations = TRY(spec::read_annotations(creation.config));
  return Record{.id = plan.host.id,
                .bundle = plan.host.bundle,
                .rootfs = plan.init.root.path,
                .created = utc_text(now_ns()),
                .oci_version = creation.spec.oci_version,
                .boot_id = boot_id(),
                .owner = ::geteuid(),
                .creator = ::getpid(),
                .namespaces = plan.host.namespaces.all_flags(),
                .cgroup_driver = plan.host.cgroup.driver,
                .tolerate_denied = plan.host.cgroup.tolerate_denied,
                .unit = plan.host.cgroup.unit.name,
                .unit_of_user = plan.host.cgroup.unit.of_user,
                .cgroups = plan.host.cgroup.places,
                .pid_file = creation.options.pid_file,
                .has_poststart = !creation.spec.hooks.poststart.empty(),
                .has_poststop = !creation.spec.hooks.poststop.empty(),
                .changes_root = plan.init.root.entry == plan::RootEntry::Chroot,
                .annotated = !spec.annotations.empty() || spec.has_more_annotations,
                .annotations = std::move(annotations)};
}

}  // namespace

// Newest first: the process, its cgroup, what is on disk. poststop hooks undo what the earlier ones
// have done, so they run here too.
Creation::~Creation() {
  if (kept) return;
  init.kill_and_reap();
  if (cgroup) {
    (void)cgroup->kill_all(SIGKILL);
    (void)cgroup->destroy();
  }
  if (network_namespace) (void)give_network_back(record, state.path(), network_namespace);
  if (class_made) (void)cgroup::remove_class(record.rdt);
  if (pid_file_written) (void)::unlink(options.pid_file.c_str());
  if (!state) return;
  (void)state.remove();
  if (!spec.hooks.poststop.empty()) run_poststop(record, config, factory.on_warning);
}

Result<> create_container(Creation& creation) {
  creation.record = TRY(intent_of(creation));
  TRY(examine_network(creation));
  TRY(examine_class(creation));
  for (const HostStep& step : kCreateSteps) {
    Result<> result = step.run(creation);
    if (!result) {
      result.error().set_step(to_string(step.step));
      return result;
    }
  }
  creation.kept = true;
  return {};
}

ContainerState state_of(const Record& record, Status status) {
  return {.oci_version = record.oci_version,
          .id = record.id,
          .pid = status == Status::Stopped ? 0 : record.pid,
          .status = status,
          .bundle = record.bundle,
          .rootfs = record.rootfs,
          .created = record.created,
          .annotations = record.annotations};
}

}  // namespace berth::engine
