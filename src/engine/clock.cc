// SPDX-License-Identifier: Apache-2.0
#include "engine/clock.h"

#include <time.h>

#include <chrono>

#include "core/format.h"

namespace berth::engine {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

}  // namespace

int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

std::string utc_text(int64_t nanoseconds) {
  // Not gmtime: it reads the host's time zone first.
  const std::chrono::sys_seconds seconds{std::chrono::seconds(nanoseconds / kSecond)};
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  return formatted("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", static_cast<int>(date.year()),
                   static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                   clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                   nanoseconds % kSecond);
}

}  // namespace berth::engine
