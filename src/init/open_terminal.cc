// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "init/step.h"
#include "os/device.h"
#include "os/mount.h"

namespace berth::init {
namespace {

constexpr dev_t kPtmx = os::device_number(5, 2);

// The master from the devpts that is mounted in the container, and from nowhere else.
int open_master(int root) {
  // What is found must be a devpts, wherever it is.
  const ChildFd dev(open_dev(root, true));
  if (!dev) return dev.get();
  const ChildFd directory(os::open_resolved(dev.get(), "pts", O_PATH | O_DIRECTORY | O_CLOEXEC,
                                            RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS));
  if (!directory) return directory.get();
  struct statfs filesystem;
  if (::fstatfs(directory.get(), &filesystem) < 0) return -errno;
  if (filesystem.f_type != DEVPTS_SUPER_MAGIC) return -ENODEV;
  const int master = os::open_resolved(directory.get(), "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC,
                                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
  if (master < 0) return master;
  struct stat status;
  if (::fstat(master, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == kPtmx)
    return master;
  ::close(master);
  return -ENODEV;
}

// The slave at /dev/console: bound by descriptor over a file that is ours.
int bind_console(int dev, int slave) {
  // Closed at once: a file open for writing would keep /dev from becoming read-only.
  const os::UniqueFd made(
      ::openat(dev, "console", O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0620));
  if (!made && errno != EEXIST) return -errno;
  const ChildFd target(::openat(dev, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status;
  if (!target || ::fstat(target.get(), &status) < 0) return -errno;
  if (S_ISLNK(status.st_mode)) return -ELOOP;
  const ChildFd tree(os::clone_mount(slave, "", false));
  return tree ? os::attach_mount(tree.get(), target.get()) : tree.get();
}

}  // namespace

StepResult open_terminal_in(ProcessContext& process, int root, int console) {
  if (!process.plan.terminal) return {};
  const ChildFd master(open_master(root));
  if (!master) return failure(Step::OpenTerminal, master.get());
  const int unlock = 0;
  if (::ioctl(master.get(), TIOCSPTLCK, &unlock) < 0) return failure(Step::OpenTerminal, errno);
  const ChildFd slave(::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave) return failure(Step::OpenTerminal, errno);
  if (process.plan.console_rows != 0 || process.plan.console_columns != 0) {
    const winsize size{.ws_row = process.plan.console_rows,
                       .ws_col = process.plan.console_columns,
                       .ws_xpixel = 0,
                       .ws_ypixel = 0};
    if (::ioctl(master.get(), TIOCSWINSZ, &size) < 0) return failure(Step::OpenTerminal, errno);
  }
  // A user that is not mapped here can not own it: the mode then decides.
  if (::fchown(slave.get(), process.plan.uid, static_cast<gid_t>(-1)) < 0 && errno != EINVAL &&
      errno != EPERM) {
    return failure(Step::OpenTerminal, errno);
  }
  if (process.prepared.plain_newlines) {
    termios modes;
    if (::ioctl(slave.get(), TCGETS, &modes) < 0) return failure(Step::OpenTerminal, errno);
    modes.c_oflag &= ~static_cast<tcflag_t>(ONLCR);
    if (::ioctl(slave.get(), TCSETS, &modes) < 0) return failure(Step::OpenTerminal, errno);
  }
  if (console >= 0) {
    const int bound = bind_console(console, slave.get());
    if (bound < 0) return failure(Step::OpenTerminal, bound, -1, Action::Attach);
  }
  TRY(process.host.send_console(master.get()));
  if (::ioctl(slave.get(), TIOCSCTTY, 0) < 0) return failure(Step::OpenTerminal, errno);
  for (int fd = 0; fd < 3; ++fd) {
    if (::dup2(slave.get(), fd) < 0) return failure(Step::OpenTerminal, errno);
  }
  return {};
}

StepResult open_terminal(InitContext& init) {
  if (!init.plan.process.terminal) return {};
  if (init.plan.root.entry == plan::RootEntry::Chroot)
    return open_terminal_in(init.process, init.root, -1);
  const ChildFd dev(open_dev(init.root, has_own_dev(init.plan)));
  if (!dev) return failure(Step::OpenTerminal, dev.get());
  return open_terminal_in(init.process, init.root, dev.get());
}

}  // namespace berth::init
