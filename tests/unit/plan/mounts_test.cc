// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/mount.h>

#include "plan/make_plan.h"

namespace berth::plan {
namespace {

constexpr uint64_t kRec = MS_REC;

// What plan_mounts makes of a spec, with little around it.
class PlanMounts : public testing::Test {
 protected:
  PlanMounts() {
    spec_.root = spec::Root{.path = "rootfs"};
    request_.bundle = "/bundle";
  }

  Result<> run() {
    plan_ = {};
    plan_.host.namespaces = *plan_namespaces(spec_, facts_);
    plan_.host.cgroup.places = places_;
    plan_.host.cgroup.tolerate_denied = tolerate_denied_;
    return plan_mounts(spec_, facts_, request_, plan_);
  }

  MountItem one(spec::Mount mount) {
    spec_.mounts = {std::move(mount)};
    const Result<> result = run();
    EXPECT_TRUE(result) << result.error().message();
    return result ? plan_.init.mounts.at(0) : MountItem{};
  }

  Error refused(spec::Mount mount) {
    spec_.mounts = {std::move(mount)};
    Result<> result = run();
    EXPECT_FALSE(result);
    return result ? Error(ErrorKind::Internal, "not refused") : std::move(result.error());
  }

  MountItem tmpfs(std::vector<std::string> options) {
    return one(
        {.destination = "/tmp", .type = "tmpfs", .source = "tmpfs", .options = std::move(options)});
  }
  MountItem bind(std::vector<std::string> options) {
    options.insert(options.begin(), "bind");
    return one({.destination = "/data", .source = "/srv", .options = std::move(options)});
  }

