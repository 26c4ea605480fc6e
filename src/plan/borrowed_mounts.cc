// SPDX-License-Identifier: Apache-2.0
#include "plan/borrowed_mounts.h"

#include <algorithm>

#include "plan/refuse.h"

namespace berth::plan {
namespace {

using spec::NamespaceType;

const spec::Namespace* find_namespace(const spec::Spec& spec, NamespaceType type) {
  const auto& list = spec.platform.namespaces;
  const auto found = std::ranges::find(list, type, &spec::Namespace::type);
  return found == list.end() ? nullptr : &*found;
}

// Of a config: where it asks for a mount.
struct Asked {
  bool asked;
  std::string_view pointer;
};

}  // namespace

bool borrows_mounts(const spec::Spec& spec, const HostFacts& facts) {
  const spec::Namespace* mounts = find_namespace(spec, NamespaceType::Mount);
  if (mounts == nullptr) return true;
  if (mounts->path.empty()) return false;
  const spec::Namespace* user = find_namespace(spec, NamespaceType::User);
  return user != nullptr && (user->path.empty() || facts.joined_mounts_are_foreign);
}

Result<> check_borrowed_mounts(const spec::Spec& spec, const Plan& plan) {
  const spec::Linux& platform = spec.platform;
  const Asked all[] = {
      {!spec.mounts.empty(), "/mounts/0"},
      {spec.root && spec.root->readonly, "/root/readonly"},
      {!platform.masked_paths.empty(), "/linux/maskedPaths/0"},
      {!platform.readonly_paths.empty(), "/linux/readonlyPaths/0"},
      {!platform.rootfs_propagation.empty(), "/linux/rootfsPropagation"},
      // In a user namespace they are bound from the host.
      {!platform.devices.empty() && plan.init.bind_devices, "/linux/devices/0"},
  };
  const auto first = std::ranges::find(all, true, &Asked::asked);
  if (first == std::end(all)) return {};
  if (!plan.host.namespaces.has(NamespaceType::Mount)) {
    return refuse(
        first->pointer, ErrorKind::InvalidConfig,
        "nothing is mounted or changed in the host's mount namespace: leave it out, or add "
        "{{\"type\": \"mount\"}} to /linux/namespaces");
  }
  return refuse(first->pointer, ErrorKind::InvalidConfig,
                "the mount namespace that is joined belongs to another user namespace than the "
                "container's, and can not be changed from it: leave it out");
}

}  // namespace berth::plan
