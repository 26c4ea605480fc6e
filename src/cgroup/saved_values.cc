// SPDX-License-Identifier: Apache-2.0
#include "cgroup/saved_values.h"

#include <algorithm>

#include "berth/try.h"
#include "core/format.h"

namespace berth::cgroup {
namespace {

// Files with a line for each device, that take one such line a write; and what takes a line away.
struct KeyedFile {
  std::string_view ending;
  std::string_view none;  // after the key; empty: a line can not be taken away
};
constexpr KeyedFile kKeyedFiles[] = {
    {"io.max", " rbps=max wbps=max riops=max wiops=max"},
    {"io.weight", " default"},
    {"io.bfq.weight", " default"},
    {"io.latency", " target=0"},
    {"blkio.bfq.weight_device", " default"},
    {"weight_device", " 0"},  // cfq, Linux before 5.0
    {"_bps_device", " 0"},
    {"_iops_device", " 0"},
    {"net_prio.ifpriomap", ""},
    {"rdma.max", ""},
    {"misc.max", ""},
    {"dmem.max", ""},
    {"dmem.min", ""},
    {"dmem.low", ""},
};

std::optional<std::string_view> line_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.starts_with(key) && line.substr(key.size()).starts_with(' ')) return trimmed(line);
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return {};
}

std::optional<std::string> undoing_line(const KeyedFile& file, std::string_view value,
                                        std::string_view now) {
  const size_t space = value.find(' ');
  // A weight without a device is that of the others: "default 100", on old kernels a bare number.
  const std::string_view key = space == value.npos ? "default" : value.substr(0, space);
  if (const auto line = line_of(now, key)) return std::string(*line);
  if (space == value.npos) return std::string(trimmed(now));
  if (file.none.empty()) return {};
  return std::string(key) + std::string(file.none);
}

// Of those that say more, or something else, than they take.
std::optional<std::string> undoing_word(std::string_view file, std::string_view now) {
  if (file == "memory.oom_control") return formatted("{}", value_of(now, "oom_kill_disable"));
  const std::string_view word = trimmed(now);
  // An idle cgroup says a weight of 0, which is not to be written: cpu.idle brings it back.
  if (file == "cpu.weight" && word == "0") return {};
  if (word.contains('\n')) return {};
  return std::string(word);
}

plan::CgroupWrite undoing_write(const plan::CgroupWrite& write, std::string file,
                                std::string value) {
  return {.controller = write.controller,
          .file = std::move(file),
          .value = std::move(value),
          .pointer = write.pointer,
          .retry_last = true,
          // Meanwhile more may be in use than the old limit allows.
          .make_room = write.file == "memory.max"};
}

std::optional<plan::CgroupWrite> undoing(const plan::CgroupWrite& write,
                                         const Directory& directory) {
  struct Candidate {
    const std::string &file, &value;
  };
  for (const auto& [file, value] :
       {Candidate{write.file, write.value}, Candidate{write.else_file, write.else_value}}) {
    if (file.empty()) continue;
    const Result<std::string> now = directory.read(file);
    if (!now) continue;
    std::optional<std::string> old = undoing_value(file, value, *now);
    if (!old) return {};
    return undoing_write(write, file, std::move(*old));
  }
  return {};
}

}  // namespace

std::optional<std::string> undoing_value(std::string_view file, std::string_view value,
                                         std::string_view now) {
  const auto keyed = std::ranges::find_if(
      kKeyedFiles, [file](const KeyedFile& each) { return file.ends_with(each.ending); });
  if (keyed != std::end(kKeyedFiles)) return undoing_line(*keyed, value, now);
  return undoing_word(file, now);
}

Result<std::vector<plan::CgroupWrite>> save_values(std::span<const plan::CgroupWrite> writes,
                                                   const Locate& locate) {
  std::vector<plan::CgroupWrite> saved;
  for (const plan::CgroupWrite& planned : writes) {
    plan::CgroupWrite write = planned;
    const Directory* directory = locate(write);
    if (directory == nullptr) continue;
    if (auto undo = undoing(write, *directory)) saved.push_back(std::move(*undo));
  }
  std::ranges::reverse(saved);
  return saved;
}

}  // namespace berth::cgroup