  spec::Spec spec_;
  HostFacts facts_{.capabilities = ~uint64_t{0}, .cgroup_layout = CgroupLayout::V2};
  Request request_;
  std::vector<CgroupPlace> places_;
  bool tolerate_denied_ = false;
  Plan plan_;
};

std::string data(const MountItem& item) {
  std::string text;
  for (const FilesystemOption& option : item.options) {
    text += (text.empty() ? "" : " ") + option.key + (option.value ? "=" + *option.value : "");
  }
  return text;
}

TEST_F(PlanMounts, SortsTheWordsOfAFilesystem) {
  const MountItem item =
      tmpfs({"nosuid", "noexec", "mode=1777", "size=64k", "sync", "private", "rslave", "usrquota"});
  EXPECT_EQ(item.kind, MountKind::Filesystem);
  EXPECT_EQ(item.fs_type, "tmpfs");
  EXPECT_EQ(item.attr_set, uint64_t{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC});
  EXPECT_EQ(item.attr_clear, 0U);
  EXPECT_EQ(data(item), "mode=1777 size=64k sync usrquota");
  EXPECT_EQ(item.propagation, (std::vector<uint64_t>{MS_PRIVATE, MS_SLAVE | kRec}));
  EXPECT_EQ(item.pointer, "/mounts/0");
}

TEST_F(PlanMounts, GivesWhatIsPlainToOneCall) {
  EXPECT_EQ(tmpfs({"nosuid", "strictatime", "mode=1777", "size=64k", "sync"}).at_once,
            "mode=1777,size=64k,sync");
  EXPECT_EQ(one({.destination = "/proc", .type = "proc", .source = "proc"}).at_once, "");
  // Without a mode it takes the one of what it covers; read-only would hold for all mounts of it;
  // a comma is the end of an option there; and the rest needs the new mount by its descriptor.
  const std::vector<std::vector<std::string>> kept = {{"size=64k"},
                                                      {"mode=700", "ro"},
                                                      {"mode=700", "rslave"},
                                                      {"mode=700", "tmpcopyup"},
                                                      {"mode=700", "dest-nofollow"},
                                                      {"mode=700", "nosymfollow"},
                                                      {"mode=700", "context=\"a,b\""}};
  for (const std::vector<std::string>& options : kept)
    EXPECT_FALSE(tmpfs(options).at_once) << options.back();
  EXPECT_FALSE(one({.destination = "/dev", .type = "tmpfs", .options = {"mode=755"}}).at_once);
  EXPECT_FALSE(one({.destination = "/sys", .type = "sysfs"}).at_once);
  EXPECT_FALSE(bind({}).at_once);
}

TEST_F(PlanMounts, SplitsDataWordsAtCommas) {
  EXPECT_EQ(data(tmpfs({"mode=700,size=1m"})), "mode=700 size=1m");
  EXPECT_EQ(data(tmpfs({"context=\"u:r:t:s0:c1,c2\",mode=700"})),
            "context=u:r:t:s0:c1,c2 mode=700");
  EXPECT_EQ(data(tmpfs({"lowerdir=/a\\,b:/c", ",,"})), "lowerdir=/a\\,b:/c");
}

TEST_F(PlanMounts, LastWordWins) {
  EXPECT_EQ(tmpfs({"ro", "rw"}).attr_set, 0U);
  EXPECT_EQ(tmpfs({"nosuid", "suid", "nodev"}).attr_set, uint64_t{MOUNT_ATTR_NODEV});
  EXPECT_EQ(data(tmpfs({"sync", "async"})), "");
  const MountItem item = bind({"rw", "ro"});
  EXPECT_EQ(item.attr_set, uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(item.attr_clear, 0U);
}

TEST_F(PlanMounts, ClearsTheAccessTimeAsAWhole) {
  EXPECT_EQ(bind({"noatime"}).attr_set, uint64_t{MOUNT_ATTR_NOATIME});
  EXPECT_EQ(bind({"noatime"}).attr_clear, uint64_t{MOUNT_ATTR__ATIME});
  EXPECT_EQ(bind({"noatime", "strictatime"}).attr_set, uint64_t{MOUNT_ATTR_STRICTATIME});
  EXPECT_EQ(bind({"relatime"}).attr_clear, uint64_t{MOUNT_ATTR__ATIME});
  EXPECT_EQ(bind({"nodiratime"}).attr_clear, 0U);
  EXPECT_EQ(bind({"rnoatime"}).recursive_clear, uint64_t{MOUNT_ATTR__ATIME});
}

TEST_F(PlanMounts, KeepsRecursiveAttributesApartOnBinds) {
  const MountItem item = bind({"ro", "rnosuid", "rrw"});
  EXPECT_EQ(item.attr_set, uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(item.recursive_set, uint64_t{MOUNT_ATTR_NOSUID});
  EXPECT_EQ(item.recursive_clear, uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(tmpfs({"rnosuid"}).attr_set, uint64_t{MOUNT_ATTR_NOSUID});
  EXPECT_EQ(tmpfs({"rnosuid"}).recursive_set, 0U);
}

TEST_F(PlanMounts, KnowsABindByWordOrType) {
  EXPECT_EQ(bind({}).kind, MountKind::Bind);
  EXPECT_FALSE(bind({}).recursive);
  const MountItem item =
      one({.destination = "/d", .type = "none", .source = "a/../b", .options = {"rbind"}});
  EXPECT_EQ(item.kind, MountKind::Bind);
  EXPECT_TRUE(item.recursive);
  EXPECT_EQ(item.source, "/bundle/b");
  EXPECT_EQ(one({.destination = "/d", .type = "bind", .source = "/s"}).kind, MountKind::Bind);
}

TEST_F(PlanMounts, BindHasNoFilesystemOptions) {
  const Error error =
      refused({.destination = "/d", .source = "/s", .options = {"bind", "size=1m"}});
  EXPECT_EQ(error.kind(), ErrorKind::InvalidConfig);
  EXPECT_EQ(error.pointer(), "/mounts/0/options/1");
  EXPECT_NE(error.cause().find("unknown mount option size=1m"), std::string::npos);
  EXPECT_EQ(refused({.destination = "/d", .options = {"bind"}}).pointer(), "/mounts/0");
  bind({"sync", "async"});
  EXPECT_EQ(plan_.host.warnings.size(), 1U);
}

TEST_F(PlanMounts, RemountOfOneMountHasNoFilesystemOptions) {
  for (const char* option : {"size=1m", "sync"}) {
    const Error error = refused({.destination = "/d", .options = {"remount", option, "bind"}});
    EXPECT_EQ(error.kind(), ErrorKind::InvalidConfig);
    EXPECT_EQ(error.pointer(), "/mounts/0");
  }
}

TEST_F(PlanMounts, RemountChangesTheFilesystem) {
  const MountItem item = one({.destination = "/d", .options = {"remount", "size=1m", "sync"}});
  EXPECT_EQ(item.kind, MountKind::Remount);
  ASSERT_EQ(item.options.size(), 2U);
  EXPECT_EQ(item.options[0].key, "size");
  EXPECT_EQ(item.options[0].value, "1m");
  EXPECT_EQ(item.options[1].key, "sync");
}

TEST_F(PlanMounts, LabelsNewFilesystems) {
  spec_.platform.mount_label = "u:r:t:s0:c1,c2";
  EXPECT_EQ(run().error().pointer(), "/linux/mountLabel");
  EXPECT_EQ(run().error().kind(), ErrorKind::Unsupported);
  facts_.has_selinux = true;
  EXPECT_EQ(data(tmpfs({"mode=700"})), "mode=700 context=u:r:t:s0:c1,c2");
  EXPECT_EQ(data(one({.destination = "/d", .type = "devpts"})), "context=u:r:t:s0:c1,c2");
  for (const char* own : {"context=a:b", "fscontext=a:b", "defcontext=a:b", "rootcontext=a:b"})
    EXPECT_EQ(data(tmpfs({own})), own);
  places_ = {{.mountpoint = "/sys/fs/cgroup", .path = "/a", .is_v2 = true}};
  for (const char* type : {"proc", "sysfs", "mqueue", "cgroup", "bind"})
    EXPECT_EQ(data(one({.destination = "/d", .type = type, .source = "/s"})), "") << type;
}

TEST_F(PlanMounts, FillsANewFilesystem) {
  EXPECT_FALSE(tmpfs({}).copy_up);
  EXPECT_TRUE(tmpfs({"tmpcopyup"}).copy_up);
  const MountItem other =
      one({.destination = "/d", .type = "ext4", .source = "/s", .options = {"ro", "tmpcopyup"}});
  EXPECT_TRUE(other.copy_up && other.readonly_late);
  places_ = {{.mountpoint = "/sys/fs/cgroup", .path = "/a", .is_v2 = true}};
  for (const char* type : {"bind", "proc", "sysfs", "mqueue", "devpts", "cgroup", "cgroup2"}) {
    const Error error =
        refused({.destination = "/d", .type = type, .source = "/s", .options = {"tmpcopyup"}});
    EXPECT_EQ(error.kind(), ErrorKind::InvalidConfig) << type;
    EXPECT_EQ(error.pointer(), "/mounts/0/options/0") << type;
  }
  EXPECT_EQ(refused({.destination = "/d", .options = {"remount", "tmpcopyup"}}).pointer(),
            "/mounts/0/options/1");
}

TEST_F(PlanMounts, MapsIdsByTheContainersMaps) {
  EXPECT_FALSE(bind({}).id_map);
  EXPECT_EQ(refused({.destination = "/d", .source = "/s", .options = {"bind", "idmap"}}).pointer(),
            "/mounts/0");
  spec_.platform.uid_mappings = {{0, 100000, 10}, {10, 200000, 5}};
  spec_.platform.gid_mappings = {{0, 1000, 1}};
  spec_.platform.namespaces = {{.type = spec::NamespaceType::User}};
  const MountItem item = bind({"idmap"});
  ASSERT_TRUE(item.id_map);
  EXPECT_FALSE(item.id_map->recursive);
  EXPECT_EQ(item.id_map->uid_map, "0 100000 10\n10 200000 5\n");
  EXPECT_EQ(item.id_map->gid_map, "0 1000 1\n");
  EXPECT_TRUE(bind({"ridmap"}).id_map->recursive);
  spec_.platform.namespaces = {{.type = spec::NamespaceType::User, .path = "/proc/1/ns/user"}};
  EXPECT_EQ(bind({"idmap"}).id_map->uid_map, "");
}

TEST_F(PlanMounts, MapsIdsByMapsOfTheMount) {
  spec::Mount mount{.destination = "/d",
                    .source = "/s",
                    .options = {"bind"},
                    .uid_mappings = {{{0, 5, 1}}},
                    .gid_mappings = {{{0, 6, 1}}}};
  const MountItem item = one(mount);
  ASSERT_TRUE(item.id_map);
  EXPECT_EQ(item.id_map->uid_map, "0 5 1\n");
  EXPECT_EQ(item.id_map->gid_map, "0 6 1\n");
  EXPECT_FALSE(item.id_map->recursive);
  mount.options = {"rbind", "ridmap"};
  EXPECT_TRUE(one(mount).id_map->recursive);
  mount.options = {"bind", "idmap=uids=0-1-1;gids=0-1-1"};
  EXPECT_EQ(refused(mount).pointer(), "/mounts/0/options/1");
  mount.options = {"bind"};
  facts_.in_user_namespace = true;
  EXPECT_EQ(refused(mount).kind(), ErrorKind::Unsupported);
  facts_ = {};
  EXPECT_EQ(refused(mount).kind(), ErrorKind::Unsupported);
  facts_.capabilities = ~uint64_t{0};
  mount.options = {};
  mount.type = "tmpfs";
  EXPECT_EQ(refused(mount).pointer(), "/mounts/0");
}

TEST_F(PlanMounts, MapsIdsByAWordOfCrun) {
  spec_.platform.uid_mappings = {{0, 0, 1}, {1, 2, 1000}};
  spec_.platform.gid_mappings = {{0, 10, 1000}};
  const struct {
    const char* word;
    const char* uid_map;
    const char* gid_map;
  } rows[] = {
      {"idmap=uids=0-1-10#10-11-10;gids=0-100-10", "0 1 10\n10 11 10\n", "0 100 10\n"},
      {"ridmap=gids=3-4-5;uids=6-7-8", "6 7 8\n", "3 4 5\n"},
      {"idmap=uids=@1-3-10;gids=@0-5-1#7-80-9", "1 4 10\n", "0 15 1\n7 80 9\n"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.word);
    const MountItem item = bind({row.word});
    ASSERT_TRUE(item.id_map);
    EXPECT_EQ(item.id_map->uid_map, row.uid_map);
    EXPECT_EQ(item.id_map->gid_map, row.gid_map);
    EXPECT_EQ(item.id_map->recursive, row.word[0] == 'r');
  }
  for (const char* word :
       {"idmap=", "idmap=uids=0-1-2", "idmap=gids=0-1-2", "idmap=uids=;gids=0-1-2",
        "idmap=uids=0-1;gids=0-1-2", "idmap=uids=0-1-2-3;gids=0-1-2",
        "idmap=uids=-1-1-1;gids=0-1-2", "idmap=uids=0-1-2;gids=0-1-4294967296",
        "idmap=uids=@1001-1-1;gids=0-1-2", "idmap=uids=0-1-0;gids=0-1-2",
        "idmap=uids=0-1-5#4-9-1;gids=0-1-2", "idmap=0-1-2"}) {
    const Error error = refused({.destination = "/d", .source = "/s", .options = {"bind", word}});
    EXPECT_EQ(error.kind(), ErrorKind::InvalidConfig) << word;
    EXPECT_EQ(error.pointer(), "/mounts/0/options/1") << word;
  }
}

TEST_F(PlanMounts, InitOpensWhatAnEarlierMountBrings) {
  spec_.platform.uid_mappings = spec_.platform.gid_mappings = {{0, 100000, 10}};
  spec_.platform.namespaces = {{.type = spec::NamespaceType::User}};
  spec_.mounts = {{.destination = "/data", .type = "tmpfs"},
                  {.destination = "/a", .source = "/bundle/rootfs/data/x", .options = {"bind"}},
                  {.destination = "/b", .source = "rootfs/data", .options = {"bind"}},
                  {.destination = "/c", .source = "/bundle/rootfs/database", .options = {"bind"}},
                  {.destination = "/d", .source = "/bundle/rootfs/e", .options = {"bind"}},
                  {.destination = "/e", .type = "tmpfs"}};
  ASSERT_TRUE(run());
  const auto& mounts = plan_.init.mounts;
  EXPECT_FALSE(mounts[1].source_first);
  EXPECT_FALSE(mounts[2].source_first);
  EXPECT_TRUE(mounts[3].source_first);
  EXPECT_TRUE(mounts[4].source_first);
}

TEST_F(PlanMounts, SplitsALongListOfLayers) {
  const auto overlay = [&](const std::string& layers) {
    return data(one({.destination = "/d",
                     .type = "overlay",
                     .source = "overlay",
                     .options = {"userxattr", "lowerdir=" + layers, "upperdir=/u"}}));
  };
  EXPECT_EQ(overlay("/a:/b"), "userxattr lowerdir=/a:/b upperdir=/u");
  EXPECT_EQ(overlay(std::string(255, 'a')).find("lowerdir+"), std::string::npos);
  const std::string path = "/" + std::string(200, 'a');
  EXPECT_EQ(overlay(path + ":/b\\:c:" + path + "::/d"), "userxattr lowerdir+=" + path +
                                                            " lowerdir+=/b:c lowerdir+=" + path +
                                                            " datadir+=/d upperdir=/u");
}

TEST_F(PlanMounts, FlagsOfOurOwn) {
  const MountItem item = bind({"nofail", "src-nofollow", "dest-nofollow"});
  EXPECT_TRUE(item.optional && item.nofollow_source && item.nofollow_target);
}

TEST_F(PlanMounts, CopiesALinkOrLeavesIt) {
  EXPECT_TRUE(bind({"copy-symlink"}).copy_link);
  for (const char* word : {"src-nofollow", "dest-nofollow"}) {
    EXPECT_EQ(
        refused({.destination = "/d", .source = "/s", .options = {"bind", "copy-symlink", word}})
            .pointer(),
        "/mounts/0");
  }
  for (const char* word : {"src-nofollow", "copy-symlink"}) {
    EXPECT_EQ(refused({.destination = "/d", .type = "tmpfs", .options = {word}}).pointer(),
              "/mounts/0");
  }
  EXPECT_TRUE(tmpfs({"dest-nofollow"}).nofollow_target);
}

TEST_F(PlanMounts, RemountsWhatIsThere) {
  const MountItem item = one({.destination = "/d", .options = {"remount", "bind", "ro"}});
  EXPECT_EQ(item.kind, MountKind::Remount);
  EXPECT_EQ(item.attr_set, uint64_t{MOUNT_ATTR_RDONLY});
}

TEST_F(PlanMounts, CleansTheTarget) {
  const auto target = [&](const char* path) {
    return one({.destination = path, .type = "tmpfs"}).target;
  };
  EXPECT_EQ(target("/a//b/./c/../d/"), "/a/b/d");
  EXPECT_EQ(target("/../../etc"), "/etc");
  EXPECT_TRUE(plan_.host.warnings.empty());
  EXPECT_EQ(target("var/run"), "/var/run");
  EXPECT_EQ(plan_.host.warnings.size(), 1U);
  for (const char* path : {"/", "//", "/..", "/a/..", "."}) {
    EXPECT_EQ(refused({.destination = path, .type = "tmpfs"}).pointer(), "/mounts/0/destination")
        << path;
  }
  EXPECT_EQ(refused({.destination = "/a"}).pointer(), "/mounts/0");
}

TEST_F(PlanMounts, ReadOnlyTmpfsComesLate) {
  EXPECT_TRUE(tmpfs({"ro"}).readonly_late);
  EXPECT_FALSE(tmpfs({}).readonly_late);
  EXPECT_FALSE(one({.destination = "/sys", .type = "sysfs", .options = {"ro"}}).readonly_late);
}

TEST_F(PlanMounts, OwnDevIsATmpfsThere) {
  EXPECT_TRUE(one({.destination = "/dev/", .type = "tmpfs", .options = {"ro"}}).is_dev);
  EXPECT_TRUE(plan_.init.mounts[0].readonly_late);
  EXPECT_TRUE(plan_.init.make_devices);
  EXPECT_FALSE(one({.destination = "/dev/shm", .type = "tmpfs"}).is_dev);
  EXPECT_FALSE(one({.destination = "/dev", .source = "/dev", .options = {"rbind"}}).is_dev);
  EXPECT_FALSE(plan_.init.make_devices);
}

TEST_F(PlanMounts, UserNamespaceOpensSourcesFirst) {
  EXPECT_FALSE(bind({}).source_first);
  spec_.platform.namespaces = {{.type = spec::NamespaceType::User}};
  EXPECT_TRUE(bind({}).source_first);
  EXPECT_FALSE(tmpfs({}).source_first);
}

TEST_F(PlanMounts, CgroupOnV2) {
  places_ = {{.mountpoint = "/sys/fs/cgroup", .path = "/a/b", .is_v2 = true}};
  const MountItem item =
      one({.destination = "/sys/fs/cgroup", .type = "cgroup", .options = {"ro", "nsdelegate"}});
  EXPECT_EQ(item.kind, MountKind::CgroupV2);
  EXPECT_EQ(item.cgroups.at(0).source, "/sys/fs/cgroup/a/b");
  EXPECT_EQ(data(item), "nsdelegate");
  EXPECT_FALSE(item.cgroup_namespace);
  spec_.platform.namespaces = {{.type = spec::NamespaceType::Cgroup}};
  EXPECT_TRUE(one({.destination = "/sys/fs/cgroup", .type = "cgroup"}).cgroup_namespace);
}

TEST_F(PlanMounts, CgroupOnHybrid) {
  facts_.cgroup_layout = CgroupLayout::Hybrid;
  places_ = {
      {.controllers = {"cpu", "cpuacct"}, .mountpoint = "/sys/fs/cgroup/cpu,cpuacct", .path = "/c"},
      {.controllers = {"memory"}, .mountpoint = "/sys/fs/cgroup/memory", .path = "/c"},
      {.controllers = {"name=systemd"}, .mountpoint = "/sys/fs/cgroup/systemd", .path = "/c"},
      {.mountpoint = "/sys/fs/cgroup/unified", .path = "/c", .is_v2 = true}};
  const MountItem item =
      one({.destination = "/sys/fs/cgroup", .type = "cgroup", .options = {"ro", "nodev"}});
  EXPECT_EQ(item.kind, MountKind::CgroupV1);
  ASSERT_EQ(item.cgroups.size(), 4U);
  EXPECT_EQ(item.cgroups[0].name, "cpu,cpuacct");
  EXPECT_EQ(item.cgroups[0].source, "/sys/fs/cgroup/cpu,cpuacct/c");
  EXPECT_EQ(item.cgroups[0].options, "cpu,cpuacct");
  EXPECT_EQ(item.cgroups[0].links, (std::vector<std::string>{"cpu", "cpuacct"}));
  EXPECT_TRUE(item.cgroups[1].links.empty());
  EXPECT_EQ(item.cgroups[2].options, "none,name=systemd");
  EXPECT_EQ(item.cgroups[3].name, "unified");
  EXPECT_EQ(item.cgroups[3].options, "");
  EXPECT_EQ(item.attr_set, uint64_t{MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV});
  const MountItem unified = one({.destination = "/u", .type = "cgroup2"});
  EXPECT_EQ(unified.kind, MountKind::CgroupV2);
  ASSERT_EQ(unified.cgroups.size(), 1U);
  EXPECT_EQ(unified.cgroups[0].name, "unified");
}

TEST_F(PlanMounts, CgroupOfTheCallerWhenThereIsNoOwn) {
  facts_.hierarchies = {{.mountpoint = "/sys/fs/cgroup", .own_path = "/me", .is_v2 = true}};
  EXPECT_EQ(one({.destination = "/c", .type = "cgroup"}).cgroups.at(0).source, "/sys/fs/cgroup/me");
  facts_.hierarchies.clear();
  EXPECT_EQ(refused({.destination = "/c", .type = "cgroup"}).kind(), ErrorKind::Unsupported);
}

TEST_F(PlanMounts, CgroupOfTheCallerWhereAnOrdinaryUserMayMakeNone) {
  facts_.hierarchies = {{.mountpoint = "/sys/fs/cgroup", .own_path = "/me", .is_v2 = true}};
  places_ = {{.mountpoint = "/sys/fs/cgroup", .path = "/me/c", .is_v2 = true}};
  EXPECT_EQ(one({.destination = "/c", .type = "cgroup"}).cgroups.at(0).source_instead, "");
  tolerate_denied_ = true;
  const MountItem item = one({.destination = "/c", .type = "cgroup"});
  EXPECT_EQ(item.cgroups.at(0).source, "/sys/fs/cgroup/me/c");
  EXPECT_EQ(item.cgroups.at(0).source_instead, "/sys/fs/cgroup/me");
}

TEST_F(PlanMounts, RootAndItsPropagation) {
  const struct {
    const char* wanted;
    uint64_t isolation;
    uint64_t final;
  } rows[] = {
      {"", MS_SLAVE | kRec, 0},
      {"slave", MS_SLAVE | kRec, 0},
      {"rslave", MS_SLAVE | kRec, 0},
      {"private", MS_SLAVE | kRec, MS_PRIVATE},
      {"rprivate", MS_PRIVATE | kRec, MS_PRIVATE | kRec},
      {"shared", MS_SLAVE | kRec, MS_SHARED},
      {"rshared", MS_SLAVE | kRec, MS_SHARED | kRec},
      {"unbindable", MS_SLAVE | kRec, MS_UNBINDABLE},
      {"runbindable", MS_SLAVE | kRec, MS_UNBINDABLE | kRec},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.wanted);
    spec_.platform.rootfs_propagation = row.wanted;
    ASSERT_TRUE(run());
    EXPECT_EQ(plan_.init.root.isolation, row.isolation);
    EXPECT_EQ(plan_.init.root.final_propagation, row.final);
    EXPECT_EQ(bind({}).source_first, std::string(row.wanted).ends_with("shared"));
  }
  spec_.platform.rootfs_propagation = "rubbish";
  EXPECT_EQ(run().error().pointer(), "/linux/rootfsPropagation");
}

TEST_F(PlanMounts, RootPath) {
  spec_.root->readonly = true;
  request_.no_pivot = true;
  ASSERT_TRUE(run());
  EXPECT_EQ(plan_.init.root.path, "/bundle/rootfs");
  EXPECT_TRUE(plan_.init.root.readonly);
  EXPECT_EQ(plan_.init.root.entry, RootEntry::Move);
  spec_.root->path = "/images/../x/";
  ASSERT_TRUE(run());
  EXPECT_EQ(plan_.init.root.path, "/x");
  spec_.root.reset();
  EXPECT_EQ(run().error().pointer(), "/root");
}

TEST_F(PlanMounts, PathsOnce) {
  spec_.platform.masked_paths = {"/proc/kcore", "/proc/keys", "/proc//kcore"};
  spec_.platform.readonly_paths = {"/proc/sys"};
  ASSERT_TRUE(run());
  ASSERT_EQ(plan_.init.masked_paths.size(), 2U);
  EXPECT_EQ(plan_.init.masked_paths[1].path, "/proc/keys");
  EXPECT_EQ(plan_.init.masked_paths[1].pointer, "/linux/maskedPaths/1");
  EXPECT_EQ(plan_.init.readonly_paths.at(0).pointer, "/linux/readonlyPaths/0");
}

}  // namespace
}  // namespace berth::plan
