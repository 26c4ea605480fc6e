// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "examples.h"
#include "spec/read_spec.h"

namespace berth::spec {
namespace {

constexpr const char* kNamespaces =
    R"([{"type":"uts"},{"type":"ipc"},{"type":"network"},{"type":"user"},{"type":"time"},{"type":"mount"}])";

// A small valid config with pieces put in: of the top level, of "process", of "linux".
struct Pieces {
  std::string top = {};
  std::string process = {};
  std::string linux_part = {};
  std::string version = "1.3.0";
};

std::string config(const Pieces& pieces) {
  const auto also = [](const std::string& piece) { return piece.empty() ? "" : "," + piece; };
  const std::string process =
      pieces.process.contains("\"cwd\"") ? pieces.process : R"("cwd":"/")" + also(pieces.process);
  const std::string args = process.contains("\"args\"") ? "" : R"("args":["x"],)";
  std::string platform = pieces.linux_part;
  if (!platform.contains("\"namespaces\""))
    platform = "\"namespaces\":" + std::string(kNamespaces) + also(platform);
  if (!platform.contains("\"uidMappings\"") && platform.contains("\"user\"")) {
    platform +=
        R"(,"uidMappings":[{"containerID":0,"hostID":0,"size":9}],"gidMappings":[{"containerID":0,"hostID":0,"size":9}])";
  }
  const std::string root = pieces.top.contains("\"root\"") ? "" : R"("root":{"path":"rootfs"},)";
  return R"({"ociVersion":")" + pieces.version + "\"," + root + "\"process\":{" + args + process +
         "},\"linux\":{" + platform + "}" + also(pieces.top) + "}";
}

void expect_valid(const Pieces& pieces) {
  const auto spec = read_valid_spec(config(pieces));
  EXPECT_TRUE(spec.has_value()) << config(pieces) << "\n" << (spec ? "" : spec.error().message());
}

void expect_refused(const Pieces& pieces, const std::string& pointer) {
  const auto spec = read_valid_spec(config(pieces));
  ASSERT_FALSE(spec.has_value()) << config(pieces);
  EXPECT_EQ(spec.error().kind(), ErrorKind::InvalidConfig);
  EXPECT_EQ(spec.error().pointer(), pointer) << spec.error().message();
  EXPECT_TRUE(spec.error().message().contains("(config.json:1:")) << spec.error().message();
}

TEST(Validate, AcceptsGoodConfigs) {
  expect_valid({});
  const auto full = read_valid_spec(full_config());
  EXPECT_TRUE(full.has_value()) << full.error().message();
  for (const bool rootless : {false, true}) EXPECT_TRUE(validate(default_spec(rootless)));
  EXPECT_TRUE(read_valid_spec(R"({"ociVersion":"1.0.0","root":{"path":"rootfs"}})"));
}

TEST(Validate, AcceptsWhatEnginesWrite) {
  const std::string text = file_text(BERTH_SOURCE_DIR "/tests/unit/spec/engine_config.json");
  const auto spec = read_valid_spec(text);
  ASSERT_TRUE(spec.has_value()) << spec.error().message();
  EXPECT_EQ(spec->platform.seccomp->rules.size(), 5U);
  EXPECT_FALSE(spec->platform.seccomp->flags.has_value());
  EXPECT_TRUE(read_for_lint(text).unknown.empty());
}

TEST(Validate, Version) {
  for (const char* version : {"1.0.0", "1.0.2-dev", "1.3.0-rc.1+build", "1.99.0"})
    expect_valid({.version = version});
  for (const char* version : {"", "1", "1.0", "0.5.0-dev", "2.0.0", "10.0.0", "v1.0.0", "1.0.0 ",
                              "01.0.0", "1.0.0-", "1.0.x", "1.0.0x"}) {
    expect_refused({.version = version}, "/ociVersion");
  }
}

struct Row {
  std::string piece;
  std::string pointer;  // empty: valid
};

TEST(Validate, TopLevel) {
  const std::string long_name(65, 'a');
  for (const auto& [piece, pointer] : {
           Row{R"("root":{"path":""})", "/root/path"},
           Row{R"("hostname":"a b")", ""},
           Row{R"("hostname":")" + long_name + "\"", "/hostname"},
           Row{R"("domainname":")" + long_name + "\"", "/domainname"},
           Row{R"("hostname":"a\nb")", "/hostname"},
           Row{R"("annotations":{"":"x"})", "/annotations/"},
           Row{R"("hooks":{"prestart":[{"path":"/x"},{"path":"x"}]})", "/hooks/prestart/1/path"},
           Row{R"("hooks":{"poststop":[{"path":""}]})", "/hooks/poststop/0/path"},
           Row{R"("hooks":{"createRuntime":[{"path":"/x","timeout":0}]})",
               "/hooks/createRuntime/0/timeout"},
           Row{R"("hooks":{"createContainer":[{"path":"/x","timeout":-1}]})",
               "/hooks/createContainer/0/timeout"},
           Row{R"("hooks":{"startContainer":[{"path":"../x"}]})", "/hooks/startContainer/0/path"},
           Row{R"("hooks":{"poststart":[{"path":"./x"}]})", "/hooks/poststart/0/path"},
       }) {
    if (pointer.empty())
      expect_valid({.top = piece});
    else
      expect_refused({.top = piece}, pointer);
  }
  expect_refused({.top = R"("hostname":"a")", .linux_part = R"("namespaces":[{"type":"mount"}])"},
                 "/hostname");
  expect_refused({.top = R"("domainname":"a")", .linux_part = R"("namespaces":[])"}, "/domainname");
  const auto without = read_valid_spec(R"({"ociVersion":"1.0.0"})");
  ASSERT_FALSE(without.has_value());
  EXPECT_EQ(without.error().pointer(), "/root");
}

