// SPDX-License-Identifier: Apache-2.0
#include "cli/process_options.h"

#include <limits>

#include "berth/try.h"
#include "cli/values.h"
#include "core/context.h"

namespace berth::cli {
namespace {

using Number = std::numeric_limits<int32_t>;

// "SCHED_" and "fifo": "SCHED_FIFO".
std::string config_word(std::string_view prefix, std::string_view text) {
  std::string word(text);
  for (char& each : word) each = each >= 'a' && each <= 'z' ? static_cast<char>(each - 0x20) : each;
  return word.starts_with(prefix) ? word : std::string(prefix) + word;
}

std::string_view before(std::string_view text, char separator) {
  return text.substr(0, text.find(separator));
}

std::string_view after(std::string_view text, char separator) {
  const size_t place = text.find(separator);
  return place == text.npos ? std::string_view() : text.substr(place + 1);
}

Result<int32_t> small_number(std::string_view text) {
  const int64_t number = TRY(parse_integer(text));
  if (number >= Number::min() && number <= Number::max()) return static_cast<int32_t>(number);
  return fail(ErrorKind::InvalidUse, "{} is too large", number);
}

Result<uint64_t> limit(std::string_view text) {
  if (text == "unlimited" || text == "-1") return UINT64_MAX;
  return parse_unsigned(text);
}

// "nofile=1024:4096"; one number is both.
Result<Rlimit> parse_rlimit(std::string_view text) {
  if (!text.contains('=')) {
    return fail(ErrorKind::InvalidUse, "\"{}\" is not TYPE=SOFT[:HARD], such as nofile=1024:4096",
                text);
  }
  const std::string_view values = after(text, '=');
  const uint64_t soft = TRY(limit(before(values, ':')));
  const uint64_t hard = values.contains(':') ? TRY(limit(after(values, ':'))) : soft;
  return Rlimit{.type = config_word("RLIMIT_", before(text, '=')), .soft = soft, .hard = hard};
}

Result<IoPriority> parse_io_priority(std::string_view text) {
  IoPriority priority{.io_class = config_word("IOPRIO_CLASS_", before(text, ':'))};
  if (text.contains(':')) priority.priority = TRY(small_number(after(text, ':')));
  return priority;
}

Result<uint64_t> nanoseconds(std::string_view text) {
  const int64_t duration = TRY(parse_duration(text));
  if (duration >= 0) return static_cast<uint64_t>(duration);
  return fail(ErrorKind::InvalidUse, "{} is less than nothing", text);
}

// "10ms:20ms:100ms": runtime, deadline and, if it is longer, period.
Result<> read_times(std::string_view text, Scheduler& scheduler) {
  scheduler.runtime = TRY(nanoseconds(before(text, ':')));
  const std::string_view rest = after(text, ':');
  scheduler.deadline = TRY(nanoseconds(before(rest, ':')));
  if (rest.contains(':')) scheduler.period = TRY(nanoseconds(after(rest, ':')));
  return {};
}

// The number is what the policy has: a priority for real time, a nice value else.
Result<Scheduler> parse_scheduler(std::string_view text) {
  Scheduler scheduler{.policy = config_word("SCHED_", before(text, ':'))};
  if (scheduler.policy == "SCHED_DEADLINE") {
    TRY(read_times(after(text, ':'), scheduler));
    return scheduler;
  }
  if (!text.contains(':')) return scheduler;
  const bool real_time = scheduler.policy == "SCHED_FIFO" || scheduler.policy == "SCHED_RR";
  (real_time ? scheduler.priority : scheduler.nice) = TRY(small_number(after(text, ':')));
  return scheduler;
}

}  // namespace

Result<ProcessAttributes> read_limits_of_process(const Arguments& arguments) {
  ProcessAttributes process;
  for (const std::string& text : arguments.texts("rlimit"))
    process.rlimits.push_back(TRY(parse_rlimit(text) | context("option --rlimit")));
  if (arguments.given("oom-score-adj"))
    process.oom_score_adj =
        TRY(small_number(arguments.text("oom-score-adj")) | context("option --oom-score-adj"));
  return process;
}

Result<ProcessAttributes> read_process_options(const Arguments& arguments) {
  ProcessAttributes process = TRY(read_limits_of_process(arguments));
  if (arguments.given("io-priority"))
    process.io_priority =
        TRY(parse_io_priority(arguments.text("io-priority")) | context("option --io-priority"));
  if (arguments.given("scheduler"))
    process.scheduler =
        TRY(parse_scheduler(arguments.text("scheduler")) | context("option --scheduler"));
  process.cpu_affinity = arguments.text("cpu-affinity");
  return process;
}

}  // namespace berth::cli
