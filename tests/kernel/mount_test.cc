// SPDX-License-Identifier: Apache-2.0
#include "os/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fd.h"

namespace berth::os {
namespace {

// Flags of a new tmpfs mount after the old kernels' remount, as statvfs(3) has them; 0: it failed.
// In a mount namespace of its own.
unsigned long remounted(uint64_t before, uint64_t set, uint64_t clear) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return 0;
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::unshare(CLONE_NEWNS) < 0 ||
        ::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) < 0)
      ::_exit(1);
    const UniqueFd filesystem(open_filesystem("tmpfs"));
    const UniqueFd mount(mount_filesystem(filesystem.get(), before));
    const UniqueFd target(::open("/mnt", O_PATH | O_DIRECTORY | O_CLOEXEC));
    struct statvfs now = {};
    const bool done = mount && attach_mount(mount.get(), target.get()) == 0 &&
                      remount_attributes(mount.get(), set, clear) == 0 &&
                      ::fstatvfs(mount.get(), &now) == 0;
    (void)!::write(ends[1], &now.f_flag, sizeof now.f_flag);
    ::_exit(done ? 0 : 1);
  }
  write_end.reset();
  unsigned long flags = 0;
  if (::read(ends[0], &flags, sizeof flags) != sizeof flags) flags = 0;
  ::waitpid(pid, nullptr, 0);
  constexpr unsigned long kShown =
      ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME | ST_NODIRATIME | ST_RELATIME;
  return flags & kShown;
}

class Mount : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  }
};

TEST_F(Mount, OldRemountKeepsWhatIsNotNamed) {
  constexpr uint64_t kBefore = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME;
  EXPECT_EQ(remounted(kBefore, MOUNT_ATTR_RDONLY, 0),
            static_cast<unsigned long>(ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOATIME));
  EXPECT_EQ(remounted(kBefore, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NODEV),
            static_cast<unsigned long>(ST_NOSUID | ST_NOEXEC | ST_NOATIME));
  EXPECT_EQ(remounted(kBefore, MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME),
            static_cast<unsigned long>(ST_NOSUID | ST_NODEV | ST_RELATIME));
  EXPECT_EQ(remounted(MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME),
            static_cast<unsigned long>(ST_NODIRATIME | ST_NOATIME));
  EXPECT_EQ(remounted(MOUNT_ATTR_STRICTATIME, MOUNT_ATTR_NODIRATIME, 0),
            static_cast<unsigned long>(ST_NODIRATIME));
  EXPECT_EQ(remounted(0, MOUNT_ATTR_RDONLY, 0),
            static_cast<unsigned long>(ST_RDONLY | ST_RELATIME));
}

}  // namespace
}  // namespace berth::os