TEST(Validate, Process) {
  for (
      const auto& [piece, pointer] : {
          Row{R"("cwd":"")", "/process/cwd"},
          Row{R"("cwd":"x")", "/process/cwd"},
          Row{R"("args":[])", "/process/args"},
          Row{R"("user":{"uid":4294967295})", "/process/user/uid"},
          Row{R"("user":{"uid":2147483648})", ""},
          Row{R"("user":{"gid":4294967295})", "/process/user/gid"},
          Row{R"("user":{"additionalGids":[1,4294967295]})", "/process/user/additionalGids/1"},
          Row{R"("user":{"umask":512})", "/process/user/umask"},
          Row{R"("rlimits":[{"type":"RLIMIT_FOO","soft":1,"hard":1}])", "/process/rlimits/0/type"},
          Row{R"("rlimits":[{"type":"RLIMIT_CPU","soft":2,"hard":1}])", "/process/rlimits/0/soft"},
          Row{R"("rlimits":[{"type":"RLIMIT_CPU","soft":1,"hard":1},{"type":"RLIMIT_CPU","soft":1,"hard":1}])",
              "/process/rlimits/1/type"},
          Row{R"("oomScoreAdj":1001)", "/process/oomScoreAdj"},
          Row{R"("oomScoreAdj":-1001)", "/process/oomScoreAdj"},
          Row{R"("oomScoreAdj":-1000)", ""},
          Row{R"("scheduler":{"policy":"SCHED_FOO"})", "/process/scheduler/policy"},
          Row{R"("scheduler":{"policy":"SCHED_ISO"})", "/process/scheduler/policy"},
          Row{R"("scheduler":{"policy":"SCHED_OTHER","nice":20})", "/process/scheduler/nice"},
          Row{R"("scheduler":{"policy":"SCHED_BATCH","nice":-20})", ""},
          Row{R"("scheduler":{"policy":"SCHED_FIFO","nice":1,"priority":1})",
              "/process/scheduler/nice"},
          Row{R"("scheduler":{"policy":"SCHED_OTHER","priority":1})",
              "/process/scheduler/priority"},
          Row{R"("scheduler":{"policy":"SCHED_RR","priority":100})", "/process/scheduler/priority"},
          Row{R"("scheduler":{"policy":"SCHED_RR"})", "/process/scheduler/priority"},
          Row{R"("scheduler":{"policy":"SCHED_OTHER","runtime":1})", "/process/scheduler"},
          Row{R"("scheduler":{"policy":"SCHED_DEADLINE"})", "/process/scheduler/runtime"},
          Row{R"("scheduler":{"policy":"SCHED_DEADLINE","runtime":2,"deadline":1})",
              "/process/scheduler/deadline"},
          Row{R"("scheduler":{"policy":"SCHED_DEADLINE","runtime":2,"deadline":4,"period":3})",
              "/process/scheduler/period"},
          Row{R"("scheduler":{"policy":"SCHED_IDLE","flags":["SCHED_FLAG_X"]})",
              "/process/scheduler/flags/0"},
          Row{R"("ioPriority":{"class":"IOPRIO_CLASS_NONE"})", "/process/ioPriority/class"},
          Row{R"("ioPriority":{"class":"IOPRIO_CLASS_BE","priority":8})",
              "/process/ioPriority/priority"},
          Row{R"("ioPriority":{"class":"IOPRIO_CLASS_IDLE"})", ""},
          Row{R"("execCPUAffinity":{"initial":"x"})", "/process/execCPUAffinity/initial"},
          Row{R"("execCPUAffinity":{"final":"0;1"})", "/process/execCPUAffinity/final"},
          Row{R"("apparmorProfile":"a\nb")", "/process/apparmorProfile"},
          Row{R"("selinuxLabel":"a\u0001")", "/process/selinuxLabel"},
          Row{R"("capabilities":{"bounding":["CAP_UNHEARD_OF"]})", ""},
          Row{R"("env":["A=", "A=\n", "A==="])", ""},
          Row{R"("env":["A=1", "NOEQUALS"])", "/process/env/1"},
          Row{R"("env":[""])", "/process/env/0"},
      }) {
    if (pointer.empty())
      expect_valid({.process = piece});
    else
      expect_refused({.process = piece}, pointer);
  }
}

