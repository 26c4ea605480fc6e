// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"
#include "os/fd.h"
#include "plan/plan.h"

namespace berth::cgroup {

// The container's directory in one hierarchy. Opened when first needed, always below the
// hierarchy's root, which is checked to be a cgroup filesystem; no component may be a symlink, a
// mount or "..".
class Directory {
 public:
  explicit Directory(plan::CgroupPlace place) : place_(std::move(place)) {}

  const plan::CgroupPlace& place() const { return place_; }
  bool is_v2() const { return place_.is_v2; }
  bool has(std::string_view controller) const;
  std::string full_path() const { return place_.mountpoint + place_.path; }

  // Makes the parents that are missing and the directory; existed() says that it was there already.
  Result<> make();
  bool existed() const { return existed_; }
  // Just made, straight below the root: nobody is in it, and nothing above it can be frozen.
  bool is_fresh_child_of_root() const { return made_leaf_ && is_direct_child(); }
  // Removes what make() made, as far as it is empty.
  void unmake();
  // A directory that could not be made and may be missing (rootless): every later call treats it as
  // not there.
  void leave_out() { left_out_ = true; }
  bool left_out() const { return left_out_; }

  Result<bool> exists() const;
  Result<int> root() const;  // of the hierarchy, checked to be one (O_PATH)
  Result<int> fd() const;    // of the directory itself, readable
  // A descriptor of something below the hierarchy's root: a path relative to it.
  Result<os::UniqueFd> open_in_hierarchy(const std::string& path, int flags) const;
  // Opens a file straight below the directory, without opening the directory.
  Result<os::UniqueFd> open_file(const char* file, int flags) const;
  Result<std::string> read(const std::string& file) const;
  Result<> write(const std::string& file, std::string_view text) const;

  // The directory (as "") and all below it as relative paths, parents first. Empty when it is not
  // there.
  Result<std::vector<std::string>> subtree() const;
  // Of the whole subtree, as the kernel tells them.
  Result<void> collect_processes(std::vector<pid_t>& processes) const;
  // One rmdir; false when that was not enough.
  bool remove_empty();
  // rmdir, depth first. Missing is no error; EBUSY while processes are in it.
  Result<> remove();

  std::span<const std::string> made_parents() const { return made_; }
  // "a/b" of "/a/b/c", and "c".
  std::string parent_path() const;
  const char* name() const;

 private:
  Result<int> parent() const;
  Result<> make_parents();
  bool is_direct_child() const { return place_.path.rfind('/') == 0; }

  plan::CgroupPlace place_;
  bool existed_ = false;
  bool made_leaf_ = false;
  bool left_out_ = false;
  std::vector<std::string> made_ = {};  // parents, outermost first, relative to the root
  mutable os::UniqueFd root_, parent_, own_;
};

// A control file. They are small and made in one piece: one read is enough but for long ones.
Result<std::string> read_control(int dirfd, const std::string& file);

// ENOENT of a file in a cgroup, in words of our own: engines take the system's text for a missing
// program.
std::unexpected<Error> missing_file(const Directory& directory, std::string_view file);
bool is_missing(const Error& error);
// EACCES, EPERM or EROFS: what a rootless caller may meet.
bool is_denied(const Error& error);

// One directory below another; also for v1 hierarchies whose parents must be prepared.
std::vector<std::string> split_path(std::string_view path);

}  // namespace berth::cgroup
