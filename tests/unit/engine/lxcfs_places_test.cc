// SPDX-License-Identifier: Apache-2.0
#include "engine/live/lxcfs_places.h"

#include <gtest/gtest.h>

#include "engine/live/lxcfs_source.h"

namespace berth::engine {
namespace {

os::MountEntry entry(int id, int parent, const char* place, const char* type,
                     const char* device = "0:50") {
  return {
      .id = id, .parent = parent, .device = device, .root = place, .place = place, .type = type};
}

const std::string kFile = "/proc/meminfo";

TEST(LxcfsPlaces, AreTheFilesUnderTheirOwnNames) {
  const std::vector<os::MountEntry> mounts = {
      entry(1, 0, "/", "overlay"),
      entry(2, 1, "/proc", "proc"),
      entry(3, 2, kFile.c_str(), "fuse.lxcfs"),
      // The whole filesystem, and a file somewhere else: nothing that a container is shown.
      {.id = 4, .parent = 1, .root = "/", .place = "/var/lib/lxcfs", .type = "fuse.lxcfs"},
      {.id = 5, .parent = 1, .root = "/proc/stat", .place = "/tmp/x", .type = "fuse.lxcfs"}};
  const std::vector<LxcfsPlace> places = find_places(mounts, "", {});
  ASSERT_EQ(places.size(), 1u);
  EXPECT_EQ(places[0].path, kFile);
  EXPECT_EQ(places[0].layers, std::vector<int>{3});
  EXPECT_EQ(places[0].device, "0:50");
  EXPECT_FALSE(places[0].is_covered);
  EXPECT_TRUE(has_lxcfs_files(mounts));
  EXPECT_FALSE(has_lxcfs_files({mounts[0], mounts[1], mounts[3], mounts[4]}));
}

TEST(LxcfsPlaces, HaveTheirLayersInOrder) {
  // In the text the topmost may come first: one that was mounted beneath is younger.
  const std::vector<os::MountEntry> mounts = {entry(9, 12, kFile.c_str(), "fuse.lxcfs", "0:51"),
                                              entry(12, 7, kFile.c_str(), "fuse.lxcfs"),
                                              entry(7, 2, kFile.c_str(), "tmpfs")};
  const std::vector<LxcfsPlace> places = find_places(mounts, "", {});
  ASSERT_EQ(places.size(), 1u);
  EXPECT_EQ(places[0].layers, (std::vector<int>{9, 12}));
  EXPECT_EQ(places[0].device, "0:51");
}

TEST(LxcfsPlaces, SayWhatCoversThem) {
  const std::vector<os::MountEntry> mounts = {entry(3, 2, kFile.c_str(), "fuse.lxcfs"),
                                              entry(4, 3, kFile.c_str(), "tmpfs"),
                                              entry(5, 2, "/proc/stat", "tmpfs")};
  const std::vector<LxcfsPlace> places = find_places(mounts, "", {"/proc/stat", "/proc/uptime"});
  ASSERT_EQ(places.size(), 2u);
  EXPECT_TRUE(places[0].is_covered && places[1].is_covered);
  EXPECT_TRUE(places[0].layers.empty());
}

TEST(LxcfsPlaces, AreKnownBelowARootThatIsNotPivotedTo) {
  os::MountEntry file = entry(3, 2, "/b/rootfs/proc/meminfo", "fuse.lxcfs");
  file.root = kFile + "//deleted";
  const std::vector<LxcfsPlace> places = find_places({file}, "/b/rootfs", {});
  ASSERT_EQ(places.size(), 1u);
  EXPECT_EQ(places[0].path, kFile);
  EXPECT_TRUE(find_places({file}, "", {}).empty());
}

TEST(LxcfsSource, IsLookedForWhereItUsuallyIs) {
  const auto whole = [](const char* place, const char* device, const char* type = "fuse.lxcfs") {
    os::MountEntry mount = entry(1, 0, place, type, device);
    mount.root = "/";
    return mount;
  };
  const os::MountEntry own = whole("/opt/lxcfs", "0:1");
  const os::MountEntry other = whole("/srv/lxcfs", "0:2");
  const os::MountEntry debian = whole("/var/lib/lxcfs", "0:3");
  EXPECT_EQ(find_lxcfs("", {own, debian})->directory, "/var/lib/lxcfs");
  EXPECT_EQ(find_lxcfs("", {own})->device, "0:1");
  EXPECT_EQ(find_lxcfs("/srv/lxcfs/", {own, other})->device, "0:2");
  EXPECT_EQ(find_lxcfs("/nowhere", {own, other})->device, "");
  EXPECT_EQ(find_lxcfs("", {})->device, "");
  EXPECT_EQ(find_lxcfs("", {own, other}).error().message(),
            "lxcfs is mounted on /opt/lxcfs and /srv/lxcfs: name one (--lxcfs)");
  // The last one on a place is what is seen there: another after a restart, or no lxcfs.
  EXPECT_EQ(find_lxcfs("", {debian, whole("/var/lib/lxcfs", "0:4")})->device, "0:4");
  EXPECT_EQ(find_lxcfs("", {debian, whole("/var/lib/lxcfs", "0:4", "tmpfs")})->device, "");
}

}  // namespace
}  // namespace berth::engine