TEST(Validate, Mounts) {
  const auto on_proc = [](const std::string& destination, const std::string& rest) {
    return R"("mounts":[{"destination":")" + destination + "\"," + rest + "}]";
  };
  const std::string bind = R"("type":"none","source":"/srv","options":["ro","rbind"])";
  for (
      const auto& [piece, pointer] : {
          Row{R"("mounts":[{"destination":""}])", "/mounts/0/destination"},
          Row{on_proc("/proc", R"("type":"proc","source":"proc")"), ""},
          Row{on_proc("/proc/", R"("type":"bind","source":"/proc","options":["rbind"])"), ""},
          Row{on_proc("/proc", R"("type":"tmpfs")"), "/mounts/0/destination"},
          Row{on_proc("/proc", R"("type":"proc","source":"/srv","options":["bind"])"),
              "/mounts/0/destination"},
          Row{on_proc("//x/.././proc//", bind), "/mounts/0/destination"},
          Row{on_proc("proc/self", bind), "/mounts/0/destination"},
          Row{on_proc("/../proc/sys", bind), "/mounts/0/destination"},
          Row{on_proc("/proc/self/../meminfo", bind), ""},
          Row{on_proc("/proc/meminfo/..", bind), "/mounts/0/destination"},
          Row{on_proc("/proc/sys/kernel/ns_last_pid", bind), ""},
          Row{on_proc("/proc2/self", bind), ""},
          Row{on_proc("/proc/cpuinfo2", bind), "/mounts/0/destination"},
          Row{R"("mounts":[{"destination":"/a"},{"destination":"/b","uidMappings":[]}])",
              "/mounts/1"},
          Row{R"("mounts":[{"destination":"/b","uidMappings":[{"containerID":0,"hostID":0,"size":0}],"gidMappings":[]}])",
              "/mounts/0/uidMappings/0/size"},
      }) {
    if (pointer.empty())
      expect_valid({.top = piece});
    else
      expect_refused({.top = piece}, pointer);
  }
  const std::string idmap = R"("mounts":[{"destination":"/b","type":"bind","options":["idmap"]}])";
  expect_valid({.top = idmap});
  expect_refused({.top = idmap, .linux_part = R"("namespaces":[])"}, "/mounts/0/options");
}

