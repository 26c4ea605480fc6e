// SPDX-License-Identifier: Apache-2.0
#include <linux/capability.h>

#include <algorithm>
#include <charconv>

#include "berth/try.h"
#include "plan/id_map.h"
#include "plan/mount_item.h"
#include "plan/refuse.h"
#include "spec/validate.h"

namespace berth::plan {
namespace {

using spec::IdMapping;
using Mappings = std::vector<IdMapping>;

// One word of config.json while it is taken apart.
struct Word {
  std::string_view text;
  std::string pointer;
};

std::unexpected<Error> malformed(const Word& word) {
  return refuse(word.pointer, ErrorKind::InvalidConfig,
                "{} is not of the form idmap=uids=FILE-HOST-SIZE#...;gids=FILE-HOST-SIZE#...",
                word.text);
}

// Up to the mark, which is taken off as well.
std::string_view take_until(std::string_view& rest, char mark) {
  const size_t end = std::min(rest.find(mark), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

bool read_number(std::string_view text, uint32_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// "@": the second number is an id of the container; as crun has it, the range of the container's
// map that holds the first number says what it is on the host.
Result<> make_absolute(IdMapping& range, const Mappings& container, const Word& word) {
  for (const IdMapping& item : container) {
    if (range.container_id < item.container_id ||
        range.container_id - item.container_id >= item.size)
      continue;
    range.host_id += item.host_id - item.container_id;
    return {};
  }
  return refuse(word.pointer, ErrorKind::InvalidConfig,
                "{}: the mappings of the user namespace have no id {}", word.text,
                range.container_id);
}

Result<Mappings> read_ranges(std::string_view text, const Mappings& container, const Word& word) {
  Mappings ranges;
  while (!text.empty()) {
    std::string_view part = take_until(text, '#');
    const bool relative = part.starts_with('@');
    if (relative) part.remove_prefix(1);
    IdMapping range;
    for (uint32_t* number : {&range.container_id, &range.host_id, &range.size}) {
      if (!read_number(take_until(part, '-'), *number)) return malformed(word);
    }
    if (!part.empty()) return malformed(word);
    if (relative) TRY(make_absolute(range, container, word));
    ranges.push_back(range);
  }
  if (ranges.empty()) return malformed(word);
  Result<> sound = spec::validate_mappings(ranges, {});
  if (sound) return ranges;
  return refuse(word.pointer, ErrorKind::InvalidConfig, "{}: range {} {}", word.text,
                sound.error().pointer().substr(1), sound.error().cause());
}

// crun's form: "uids=...;gids=...".
Result<> read_word(const Word& word, const spec::Linux& platform, MountIdMap& map) {
  std::string_view rest = word.text.substr(word.text.find('=') + 1);
  while (!rest.empty()) {
    const std::string_view part = take_until(rest, ';');
    if (part.starts_with("uids=")) {
      map.uid_map = map_text(TRY(read_ranges(part.substr(5), platform.uid_mappings, word)));
    } else if (part.starts_with("gids=")) {
      map.gid_map = map_text(TRY(read_ranges(part.substr(5), platform.gid_mappings, word)));
    } else {
      return malformed(word);
    }
  }
  if (map.uid_map.empty() || map.gid_map.empty()) return malformed(word);
  return {};
}

// A joined user namespace's maps are its own: the engine takes the namespace itself.
Result<> take_container_maps(const spec::Spec& spec, MountItem& item) {
  const spec::Namespace* user = spec::find_namespace(spec.platform, spec::NamespaceType::User);
  if (user == nullptr) {
    return refuse(item.pointer, ErrorKind::InvalidConfig,
                  "idmap needs uidMappings and gidMappings, or a user namespace");
  }
  if (!user->path.empty()) return {};
  item.id_map->uid_map = map_text(spec.platform.uid_mappings);
  item.id_map->gid_map = map_text(spec.platform.gid_mappings);
  return {};
}

Result<> fill_maps(const spec::Spec& spec, const spec::Mount& mount, MountItem& item) {
  const bool own = mount.uid_mappings && !mount.uid_mappings->empty();
  if (own) {
    item.id_map->uid_map = map_text(*mount.uid_mappings);
    item.id_map->gid_map = map_text(*mount.gid_mappings);
  }
  bool said = own;
  for (size_t i = 0; i < mount.options.size(); ++i) {
    const std::string& word = mount.options[i];
    if (!word.starts_with("idmap=") && !word.starts_with("ridmap=")) continue;
    const std::string pointer = formatted("{}/options/{}", item.pointer, i);
    if (said) return refuse(pointer, ErrorKind::InvalidConfig, "the ids are mapped twice");
    TRY(read_word({word, pointer}, spec.platform, *item.id_map));
    said = true;
  }
  return said ? Result<>() : take_container_maps(spec, item);
}

}  // namespace

Result<> plan_mount_ids(const spec::Spec& spec, const spec::Mount& mount, const HostFacts& facts,
                        MountItem& item) {
  if (mount.uid_mappings && !mount.uid_mappings->empty() && !item.id_map) item.id_map.emplace();
  if (!item.id_map) return {};
  if (item.kind != MountKind::Bind) {
    return refuse(item.pointer, ErrorKind::Unsupported, "only bind mounts can be id-mapped");
  }
  if (facts.in_user_namespace || (facts.capabilities >> CAP_SYS_ADMIN & 1) == 0) {
    return refuse(item.pointer, ErrorKind::Unsupported,
                  "only root can id-map a mount: the filesystem is not the user namespace's own");
  }
  return fill_maps(spec, mount, item);
}

}  // namespace berth::plan
