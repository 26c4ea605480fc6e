// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include "berth/try.h"
#include "cgroup/directory.h"
#include "cgroup/oom.h"
#include "cgroup/writes.h"

namespace berth::cgroup {
namespace {

// A file of a cgroup anywhere in the hierarchy; empty: it or its cgroup is not there.
std::string read_at(const Directory& directory, const std::string& path, const char* file) {
  const auto level = directory.open_in_hierarchy(path, O_PATH | O_DIRECTORY);
  if (!level) return {};
  Result<std::string> text = read_control(level->get(), file);
  return text ? *std::move(text) : std::string();
}

uint64_t number_at(const Directory& directory, const std::string& path, const char* file) {
  const std::string text = read_at(directory, path, file);
  return text.empty() ? 0 : parse_number(text);
}

uint64_t hits_at(const Directory& directory, const std::string& path) {
  if (directory.is_v2()) return value_of(read_at(directory, path, "memory.events.local"), "oom");
  return number_at(directory, path, "memory.failcnt") +
         number_at(directory, path, "memory.memsw.failcnt");
}

// Charges are of a few pages: that much may be left where there was no room for one more.
bool was_full(const Directory& directory, const std::string& path) {
  constexpr uint64_t kOneCharge = 64 << 10;
  if (directory.is_v2()) return false;
  return number_at(directory, path, "memory.max_usage_in_bytes") + kOneCharge >=
         number_at(directory, path, "memory.limit_in_bytes");
}

// v2 adds up what happens below; v1 counts each cgroup alone.
uint64_t kills_at(const Directory& directory, const std::string& path, bool is_own) {
  if (!directory.is_v2())
    return value_of(read_at(directory, path, "memory.oom_control"), "oom_kill");
  return is_own ? value_of(read_at(directory, path, "memory.events"), "oom_kill") : 0;
}

}  // namespace

const plan::CgroupPlace* memory_place(std::span<const plan::CgroupPlace> places) {
  const plan::CgroupPlace* unified = nullptr;
  for (const plan::CgroupPlace& place : places) {
    if (Directory(place).has("memory")) return &place;
    if (place.is_v2) unified = &place;
  }
  return unified;
}

Result<OomCounts> count_oom(const plan::CgroupPlace& place) {
  const Directory directory(place);
  const std::string own = place.path.substr(1);
  OomCounts counts;
  for (const std::string& below : TRY(directory.subtree())) {
    const bool is_own = below.empty();
    const std::string path = is_own ? own : own + "/" + below;
    counts.kills += kills_at(directory, path, is_own);
    counts.levels.push_back({.place = is_own ? OomLimit::Container : OomLimit::Inside,
                             .path = "/" + path,
                             .hits = hits_at(directory, path),
                             .was_full = was_full(directory, path)});
  }
  for (std::string path = own; !path.empty();) {
    const size_t slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
    counts.levels.push_back({.place = OomLimit::Above,
                             .path = "/" + path,
                             .hits = hits_at(directory, path),
                             .was_full = was_full(directory, path)});
  }
  // The machine's root has no such file; that of a namespace has.
  counts.complete = directory.is_v2() && read_at(directory, "", "memory.events.local").empty();
  return counts;
}

}  // namespace berth::cgroup