std::string mapping(const std::string& container, const std::string& host,
                    const std::string& size) {
  return R"({"containerID":)" + container + R"(,"hostID":)" + host + R"(,"size":)" + size + "}";
}

std::string mappings(const std::string& uids, const std::string& gids) {
  return R"("uidMappings":[)" + uids + R"(],"gidMappings":[)" + gids + "]";
}

TEST(Validate, Mappings) {
  const std::string one = mapping("0", "0", "1");
  std::string many = mapping("0", "0", "1");
  for (int i = 1; i <= 339; ++i) many += "," + mapping(std::to_string(i), std::to_string(i), "1");
  for (const auto& [piece, pointer] : {
           Row{mappings(mapping("0", "0", "4294967295"), one), ""},
           Row{mappings(mapping("0", "1", "4294967295"), one), "/linux/uidMappings/0"},
           Row{mappings(mapping("4294967295", "1", "1"), one), "/linux/uidMappings/0"},
           Row{mappings(one, mapping("0", "0", "0")), "/linux/gidMappings/0/size"},
           Row{mappings(one + "," + mapping("0", "5", "1"), one), "/linux/uidMappings/1"},
           Row{mappings(mapping("0", "100", "10") + "," + mapping("10", "109", "1"), one),
               "/linux/uidMappings/1"},
           Row{mappings(mapping("0", "100", "10") + "," + mapping("10", "110", "1"), one), ""},
           Row{mappings(many, one), ""},
           Row{mappings(many + "," + mapping("340", "340", "1"), one), "/linux/uidMappings"},
           Row{mappings(one, ""), "/linux/uidMappings"},
           Row{mappings("", one), "/linux/gidMappings"},
           Row{mappings("", ""), "/linux/uidMappings"},
           Row{R"("namespaces":[{"type":"uts"}],)" + mappings(one, one), "/linux/uidMappings"},
           Row{R"("namespaces":[{"type":"user","path":"/proc/1/ns/user"}],)" + mappings("", ""),
               ""},
       }) {
    if (pointer.empty())
      expect_valid({.linux_part = piece});
    else
      expect_refused({.linux_part = piece}, pointer);
  }
}

