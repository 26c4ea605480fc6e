// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include "berth/error.h"
#include "os/fd.h"

namespace berth::engine {

// Puts the calling thread into other namespaces for a moment: so that a child is born there, or
// because a namespace is made by entering it. Namespaces are a thread's own: no other thread sees
// it. Only for those that can be left again (not user, mount or time).
class NamespaceVisit {
 public:
  NamespaceVisit() = default;
  NamespaceVisit(const NamespaceVisit&) = delete;
  NamespaceVisit& operator=(const NamespaceVisit&) = delete;
  ~NamespaceVisit() { (void)leave(); }

  // fd: a namespace file, or a pidfd with the type. own: the thread's own file of that type.
  Result<> enter(int fd, int type, const char* own);
  // Makes a new namespace and enters it; returns its descriptor.
  Result<os::UniqueFd> make(int type, const char* own);
  Result<> leave();

 private:
  std::vector<os::UniqueFd> back_;
};

}  // namespace berth::engine
