// SPDX-License-Identifier: Apache-2.0
#include "engine/attach_network.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "berth/try.h"
#include "core/context.h"
#include "os/file.h"
#include "sync/step.h"

namespace berth::engine {
namespace {

Result<os::UniqueFd> open_of(pid_t process) {
  return os::open_at(AT_FDCWD, formatted("/proc/{}/ns/net", process).c_str(), O_RDONLY);
}

bool is_own(int network_namespace) {
  struct stat own;
  struct stat other;
  return ::stat("/proc/thread-self/ns/net", &own) < 0 || ::fstat(network_namespace, &other) < 0 ||
         (own.st_ino == other.st_ino && own.st_dev == other.st_dev);
}

}  // namespace

Result<> examine_network(Creation& creation) {
  const std::vector<spec::NetDevice>& wanted = creation.plan.host.net_devices;
  if (wanted.empty()) return {};
  auto network = std::make_unique<network::MovedDevices>(wanted);
  Result<> result = network->validate();
  if (!result) {
    result.error().set_step(to_string(sync::Step::AttachNetwork)).set_pointer("/linux/netDevices");
    return result;
  }
  creation.record.net_devices = network->devices();
  for (const spec::Namespace& item : creation.spec.platform.namespaces) {
    if (item.type == spec::NamespaceType::Network) creation.record.network_path = item.path;
  }
  creation.network = std::move(network);
  return {};
}

Result<> attach_network(Creation& creation) {
  if (!creation.network) return {};
  creation.network_namespace = TRY(open_of(creation.init.pid()));
  Result<> result = creation.network->attach(creation.network_namespace.get());
  if (!result) result.error().set_step(to_string(sync::Step::AttachNetwork));
  return result;
}

Result<os::UniqueFd> hold_network(const Record& record, const cgroup::CgroupManager& cgroup) {
  if (record.net_devices.empty()) return os::UniqueFd();
  if (!record.network_path.empty()) {
    Result<os::UniqueFd> joined = os::open_at(AT_FDCWD, record.network_path.c_str(), O_RDONLY);
    if (joined && !is_own(joined->get())) return joined;
  }
  // Any of its processes: init may have been killed before its pid was written down.
  for (const pid_t process : TRY(cgroup.processes())) {
    Result<os::UniqueFd> there = open_of(process);
    if (there && !is_own(there->get())) return there;
  }
  return os::UniqueFd();
}

Result<> give_network_back(const Record& record, const os::UniqueFd& network_namespace) {
  if (record.net_devices.empty()) return {};
  return network::MovedDevices(record.net_devices).release(network_namespace.get());
}

}  // namespace berth::engine