TEST(Validate, Linux) {
  const std::string long_path = "/" + std::string(66000, 'x');
  for (
      const auto& [piece, pointer] : {
          Row{R"("namespaces":[{"type":"uts"},{"type":"pid"},{"type":"uts"}])",
              "/linux/namespaces/2/type"},
          Row{R"("namespaces":[{"type":"uts","path":"x"}])", "/linux/namespaces/0/path"},
          Row{R"("namespaces":[{"type":"uts","path":")" + long_path + "\"}]",
              "/linux/namespaces/0/path"},
          Row{R"("timeOffsets":{"monotonic":{"secs":1},"boottime":{"nanosecs":999999999}})", ""},
          Row{R"("timeOffsets":{"realtime":{"secs":1}})", "/linux/timeOffsets/realtime"},
          Row{R"("timeOffsets":{"boottime":{"nanosecs":1000000000}})",
              "/linux/timeOffsets/boottime/nanosecs"},
          Row{R"("namespaces":[],"timeOffsets":{"boottime":{}})", "/linux/timeOffsets"},
          Row{R"("namespaces":[{"type":"time","path":"/x"}],"timeOffsets":{"boottime":{}})",
              "/linux/timeOffsets"},
          Row{R"("netDevices":{"eth0":{"name":"c0"},"eth1":{}})", ""},
          Row{R"("netDevices":{"eth0":{"name":"eth%d"},"eth1":{"name":"eth%d"}})", ""},
          Row{R"("netDevices":{"eth0":{"name":"eth1"},"eth1":{}})", "/linux/netDevices/eth1/name"},
          Row{R"("netDevices":{"averyverylongname":{}})", "/linux/netDevices/averyverylongname"},
          Row{R"("netDevices":{"eth0":{"name":"a/b"}})", "/linux/netDevices/eth0/name"},
          Row{R"("namespaces":[],"netDevices":{"eth0":{}})", "/linux/netDevices"},
          Row{R"("cgroupsPath":"/a/b..c/...")", ""},
          Row{R"("cgroupsPath":"system.slice:berth:x")", ""},
          Row{R"("cgroupsPath":"/a/../b")", "/linux/cgroupsPath"},
          Row{R"("cgroupsPath":"..")", "/linux/cgroupsPath"},
          Row{R"("cgroupsPath":"/a/..")", "/linux/cgroupsPath"},
          Row{R"("cgroupsPath":"/a\tb")", "/linux/cgroupsPath"},
          Row{R"("rootfsPropagation":"rshared")", ""},
          Row{R"("rootfsPropagation":"Shared")", "/linux/rootfsPropagation"},
          Row{R"("maskedPaths":["/a","b"])", "/linux/maskedPaths/1"},
          Row{R"("readonlyPaths":[""])", "/linux/readonlyPaths/0"},
          Row{R"("mountLabel":"a\"b")", "/linux/mountLabel"},
          Row{R"("personality":{"domain":"LINUX"})", ""},
          Row{R"("personality":{"domain":"linux"})", "/linux/personality/domain"},
          Row{R"("personality":{"domain":"LINUX32","flags":["X"]})", "/linux/personality/flags"},
          Row{R"("memoryPolicy":{"mode":"MPOL_FOO"})", "/linux/memoryPolicy/mode"},
          Row{R"("memoryPolicy":{"mode":"MPOL_BIND"})", "/linux/memoryPolicy/nodes"},
          Row{R"("memoryPolicy":{"mode":"MPOL_LOCAL","nodes":"0"})", "/linux/memoryPolicy/nodes"},
          Row{R"("memoryPolicy":{"mode":"MPOL_PREFERRED"})", ""},
          Row{R"("memoryPolicy":{"mode":"MPOL_BIND","nodes":"a"})", "/linux/memoryPolicy/nodes"},
          Row{R"("memoryPolicy":{"mode":"MPOL_BIND","nodes":"0","flags":["X"]})",
              "/linux/memoryPolicy/flags/0"},
          Row{R"("memoryPolicy":{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_STATIC_NODES","MPOL_F_RELATIVE_NODES"]})",
              "/linux/memoryPolicy/flags"},
          Row{R"("intelRdt":{"closID":"/"})", ""},
          Row{R"("intelRdt":{"closID":"../x"})", "/linux/intelRdt/closID"},
          Row{R"("intelRdt":{"closID":".."})", "/linux/intelRdt/closID"},
          Row{R"("intelRdt":{"schemata":["L3:0=f","a\nb"]})", "/linux/intelRdt/schemata/1"},
          Row{R"("intelRdt":{"memBwSchema":"L3:0=f"})", "/linux/intelRdt/memBwSchema"},
      }) {
    if (pointer.empty())
      expect_valid({.linux_part = piece});
    else
      expect_refused({.linux_part = piece}, pointer);
  }
}

TEST(Validate, Sysctl) {
  for (const char* key : {"net.ipv4.ip_forward", "net/ipv4/ip_forward",
                          "net.ipv4.conf.eth0/1.forwarding", "kernel.sem", "kernel/shmmax",
                          "fs.mqueue.msg_max", "user.max_mnt_namespaces", "kernel.domainname"}) {
    expect_valid({.linux_part = R"("sysctl":{")" + std::string(key) + R"(":"1"})"});
  }
  for (const char* key : {"kernel.hostname",
                          "kernel/hostname",
                          "kernel.core_pattern",
                          "vm.swappiness",
                          "",
                          ".",
                          "net",
                          "net.",
                          "net..ipv4",
                          "net/../kernel/core_pattern",
                          "net/./x",
                          "net/ipv4/../../kernel/sem",
                          "fs.mqueue",
                          "/net/ipv4/ip_forward",
                          "net/ipv4/",
                          "net.//.kernel.core_pattern",
                          "kernel.sem.x",
                          "netx.y",
                          "../net/x",
                          "net/ipv4\\n/x"}) {
    std::string pointer = key;
    for (size_t i = 0; (i = pointer.find('/', i)) != std::string::npos;)
      pointer.replace(i, 1, "~1");
    if (const size_t i = pointer.find("\\n"); i != std::string::npos) pointer.replace(i, 2, "\n");
    expect_refused({.linux_part = R"("sysctl":{")" + std::string(key) + R"(":"1"})"},
                   "/linux/sysctl/" + pointer);
  }
  const std::string none = R"("namespaces":[{"type":"mount"}],"sysctl":{")";
  for (const char* key : {"net.x", "kernel.sem", "user.x", "kernel.domainname"}) {
    expect_refused({.linux_part = none + key + R"(":"1"})"}, "/linux/sysctl/" + std::string(key));
  }
  expect_refused(
      {.top = R"("domainname":"x")", .linux_part = R"("sysctl":{"kernel.domainname":"1"})"},
      "/linux/sysctl/kernel.domainname");
}

