// SPDX-License-Identifier: Apache-2.0
#include "engine/namespace_owner.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>

#include "os/fd.h"

namespace berth::engine {
namespace {

os::UniqueFd open_joined(const spec::Spec& spec, spec::NamespaceType type) {
  const auto& list = spec.platform.namespaces;
  const auto found = std::ranges::find(list, type, &spec::Namespace::type);
  if (found == list.end() || found->path.empty()) return {};
  return os::UniqueFd(::open(found->path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

}  // namespace

bool joins_foreign_mounts(const spec::Spec& spec) {
  const os::UniqueFd user = open_joined(spec, spec::NamespaceType::User);
  const os::UniqueFd mounts = open_joined(spec, spec::NamespaceType::Mount);
  struct stat wanted;
  if (!user || !mounts || ::fstat(user.get(), &wanted) < 0) return false;
  // From its owner upwards, as far as the caller's own user namespace.
  os::UniqueFd owner(::ioctl(mounts.get(), NS_GET_USERNS));
  while (owner) {
    struct stat status;
    if (::fstat(owner.get(), &status) < 0) return false;
    if (status.st_ino == wanted.st_ino && status.st_dev == wanted.st_dev) return false;
    owner = os::UniqueFd(::ioctl(owner.get(), NS_GET_PARENT));
  }
  return true;
}

}  // namespace berth::engine
