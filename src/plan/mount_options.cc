// SPDX-License-Identifier: Apache-2.0
#include "spec/mount_options.h"

#include <sys/mount.h>

#include <algorithm>

#include "berth/try.h"
#include "plan/mount_item.h"
#include "plan/refuse.h"

namespace berth::plan {
namespace {

using spec::MountOptionKind;

// What the superblock has, not the mount: fsconfig(2)'s words. The rest (iversion, silent) no
// filesystem asks us for.
struct SuperblockFlag {
  uint64_t flag;
  std::string_view word;
};
constexpr SuperblockFlag kSuperblockFlags[] = {
    {MS_SYNCHRONOUS, "sync"},
    {MS_DIRSYNC, "dirsync"},
    {MS_MANDLOCK, "mand"},
    {MS_LAZYTIME, "lazytime"},
};

void change_attributes(uint64_t& set, uint64_t& clear, uint64_t option_set, uint64_t option_clear) {
  set = (set & ~option_clear) | option_set;
  clear = (clear & ~option_set) | option_clear;
}

// mount_setattr(2) wants the field of the access time cleared as a whole before one value is set.
void complete_atime(uint64_t set, uint64_t& clear) {
  constexpr uint64_t kAtime = MOUNT_ATTR__ATIME;
  if (((set | clear) & kAtime) != 0) clear |= kAtime;
}

// "a,b=\"c,d\",e": one word in config.json may be several of mount(2)'s data.
std::vector<std::string> split_data(std::string_view text) {
  std::vector<std::string> words(1);
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == ',' && !quoted) {
      words.emplace_back();
    } else {
      if (text[i] == '\\' && i + 1 < text.size()) words.back() += text[i++];
      words.back() += text[i];
    }
  }
  std::erase(words, std::string());
  return words;
}

void add_data(std::string_view text, MountItem& item) {
  for (const std::string& word : split_data(text)) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) {
      item.options.push_back({.key = word});
    } else {
      item.options.push_back({.key = word.substr(0, equals), .value = word.substr(equals + 1)});
    }
  }
}

// A word without maps may be followed by one with them; plan_mount_ids reads those.
void ask_id_map(bool recursive, MountItem& item) {
  if (!item.id_map) item.id_map.emplace();
  item.id_map->recursive = item.id_map->recursive || recursive;
}

Result<> add_unknown(const std::string& word, const std::string& pointer, MountItem& item) {
  const bool recursive = word.starts_with("ridmap=");
  if (recursive || word.starts_with("idmap=")) {
    ask_id_map(recursive, item);
    return {};
  }
  if (item.kind == MountKind::Bind) {
    return refuse(pointer, ErrorKind::InvalidConfig,
                  "unknown mount option {} (a bind mount has no options of a filesystem)", word);
  }
  add_data(word, item);
  return {};
}

Result<> set_superblock_flag(std::string_view word, const std::string& pointer,
                             MountOptions target) {
  const MountKind kind = target.item.kind;
  if (kind == MountKind::Filesystem || kind == MountKind::Remount) {
    target.item.options.push_back({.key = std::string(word)});
  } else {
    target.warnings.push_back(
        formatted("{}: mount option {} has no effect on a bind mount", pointer, word));
  }
  return {};
}

Result<> apply_flag(const spec::MountOption& option, const std::string& pointer,
                    MountOptions target) {
  MountItem& item = target.item;
  change_attributes(item.attr_set, item.attr_clear, spec::mount_attributes(option.set),
                    spec::mount_attributes(option.clear));
  for (const auto& [flag, word] : kSuperblockFlags) {
    if ((option.set & flag) != 0) TRY(set_superblock_flag(word, pointer, target));
    if ((option.clear & flag) != 0)
      std::erase_if(item.options, [&](const auto& earlier) { return earlier.key == word; });
  }
  return {};
}

