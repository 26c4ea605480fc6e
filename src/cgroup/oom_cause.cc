// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "cgroup/oom.h"

namespace berth::cgroup {
namespace {

bool is_at_or_below(std::string_view path, std::string_view top) {
  return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/');
}

// Of "...,oom_memcg=/a,task_memcg=/a/b,task=sh,pid=7,uid=0" what is between two keys.
std::string_view between(std::string_view text, std::string_view key, std::string_view next) {
  const size_t start = text.find(key);
  if (start == text.npos) return {};
  text.remove_prefix(start + key.size());
  const size_t end = text.rfind(next);
  return end == text.npos ? std::string_view() : text.substr(0, end);
}

// A path or a name may hold a comma: each ends where the next key begins.
OomVictim victim_of(std::string_view message) {
  OomVictim victim{.name = std::string(between(message, ",task=", ",pid=")),
                   .cgroup = std::string(between(message, ",task_memcg=", ",task="))};
  const size_t last = message.rfind(",pid=");  // a name may hold the words too
  const std::string_view pid =
      between(message.substr(std::min(last, message.size())), ",pid=", ",uid=");
  std::from_chars(pid.data(), pid.data() + pid.size(), victim.pid);
  return victim;
}

OomLimit place_of(std::string_view limited, std::string_view path) {
  if (limited == path) return OomLimit::Container;
  return is_at_or_below(limited, path) ? OomLimit::Inside : OomLimit::Above;
}

uint64_t hits_before(const OomCounts& before, std::string_view path) {
  const auto found = std::ranges::find(before.levels, path, &OomLevel::path);
  return found == before.levels.end() ? 0 : found->hits;
}

// The nearest level whose limit was met meanwhile; else the nearest that was ever full.
const OomLevel* find_level(const OomCounts* before, const OomCounts& after) {
  const OomLevel* full = nullptr;
  for (const OomLevel& level : after.levels) {
    if (!before && level.place == OomLimit::Above) continue;
    if (level.hits > (before ? hits_before(*before, level.path) : 0)) return &level;
    if (!full && level.was_full) full = &level;
  }
  return full;
}

}  // namespace

std::optional<OomDeath> parse_oom_death(std::string_view message) {
  constexpr std::string_view kStart = "oom-kill:constraint=";
  if (!message.starts_with(kStart)) return std::nullopt;
  OomDeath death{.by_cgroup = message.substr(kStart.size()).starts_with("CONSTRAINT_MEMCG"),
                 .limited = std::string(between(message, ",oom_memcg=", ",task_memcg=")),
                 .victim = victim_of(message)};
  if (death.victim.pid == 0) return std::nullopt;
  return death;
}

std::vector<OomDeath> deaths_in(std::span<const std::string> messages, std::string_view path) {
  std::vector<OomDeath> deaths;
  for (const std::string& message : messages) {
    std::optional<OomDeath> death = parse_oom_death(message);
    if (death && is_at_or_below(death->victim.cgroup, path)) deaths.push_back(*std::move(death));
  }
  return deaths;
}

OutOfMemory attribute_oom(const OomCounts* before, const OomCounts& after,
                          std::span<const OomDeath> deaths, std::string_view path) {
  OutOfMemory oom{.kills = after.kills};
  oom.new_kills = after.kills - std::min(after.kills, before ? before->kills : 0);
  for (const OomDeath& death : deaths) oom.victims.push_back(death.victim);
  if (!deaths.empty()) {
    const OomDeath& last = deaths.back();
    oom.limit = last.by_cgroup ? place_of(last.limited, path) : OomLimit::Machine;
    oom.cgroup = last.limited;
  } else if (const OomLevel* level = find_level(before, after)) {
    oom.limit = level->place;
    oom.cgroup = level->path;
  } else if (before && after.complete && oom.new_kills > 0) {
    oom.limit = OomLimit::Machine;
  }
  return oom;
}

}  // namespace berth::cgroup
