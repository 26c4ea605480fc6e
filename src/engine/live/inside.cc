// SPDX-License-Identifier: Apache-2.0
#include "engine/live/inside.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <charconv>

#include "berth/try.h"
#include "core/context.h"
#include "os/file.h"
#include "os/process.h"
#include "spec/paths.h"

namespace berth::engine {
namespace {

Error explain(const init::LiveWork& work) {
  const std::string target =
      work.items[work.index].target == nullptr ? "" : work.items[work.index].target;
  switch (work.action) {
    case init::LiveAction::Enter:
      return Error::system(work.error, "enter the container's mount namespace");
    case init::LiveAction::MakeTarget:
      return Error::system(work.error, formatted("make the mount point {}", target));
    case init::LiveAction::CoverProc:
      return Error(ErrorKind::InvalidUse,
                   formatted("{} is in /proc, and not to be covered", target));
    case init::LiveAction::Attach:
      return Error::system(work.error, formatted("mount on {}", target));
    case init::LiveAction::Find:
      if (work.error == EBUSY)
        return Error(ErrorKind::WrongState,
                     formatted("something else is mounted on {}, or it was moved", target));
      return Error::system(work.error, formatted("look for the mount {}", target));
    case init::LiveAction::Keep:
      return Error::system(work.error, formatted("keep the way back of {}", target));
    case init::LiveAction::Change:
      return Error::system(work.error, formatted("change the attributes of {}", target));
    case init::LiveAction::Detach:
      return Error::system(work.error, formatted("unmount {}", target));
  }
  return Error(ErrorKind::Internal, "an unknown action");
}

// The id outside of the container's root: of lines "INSIDE OUTSIDE COUNT".
Result<unsigned> root_of(pid_t process, std::string_view file) {
  const std::string text =
      TRY(os::read_kernel_file(formatted("/proc/{}/{}", process, file).c_str()));
  const size_t inside = text.find_first_not_of(' ');
  if (inside == text.npos || text[inside] != '0' || text[inside + 1] != ' ') return 0;
  const size_t outside = text.find_first_not_of(' ', inside + 1);
  unsigned id = 0;
  (void)std::from_chars(text.data() + outside, text.data() + text.size(), id);
  return id;
}

}  // namespace

Result<Inside> enter(StateDir directory) {
  Snapshot snapshot = TRY(look(directory));
  os::UniqueFd init = TRY(open_init(snapshot.record));
  const std::string path = formatted("/proc/{}/root", snapshot.record.pid);
  os::UniqueFd root = TRY(os::open_at(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY));
  const uid_t owner = TRY(root_of(snapshot.record.pid, "uid_map"));
  const gid_t group = TRY(root_of(snapshot.record.pid, "gid_map"));
  // The pid may have become another's while it was opened.
  if (TRY(os::wait_exit(init.get(), 0)))
    return fail(ErrorKind::WrongState, "container not running: {}", snapshot.record.id);
  Inside inside{std::move(directory), std::move(snapshot), std::move(init), std::move(root)};
  inside.owner = owner;
  inside.group = group;
  return inside;
}

Result<MountEntries> Inside::mounts() const {
  return os::mounts_of(formatted("{}", snapshot.record.pid));
}

bool is_there(const MountEntries& mounts, const AddedMount& added) {
  return std::ranges::any_of(mounts, [&](const os::MountEntry& mount) {
    return mount.id == added.id && mount.device == added.device;
  });
}

Result<> work_in(const Inside& inside, init::LiveWork& work) {
  work.container = inside.init.get();
  work.root = inside.root.get();
  work.owner = inside.owner;
  work.group = inside.group;
  int pidfd = -1;
  const pid_t pid = os::clone_child({}, &pidfd);
  if (pid == 0) init::run_live_mounts(work);
  if (pid < 0) return system_error(-pid, "start a process for the container's mounts");
  os::ChildProcess child(pid, os::UniqueFd(pidfd));
  const os::WaitStatus status = TRY(child.wait());
  if (status.code == 0 && status.signal == 0) return {};
  if (work.error != 0) return std::unexpected(explain(work));
  return fail(ErrorKind::System, "the process that changes the mounts was killed");
}

Result<> detach(const Inside& inside, const std::vector<AddedMount>& leaving) {
  if (leaving.empty()) return {};
  const LiveShared work = TRY(LiveShared::make(leaving.size()));
  work->task = init::LiveTask::Detach;
  std::vector<std::string> targets;
  for (const AddedMount& added : leaving)
    targets.push_back(spec::cleaned_path(added.mount.destination));
  for (size_t i = 0; i < leaving.size(); ++i) {
    work->items[i].id = leaving[i].id;
    work->items[i].target = targets[i].c_str();
    work->items[i].made = leaving[i].made_target;
  }
  return work_in(inside, *work);
}

}  // namespace berth::engine
