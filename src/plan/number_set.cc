// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <span>

#include "berth/try.h"
#include "plan/process_parts.h"
#include "plan/refuse.h"
#include "spec/memory_policy_names.h"

// CPUs and memory nodes: lists of numbers that the kernel takes as bits.
namespace berth::plan {
namespace {

constexpr uint32_t kMostCpus = 8192;  // NR_CPUS of every distribution's kernel is at most that
constexpr uint32_t kMostNodes = 1024;
constexpr uint32_t kWordBits = 64;

std::optional<int> value_of(std::span<const json::Name> names, std::string_view text) {
  const auto found = std::ranges::find(names, text, &json::Name::text);
  return found == names.end() ? std::nullopt : std::optional(found->value);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<uint32_t> parse_number(std::string_view text) {
  uint32_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

// "7" or "0-3".
bool add_range(std::string_view text, uint32_t limit, std::vector<uint64_t>& bits) {
  const size_t dash = text.find('-');
  const std::optional<uint32_t> first = parse_number(text.substr(0, dash));
  const std::optional<uint32_t> last =
      dash == std::string_view::npos ? first : parse_number(text.substr(dash + 1));
  if (!first || !last || *first > *last || *last >= limit) return false;
  if (bits.size() <= *last / kWordBits) bits.resize(*last / kWordBits + 1);
  for (uint32_t number = *first; number <= *last; ++number)
    bits[number / kWordBits] |= uint64_t{1} << number % kWordBits;
  return true;
}

}  // namespace

std::optional<std::vector<uint64_t>> parse_number_set(std::string_view text, uint32_t limit) {
  std::vector<uint64_t> bits;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view part = trimmed(text.substr(0, comma));
    if (!part.empty() && !add_range(part, limit, bits)) return std::nullopt;
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return bits;
}

Result<> plan_affinity(const spec::ExecCpuAffinity& wanted, ProcessPlan& plan) {
  const auto cpus = [&plan](const std::string& text,
                            const char* member) -> Result<std::vector<uint64_t>> {
    std::optional<std::vector<uint64_t>> set = parse_number_set(text, kMostCpus);
    if (set) return std::move(*set);
    return refuse(formatted("{}/execCPUAffinity/{}", plan.pointer, member),
                  ErrorKind::InvalidConfig, "{} is not a list of CPUs such as 0-3,7", text);
  };
  plan.first_cpus = TRY(cpus(wanted.initial, "initial"));
  plan.cpus = TRY(cpus(wanted.final, "final"));
  return {};
}

Result<std::optional<MemoryPolicyPlan>> plan_memory_policy(const spec::Spec& spec) {
  if (!spec.platform.memory_policy) return std::nullopt;
  const spec::MemoryPolicy& wanted = *spec.platform.memory_policy;
  constexpr auto kKind = ErrorKind::InvalidConfig;
  const std::optional<int> mode = value_of(spec::kMemoryModes, wanted.mode);
  if (!mode) return refuse("/linux/memoryPolicy/mode", kKind, "unknown mode {}", wanted.mode);
  MemoryPolicyPlan plan{.mode = *mode};
  for (size_t i = 0; i < wanted.flags.size(); ++i) {
    const std::optional<int> flag = value_of(spec::kMemoryFlags, wanted.flags[i]);
    if (!flag)
      return refuse(formatted("/linux/memoryPolicy/flags/{}", i), kKind, "unknown flag {}",
                    wanted.flags[i]);
    plan.mode |= *flag;
  }
  std::optional<std::vector<uint64_t>> nodes = parse_number_set(wanted.nodes, kMostNodes);
  if (!nodes)
    return refuse("/linux/memoryPolicy/nodes", kKind, "{} is not a list of nodes such as 0-1",
                  wanted.nodes);
  plan.nodes = std::move(*nodes);
  return plan;
}

}  // namespace berth::plan
