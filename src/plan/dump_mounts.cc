// SPDX-License-Identifier: Apache-2.0
#include <sys/mount.h>
#include <sys/stat.h>

#include "core/format.h"
#include "plan/dump_parts.h"

namespace berth::plan {
namespace {

struct AttributeName {
  uint64_t bit;
  const char* set;
  const char* cleared;
};
constexpr AttributeName kAttributes[] = {
    {MOUNT_ATTR_RDONLY, "ro", "rw"},
    {MOUNT_ATTR_NOSUID, "nosuid", "suid"},
    {MOUNT_ATTR_NODEV, "nodev", "dev"},
    {MOUNT_ATTR_NOEXEC, "noexec", "exec"},
    {MOUNT_ATTR_NOATIME, "noatime", ""},
    {MOUNT_ATTR_STRICTATIME, "strictatime", ""},
    {MOUNT_ATTR_NODIRATIME, "nodiratime", "diratime"},
    {MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow", "symfollow"},
};

// The words of config.json that mean it, with "r" before those of the whole tree.
void add_attributes(std::vector<std::string>& words, uint64_t set, uint64_t clear,
                    const std::string& prefix) {
  for (const auto& [bit, name, cleared] : kAttributes) {
    if ((set & bit) != 0) words.push_back(prefix + name);
    if ((clear & bit) != 0 && *cleared != '\0') words.push_back(prefix + cleared);
  }
  const bool atime = (clear & MOUNT_ATTR__ATIME) != 0;
  if (atime && (set & MOUNT_ATTR__ATIME) == 0) words.push_back(prefix + "relatime");
}

std::vector<std::string> attributes_of(const MountItem& item) {
  std::vector<std::string> words;
  add_attributes(words, item.attr_set, item.attr_clear, "");
  add_attributes(words, item.recursive_set, item.recursive_clear, "r");
  return words;
}

std::string kind_of(const MountItem& item) {
  switch (item.kind) {
    case MountKind::Filesystem: return item.fs_type;
    case MountKind::Bind: return item.recursive ? "rbind" : "bind";
    case MountKind::Remount: return "remount";
    case MountKind::CgroupV1: return "cgroup";
    case MountKind::CgroupV2: return "cgroup2";
  }
  return {};
}

void dump_hierarchies(json::Writer& out, const MountItem& item) {
  if (item.cgroups.empty()) return;
  out.key("hierarchies").begin_array();
  for (const CgroupMountEntry& entry : item.cgroups) {
    out.begin_object().member("name", entry.name).member("source", entry.source);
    text_member(out, "sourceInstead", entry.source_instead);
    text_member(out, "options", entry.options);
    list_member(out, "links", entry.links);
    out.end();
  }
  out.end();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t start = 0; start < text.size();) {
    const size_t end = text.find('\n', start);
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

void dump_id_map(json::Writer& out, const MountIdMap& map) {
  out.key("idMap").begin_object();
  flag_member(out, "recursive", map.recursive);
  flag_member(out, "ofTheJoinedNamespace", map.uid_map.empty());
  list_member(out, "uids", lines_of(map.uid_map));
  list_member(out, "gids", lines_of(map.gid_map));
  out.end();
}

void dump_mount(json::Writer& out, const MountItem& item) {
  out.begin_object().member("target", item.target).member("mount", kind_of(item));
  text_member(out, "source", item.source);
  std::vector<std::string> options;
  for (const FilesystemOption& option : item.options)
    options.push_back(option.key + (option.value ? "=" + *option.value : ""));
  list_member(out, "options", options);
  list_member(out, "attributes", attributes_of(item));
  std::vector<std::string> propagation;
  for (const uint64_t each : item.propagation) propagation.push_back(propagation_name(each));
  list_member(out, "propagation", propagation);
  dump_hierarchies(out, item);
  if (item.id_map) dump_id_map(out, *item.id_map);
  flag_member(out, "sourceOpenedByHost", item.source_first);
  flag_member(out, "readonlyAtTheEnd", item.readonly_late);
  flag_member(out, "ownDev", item.is_dev);
  flag_member(out, "filledFromTheImage", item.copy_up);
  flag_member(out, "mayFail", item.optional);
  text_member(out, "orBound", item.instead);
  flag_member(out, "copiesLink", item.copy_link);
  flag_member(out, "noFollowSource", item.nofollow_source);
  flag_member(out, "noFollowTarget", item.nofollow_target);
  flag_member(out, "cgroupNamespace", item.cgroup_namespace);
  out.member("from", item.pointer).end();
}

std::string node_of(const DeviceItem& item) {
  if (S_ISFIFO(item.mode)) return "p";
  return formatted("{} {}:{}", S_ISBLK(item.mode) ? 'b' : 'c', item.major, item.minor);
}

}  // namespace

void dump_mounts(json::Writer& out, const std::vector<MountItem>& mounts) {
  out.key("mounts").begin_array();
  for (const MountItem& item : mounts) dump_mount(out, item);
  out.end();
}

void dump_devices(json::Writer& out, const InitPlan& plan) {
  flag_member(out, "boundFromHost", plan.bind_devices);
  out.key("devices").begin_array();
  for (const DeviceItem& item : plan.devices) {
    out.begin_object().member("path", item.path).member("node", node_of(item));
    out.member("mode", formatted("{:04o}", item.mode & 07777U));
    if (item.uid != 0 || item.gid != 0) out.member("owner", formatted("{}:{}", item.uid, item.gid));
    text_member(out, "from", item.pointer);
    out.end();
  }
  out.end();
  out.key("links").begin_object();
  for (const LinkItem& link : plan.links) out.member(link.path, link.target);
  out.end();
}

std::vector<std::string> loosening_words(const MountItem& item) {
  constexpr uint64_t kAtime = MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME;
  return attributes_of({.attr_set = item.attr_set & kAtime,
                        .attr_clear = item.attr_clear,
                        .recursive_set = item.recursive_set & kAtime,
                        .recursive_clear = item.recursive_clear});
}

std::string propagation_name(uint64_t propagation) {
  const std::string prefix = (propagation & MS_REC) != 0 ? "r" : "";
  if ((propagation & MS_SHARED) != 0) return prefix + "shared";
  if ((propagation & MS_SLAVE) != 0) return prefix + "slave";
  if ((propagation & MS_PRIVATE) != 0) return prefix + "private";
  return prefix + "unbindable";
}

}  // namespace berth::plan
