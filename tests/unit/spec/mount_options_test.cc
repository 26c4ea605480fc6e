// SPDX-License-Identifier: Apache-2.0
#include "spec/mount_options.h"

#include <gtest/gtest.h>
#include <sys/mount.h>

#include "spec/paths.h"

namespace berth::spec {
namespace {

TEST(MountOptions, KnowsTheSpecsTable) {
  for (const char* name :
       {"async",        "atime",      "bind",         "defaults",      "dev",
        "diratime",     "dirsync",    "exec",         "iversion",      "lazytime",
        "loud",         "noatime",    "nodev",        "nodiratime",    "noexec",
        "noiversion",   "nolazytime", "norelatime",   "nostrictatime", "nosuid",
        "private",      "rbind",      "relatime",     "remount",       "ro",
        "rprivate",     "rshared",    "rslave",       "runbindable",   "rw",
        "shared",       "silent",     "slave",        "strictatime",   "suid",
        "sync",         "unbindable", "mand",         "nomand",        "tmpcopyup",
        "nosymfollow",  "symfollow",  "idmap",        "ridmap",        "rro",
        "rrw",          "rnosuid",    "rsuid",        "rnodev",        "rdev",
        "rnoexec",      "rexec",      "rnodiratime",  "rdiratime",     "rrelatime",
        "rnorelatime",  "rnoatime",   "ratime",       "rstrictatime",  "rnostrictatime",
        "rnosymfollow", "rsymfollow", "copy-symlink", "src-nofollow",  "dest-nofollow",
        "nofail"}) {
    ASSERT_NE(find_mount_option(name), nullptr) << name;
    EXPECT_EQ(find_mount_option(name)->name, name);
  }
  for (const char* name : {"", "size=1k", "RO", "ro ", "zzz", "a"})
    EXPECT_EQ(find_mount_option(name), nullptr) << name;
}

TEST(MountOptions, PairsUndoEachOther) {
  for (const auto& [sets, clears] : {std::pair{"ro", "rw"},
                                     {"nosuid", "suid"},
                                     {"nodev", "dev"},
                                     {"noexec", "exec"},
                                     {"rro", "rrw"},
                                     {"rnosuid", "rsuid"},
                                     {"rnodev", "rdev"},
                                     {"rnoexec", "rexec"},
                                     {"rnosymfollow", "rsymfollow"},
                                     {"nosymfollow", "symfollow"},
                                     {"sync", "async"},
                                     {"nodiratime", "diratime"},
                                     {"silent", "loud"},
                                     {"mand", "nomand"}}) {
    EXPECT_EQ(find_mount_option(sets)->set, find_mount_option(clears)->clear) << sets;
    EXPECT_NE(find_mount_option(sets)->set, 0U) << sets;
  }
}

TEST(MountOptions, TranslatesFlags) {
  EXPECT_EQ(mount_attributes(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS),
            uint64_t{MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC});
  EXPECT_EQ(mount_attributes(MS_NOATIME | MS_NODIRATIME),
            uint64_t{MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME});
  EXPECT_EQ(mount_attributes(0), 0U);
}

TEST(Paths, AreCleanedByLetters) {
  for (const auto& [path, clean] : {std::pair{"", "/"},
                                    {"/", "/"},
                                    {"a", "/a"},
                                    {"//a/./b//", "/a/b"},
                                    {"/a/../..", "/"},
                                    {"../../a", "/a"},
                                    {"/a/b/../c", "/a/c"},
                                    {"/...", "/..."},
                                    {".", "/"}}) {
    EXPECT_EQ(cleaned_path(path), clean) << path;
  }
}

TEST(Paths, OfSysctls) {
  EXPECT_EQ(sysctl_path("net.ipv4.ip_forward"), "net/ipv4/ip_forward");
  EXPECT_EQ(sysctl_path("net/ipv4/conf/eth0.1/forwarding"), "net/ipv4/conf/eth0.1/forwarding");
  EXPECT_EQ(sysctl_path("net.ipv4.conf.eth0/1.forwarding"), "net/ipv4/conf/eth0.1/forwarding");
  for (const char* bad : {"", "net.//.x", "net/../x", "/net", "net/", "net..x", "."})
    EXPECT_EQ(sysctl_path(bad), "") << bad;
}

}  // namespace
}  // namespace berth::spec
