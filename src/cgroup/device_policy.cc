// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "berth/try.h"
#include "cgroup/device_filter.h"
#include "cgroup/writes.h"
#include "core/context.h"

namespace berth::cgroup {
namespace {

using Exception = DevicePolicy::Exception;

std::string number_or_star(int64_t number) { return number < 0 ? "*" : formatted("{}", number); }

Exception* find_device(DevicePolicy& policy, const Exception& wanted) {
  auto found = std::ranges::find_if(
      policy.exceptions, [&](const Exception& entry) { return entry.same_device(wanted); });
  return found == policy.exceptions.end() ? nullptr : &*found;
}

void add_exception(DevicePolicy& policy, const Exception& added) {
  if (Exception* there = find_device(policy, added))
    there->access |= added.access;
  else
    policy.exceptions.push_back(added);
}

bool covers(const Exception& wide, const Exception& narrow) {
  return wide.type == narrow.type && (wide.major < 0 || wide.major == narrow.major) &&
         (wide.minor < 0 || wide.minor == narrow.minor);
}

Result<> remove_exception(DevicePolicy& policy, const Exception& removed) {
  for (const Exception& entry : policy.exceptions) {
    if (entry.same_device(removed) || !covers(entry, removed) || !(entry.access & removed.access))
      continue;
    return fail(
        ErrorKind::Unsupported,
        "device rule \"{}\" would punch a hole into \"{}\", which device cgroups can not do",
        device_line(removed), device_line(entry));
  }
  if (Exception* there = find_device(policy, removed)) {
    there->access &= ~removed.access;
    std::erase_if(policy.exceptions, [](const Exception& entry) { return entry.access == 0; });
  }
  return {};
}

Result<> apply_rule(DevicePolicy& policy, const plan::DeviceRulePlan& rule) {
  if (rule.type == 'a') {
    policy.default_allow = rule.allow;
    policy.exceptions.clear();
    return {};
  }
  unsigned access = 0;
  if (rule.read) access |= BPF_DEVCG_ACC_READ;
  if (rule.write) access |= BPF_DEVCG_ACC_WRITE;
  if (rule.mknod) access |= BPF_DEVCG_ACC_MKNOD;
  const Exception exception = {rule.type, rule.major, rule.minor, access};
  if (rule.allow == policy.default_allow) return remove_exception(policy, exception);
  add_exception(policy, exception);
  return {};
}

// "c 1:3 rwm"
Result<Exception> parse_line(std::string_view line) {
  const size_t colon = line.find(':');
  const size_t space = line.find(' ', colon);
  if (line.size() < 6 || colon == line.npos || space == line.npos) {
    return fail(ErrorKind::Internal, "unknown line in devices.list: {}", line);
  }
  Exception parsed = {line[0]};
  const auto number = [&](size_t from, size_t to, int64_t& value) {
    std::from_chars(line.data() + from, line.data() + to, value);  // "*" leaves -1
  };
  number(2, colon, parsed.major);
  number(colon + 1, space, parsed.minor);
  for (const char access : line.substr(space + 1)) {
    parsed.access |= access == 'r'   ? BPF_DEVCG_ACC_READ
                     : access == 'w' ? BPF_DEVCG_ACC_WRITE
                                     : BPF_DEVCG_ACC_MKNOD;
  }
  return parsed;
}

void add_difference(const DevicePolicy& left, const DevicePolicy& right, bool allow,
                    std::vector<DeviceWrite>& writes) {
  DevicePolicy other = right;
  for (Exception entry : left.exceptions) {
    if (const Exception* same = find_device(other, entry)) entry.access &= ~same->access;
    if (entry.access) writes.push_back({allow, device_line(entry)});
  }
}

}  // namespace

Result<DevicePolicy> device_policy(std::span<const plan::DeviceRulePlan> rules) {
  DevicePolicy policy;
  for (const plan::DeviceRulePlan& rule : rules) TRY(apply_rule(policy, rule));
  return policy;
}

Result<DevicePolicy> parse_devices_list(std::string_view text) {
  DevicePolicy policy;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.starts_with('a'))
      policy.default_allow = true;
    else if (!line.empty())
      policy.exceptions.push_back(TRY(parse_line(line)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return policy;
}

std::string device_line(const Exception& exception) {
  std::string line = formatted("{} {}:{} ", exception.type, number_or_star(exception.major),
                               number_or_star(exception.minor));
  if (exception.access & BPF_DEVCG_ACC_READ) line += 'r';
  if (exception.access & BPF_DEVCG_ACC_WRITE) line += 'w';
  if (exception.access & BPF_DEVCG_ACC_MKNOD) line += 'm';
  return line;
}

std::vector<DeviceWrite> device_transition(const DevicePolicy& from, const DevicePolicy& to) {
  std::vector<DeviceWrite> writes;
  DevicePolicy now = from;
  // The kernel does not tell the exceptions of an allow-all list: it is written anew unless it has
  // none and keeps none.
  const bool rewrite =
      from.default_allow != to.default_allow || (to.default_allow && !to.exceptions.empty());
  if (rewrite) {
    writes.push_back({to.default_allow, "a"});
    now = {to.default_allow, {}};
  }
  add_difference(to, now, !to.default_allow, writes);  // first what is gained,
  add_difference(now, to, to.default_allow, writes);   // then what is lost
  return writes;
}

}  // namespace berth::cgroup