// Filled by making files, which these can not.
Result<> set_copy_up(const std::string& pointer, MountItem& item) {
  constexpr std::string_view kFixed[] = {"cgroup", "cgroup2", "devpts", "mqueue", "proc", "sysfs"};
  if (item.kind != MountKind::Filesystem ||
      std::ranges::find(kFixed, item.fs_type) != std::end(kFixed)) {
    return refuse(pointer, ErrorKind::InvalidConfig,
                  "tmpcopyup needs a new filesystem that can be filled, as tmpfs");
  }
  item.copy_up = true;
  return {};
}

Result<> sort_option(const std::string& word, const std::string& pointer, MountOptions target) {
  MountItem& item = target.item;
  const spec::MountOption* option = spec::find_mount_option(word);
  if (option == nullptr) return add_unknown(word, pointer, item);
  switch (option->kind) {
    case MountOptionKind::Flag: return apply_flag(*option, pointer, target);
    case MountOptionKind::RecursiveAttribute:
      change_attributes(item.recursive_set, item.recursive_clear, option->set, option->clear);
      return {};
    case MountOptionKind::Propagation: item.propagation.push_back(option->set); return {};
    case MountOptionKind::Bind:
      item.recursive = item.recursive || (option->set & MS_REC) != 0;
      return {};
    case MountOptionKind::Remount: return {};
    case MountOptionKind::NoFail: item.optional = true; return {};
    case MountOptionKind::SourceNoFollow: item.nofollow_source = true; return {};
    case MountOptionKind::DestinationNoFollow: item.nofollow_target = true; return {};
    case MountOptionKind::CopyUp: return set_copy_up(pointer, item);
    case MountOptionKind::IdMap: ask_id_map((option->set & MS_REC) != 0, item); return {};
    case MountOptionKind::CopySymlink: item.copy_link = true; return {};
  }
  return {};
}

// The two sides of a link are asked for at once only by mistake.
Result<> check_links(const MountItem& item) {
  const bool nofollow = item.nofollow_source || item.nofollow_target;
  if (item.copy_link && nofollow) {
    return refuse(item.pointer, ErrorKind::InvalidConfig,
                  "copy-symlink cannot go with src-nofollow or dest-nofollow");
  }
  if ((item.copy_link || item.nofollow_source) && item.kind != MountKind::Bind) {
    return refuse(item.pointer, ErrorKind::InvalidConfig, "{} is for bind mounts only",
                  item.copy_link ? "copy-symlink" : "src-nofollow");
  }
  return {};
}

bool asks(const spec::Mount& mount, MountOptionKind kind) {
  return std::ranges::any_of(mount.options, [kind](const std::string& word) {
    const spec::MountOption* option = spec::find_mount_option(word);
    return option != nullptr && option->kind == kind;
  });
}

// As mount(8) has it: with bind, a remount changes one mount and not the filesystem below it.
Result<> check_remount(const spec::Mount& mount, const MountItem& item) {
  const bool of_one_mount = mount.type == "bind" || asks(mount, MountOptionKind::Bind);
  if (item.kind != MountKind::Remount || !of_one_mount || item.options.empty()) return {};
  return refuse(item.pointer, ErrorKind::InvalidConfig,
                "the filesystem option {} cannot be changed together with bind",
                item.options.front().key);
}

}  // namespace

Result<> sort_options(const spec::Mount& mount, MountOptions target) {
  MountItem& item = target.item;
  if (asks(mount, MountOptionKind::Remount)) {
    item.kind = MountKind::Remount;
  } else if (mount.type == "bind" || asks(mount, MountOptionKind::Bind)) {
    item.kind = MountKind::Bind;
  }
  for (size_t i = 0; i < mount.options.size(); ++i) {
    TRY(sort_option(mount.options[i], formatted("{}/options/{}", item.pointer, i), target));
  }
  TRY(check_links(item));
  TRY(check_remount(mount, item));
  complete_atime(item.attr_set, item.attr_clear);
  complete_atime(item.recursive_set, item.recursive_clear);
  if (item.kind != MountKind::Bind && item.kind != MountKind::Remount) {
    // Nothing is below a new filesystem, and nothing was set on it before.
    item.attr_set |= item.recursive_set;
    item.attr_clear = item.recursive_set = item.recursive_clear = 0;
  }
  return {};
}

}  // namespace berth::plan