TEST(Validate, Devices) {
  const auto device = [](const std::string& rest) {
    return R"("devices":[{"path":"/dev/x","type":"c",)" + rest + "}]";
  };
  for (const auto& [piece, pointer] : {
           Row{device(R"("major":4095,"minor":1048575,"fileMode":511)"), ""},
           Row{device(R"("fileMode":8630)"), ""},  // S_IFCHR | 0666
           Row{device(R"("fileMode":25014)"), "/linux/devices/0/fileMode"},
           Row{device(R"("major":4096)"), "/linux/devices/0/major"},
           Row{device(R"("major":-1)"), "/linux/devices/0/major"},
           Row{device(R"("minor":1048576)"), "/linux/devices/0/minor"},
           Row{device(R"("uid":4294967295)"), "/linux/devices/0/uid"},
           Row{device(R"("gid":4294967295)"), "/linux/devices/0/gid"},
           Row{R"("devices":[{"path":"x","type":"c"}])", "/linux/devices/0/path"},
           Row{R"("devices":[{"path":"/dev/../x","type":"c"}])", "/linux/devices/0/path"},
       }) {
    if (pointer.empty())
      expect_valid({.linux_part = piece});
    else
      expect_refused({.linux_part = piece}, pointer);
  }
}

TEST(Validate, Resources) {
  for (const auto& [piece, pointer] : {
           Row{R"("devices":[{"allow":true,"access":"rwmx"}])", "/devices/0/access"},
           Row{R"("devices":[{"allow":true,"type":"c","major":-1,"minor":-1,"access":""}])", ""},
           Row{R"("devices":[{"allow":true,"major":-2}])", "/devices/0/major"},
           Row{R"("devices":[{"allow":true,"minor":4294967296}])", "/devices/0/minor"},
           Row{R"("memory":{"swappiness":101})", "/memory/swappiness"},
           Row{R"("memory":{"limit":-2})", "/memory/limit"},
           Row{R"("memory":{"reservation":-2})", "/memory/reservation"},
           Row{R"("memory":{"swap":-2})", "/memory/swap"},
           Row{R"("memory":{"limit":100,"swap":99})", "/memory/swap"},
           Row{R"("memory":{"limit":100,"swap":-1})", ""},
           Row{R"("cpu":{"cpus":"0-3,7","mems":"0"})", ""},
           Row{R"("cpu":{"cpus":"0-3;7"})", "/cpu/cpus"},
           Row{R"("cpu":{"mems":"a"})", "/cpu/mems"},
           Row{R"("cpu":{"idle":2})", "/cpu/idle"},
           Row{R"("pids":{"limit":-2})", "/pids/limit"},
           Row{R"("pids":{"limit":0})", ""},
           Row{R"("blockIO":{"weight":9})", "/blockIO/weight"},
           Row{R"("blockIO":{"leafWeight":1001})", "/blockIO/leafWeight"},
           Row{R"("blockIO":{"weightDevice":[{"major":8,"minor":0,"weight":5}]})",
               "/blockIO/weightDevice/0"},
           Row{R"("hugepageLimits":[{"pageSize":"64kB","limit":1}])", "/hugepageLimits/0/pageSize"},
           Row{R"("hugepageLimits":[{"pageSize":"64KB","limit":1}])", ""},
           Row{R"("network":{"priorities":[{"name":"","priority":1}]})",
               "/network/priorities/0/name"},
           Row{R"("rdma":{"":{}})", "/rdma"},
           Row{R"("unified":{"a/b":"1"})", "/unified"},
           Row{R"("unified":{"..":"1"})", "/unified"},
           Row{R"("unified":{"memory.high":"1"})", ""},
       }) {
    const std::string part = R"("resources":{)" + piece + "}";
    if (pointer.empty())
      expect_valid({.linux_part = part});
    else
      expect_refused({.linux_part = part}, "/linux/resources" + pointer);
    auto resources = read_resources("{" + piece + "}");
    ASSERT_TRUE(resources.has_value());
    const auto alone = validate_resources(*resources, "");
    EXPECT_EQ(alone.has_value(), pointer.empty());
    if (!alone) {
      EXPECT_EQ(alone.error().pointer(), pointer);
    }
  }
}

