// SPDX-License-Identifier: Apache-2.0
#include "engine/visit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "berth/try.h"
#include "core/context.h"
#include "os/file.h"

namespace berth::engine {

Result<> NamespaceVisit::enter(int fd, int type, const char* own) {
  os::UniqueFd back = TRY(os::open_at(AT_FDCWD, own, O_RDONLY));
  if (::setns(fd, type) < 0) return system_error(errno, "enter a namespace");
  back_.push_back(std::move(back));
  return {};
}

Result<os::UniqueFd> NamespaceVisit::make(int type, const char* own) {
  os::UniqueFd back = TRY(os::open_at(AT_FDCWD, own, O_RDONLY));
  if (::unshare(type) < 0) return system_error(errno, "make a namespace");
  back_.push_back(std::move(back));
  return os::open_at(AT_FDCWD, own, O_RDONLY);
}

Result<> NamespaceVisit::leave() {
  while (!back_.empty()) {
    if (::setns(back_.back().get(), 0) < 0)
      return system_error(errno, "go back to the own namespace");
    back_.pop_back();
  }
  return {};
}

}  // namespace berth::engine
