// SPDX-License-Identifier: Apache-2.0
#include "cgroup/room.h"

#include <charconv>

#include "berth/try.h"
#include "cgroup/usage.h"
#include "cgroup/writes.h"
#include "core/context.h"

namespace berth::cgroup {
namespace {

// Each pass of memory.reclaim may give up early (EAGAIN) and still have freed something.
constexpr int kPasses = 8;

uint64_t usage_of(const Directory& directory) {
  const Result<std::string> text = directory.read("memory.current");
  return text ? parse_number(*text) : 0;
}

// Linux 5.19; before it memory.high alone must do.
void reclaim(const Directory& directory, uint64_t limit) {
  uint64_t usage = usage_of(directory);
  for (int pass = 0; pass < kPasses && usage > limit; ++pass) {
    (void)directory.write("memory.reclaim", formatted("{}", usage - limit));
    const uint64_t left = usage_of(directory);
    if (left >= usage) return;
    usage = left;
  }
}

}  // namespace

Room::~Room() {
  if (high_) (void)directory_.write("memory.high", *high_);
}

// The write itself reclaims what is above (all kernels with cgroup v2).
Result<> Room::lower_high(uint64_t limit) {
  const std::string text = TRY(directory_.read("memory.high"));
  if (parse_number(text) <= limit) return {};
  high_ = std::string(trimmed(text));
  return directory_.write("memory.high", formatted("{}", limit));
}

Result<> Room::make(const plan::CgroupWrite& write) {
  const std::optional<uint64_t> limit = memory_bytes(write.value);
  if (!limit || usage_of(directory_) <= *limit) return {};
  TRY(lower_high(*limit));
  reclaim(directory_, *limit);
  if (usage_of(directory_) <= *limit) return {};
  return fail(ErrorKind::WrongState,
              "write {} to {}: more is in use and could not be reclaimed{}; forced, the kernel "
              "kills processes of the container until the limit holds",
              write.value, write.file, usage_note(directory_, write.file));
}

std::optional<uint64_t> memory_bytes(std::string_view text) {
  constexpr std::string_view kUnits = "kmgtpe";
  text = trimmed(text);
  if (text == "max") return UINT64_MAX;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return {};
  const std::string_view unit(end, text.data() + text.size());
  if (unit.empty()) return number;
  const char letter = static_cast<char>(unit.front() | 0x20);
  const size_t power = kUnits.find(letter);
  if (unit.size() > 1 || power == kUnits.npos) return {};
  const unsigned shift = 10 * static_cast<unsigned>(power + 1);
  return number > UINT64_MAX >> shift ? UINT64_MAX : number << shift;
}

}  // namespace berth::cgroup