TEST(Validate, Seccomp) {
  const std::string allow = R"("defaultAction":"SCMP_ACT_ALLOW")";
  const auto rule = [&allow](const std::string& rest) {
    return allow + R"(,"syscalls":[{"names":["a"],)" + rest + "}]";
  };
  for (
      const auto& [piece, pointer] : {
          Row{allow, ""},
          Row{R"("defaultAction":"SCMP_ACT_NOTIFY")", "/defaultAction"},
          Row{allow + R"(,"defaultErrnoRet":1)", "/defaultErrnoRet"},
          Row{R"("defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38)", ""},
          Row{R"("defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":4096)", "/defaultErrnoRet"},
          Row{allow + R"(,"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_Z80"])",
              "/architectures/1"},
          Row{allow + R"(,"flags":["SECCOMP_FILTER_FLAG_X"])", "/flags/0"},
          Row{allow + R"(,"flags":["SECCOMP_FILTER_FLAG_TSYNC"])", ""},
          Row{allow + R"(,"listenerMetadata":"x")", "/listenerMetadata"},
          Row{allow + R"(,"listenerPath":"/x","listenerMetadata":"x")", ""},
          Row{rule(R"("action":"SCMP_ACT_NOTIFY")"), "/syscalls/0/action"},
          Row{rule(R"("action":"SCMP_ACT_NOTIFY")") + R"(,"listenerPath":"/x")", ""},
          Row{allow +
                  R"(,"listenerPath":"/x","syscalls":[{"names":["a","write"],"action":"SCMP_ACT_NOTIFY"}])",
              "/syscalls/0/action"},
          Row{rule(R"("action":"SCMP_ACT_KILL","errnoRet":1)"), "/syscalls/0/errnoRet"},
          Row{rule(R"("action":"SCMP_ACT_TRACE","errnoRet":65535)"), ""},
          Row{rule(R"("action":"SCMP_ACT_ERRNO","errnoRet":65535)"), "/syscalls/0/errnoRet"},
          Row{rule(R"("action":"SCMP_ACT_LOG","args":[{"index":6,"value":0,"op":"SCMP_CMP_EQ"}])"),
              "/syscalls/0/args/0/index"},
          Row{allow + R"(,"syscalls":[{"names":[],"action":"SCMP_ACT_LOG"}])", "/syscalls/0/names"},
          Row{allow + R"(,"syscalls":[{"names":[""],"action":"SCMP_ACT_LOG"}])",
              "/syscalls/0/names"},
          Row{rule(R"("action":"SCMP_ACT_FOO")"), "/syscalls/0/action"},
          Row{rule(R"("action":"SCMP_ACT_LOG","args":[{"index":0,"value":0,"op":"EQ"}])"),
              "/syscalls/0/args/0/op"},
      }) {
    const std::string part = R"("seccomp":{)" + piece + "}";
    if (pointer.empty())
      expect_valid({.linux_part = part});
    else
      expect_refused({.linux_part = part}, "/linux/seccomp" + pointer);
  }
}

}  // namespace
}  // namespace berth::spec
