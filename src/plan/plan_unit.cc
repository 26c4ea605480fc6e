// SPDX-License-Identifier: Apache-2.0
#include "plan/plan_unit.h"

#include <algorithm>

#include "berth/try.h"
#include "plan/refuse.h"
#include "spec/annotations.h"
#include "spec/validate.h"

namespace berth::plan {
namespace {

constexpr const char* kPathPointer = "/linux/cgroupsPath";
constexpr std::string_view kSlice = ".slice";
constexpr size_t kMaxUnitName = 255;  // UNIT_NAME_MAX of systemd

bool is_letter(char each) { return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z'); }

// Characters that systemd does not allow in a unit's name become "\x2b" (systemd.unit(5), "String
// Escaping").
std::string escaped(std::string_view text) {
  std::string name;
  for (const char each : text) {
    const bool plain =
        is_letter(each) || (each >= '0' && each <= '9') || std::string_view(":-_.").contains(each);
    name += plain ? std::string(1, each) : formatted("\\x{:02x}", static_cast<uint8_t>(each));
  }
  return name;
}

struct Parts {
  std::string_view slice;
  std::string_view prefix;
  std::string_view name;
};

Result<Parts> split_path(const std::string& path) {
  const size_t first = path.find(':');
  const size_t second = first == path.npos ? path.npos : path.find(':', first + 1);
  if (second == path.npos || path.find(':', second + 1) != path.npos) {
    return refuse(kPathPointer, ErrorKind::InvalidConfig,
                  "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, "
                  "got \"{}\" instead",
                  path);
  }
  const std::string_view text = path;
  return Parts{text.substr(0, first), text.substr(first + 1, second - first - 1),
               text.substr(second + 1)};
}

// systemd.slice(5): dashes nest, so none is empty but that of the root slice, "-".
Result<> check_slice(std::string_view slice) {
  const auto wrong = [&] {
    return refuse(kPathPointer, ErrorKind::InvalidConfig,
                  "\"{}\" is not the name of a slice: such as machine.slice or a-b.slice", slice);
  };
  if (slice == "-.slice") return {};
  if (!slice.ends_with(kSlice) || slice.size() > kMaxUnitName || escaped(slice) != slice)
    return wrong();
  const std::string_view stem = slice.substr(0, slice.size() - kSlice.size());
  if (stem.empty() || stem.starts_with('-') || stem.ends_with('-') || stem.contains("--"))
    return wrong();
  return {};
}

Result<> name_unit(const Parts& parts, UnitPlan& unit) {
  if (parts.name.empty())
    return refuse(kPathPointer, ErrorKind::InvalidConfig, "the unit's name is empty");
  if (parts.name.ends_with(kSlice)) {
    return refuse(kPathPointer, ErrorKind::Unsupported,
                  "\"{}\" is a slice: systemd keeps processes in scopes, name one", parts.name);
  }
  const std::string prefix = parts.prefix.empty() ? "" : escaped(parts.prefix) + "-";
  unit.name = prefix + escaped(parts.name) + ".scope";
  if (unit.name.size() <= kMaxUnitName) return {};
  return refuse(kPathPointer, ErrorKind::InvalidConfig,
                "the unit's name has {} characters, systemd allows {}", unit.name.size(),
                kMaxUnitName);
}

// What acts on the host instead of the container, and what is berth's own to say.
bool is_refused(std::string_view name) {
  constexpr std::string_view kOurs[] = {"BPFProgram", "Delegate", "DeviceAllow", "DevicePolicy",
                                        "PIDs",       "Slice",    "CollectMode"};
  return name.ends_with("Action") || std::ranges::find(kOurs, name) != std::end(kOurs);
}

Result<> check_property_name(std::string_view name, const std::string& pointer) {
  if (name.size() < 3 || !std::ranges::all_of(name, is_letter))
    return refuse(pointer, ErrorKind::InvalidConfig, "\"{}\" is not the name of a property", name);
  if (!is_refused(name)) return {};
  return refuse(pointer, ErrorKind::InvalidConfig,
                "property {} cannot be set by an annotation: it is not about the container alone",
                name);
}

// "TimeoutStopSec" in seconds is "TimeoutStopUSec" in microseconds on the bus.
Result<> convert_seconds(UnitProperty& property, const std::string& pointer) {
  constexpr std::string_view kSeconds = "Sec", kMicroseconds = "USec";
  if (!property.name.ends_with(kSeconds) || property.name.ends_with(kMicroseconds)) return {};
  const char type = property.value.type.front();
  constexpr double kMillion = 1e6;
  double seconds = property.value.real;
  if (std::string_view("nqiuxt").contains(type))
    seconds = static_cast<double>(static_cast<int64_t>(property.value.number));
  else if (type != 'd')
    return refuse(pointer, ErrorKind::InvalidConfig, "a number of seconds is expected");
  const bool is_time = seconds >= 0 && seconds < 1e12;
  if (!is_time)
    return refuse(pointer, ErrorKind::InvalidConfig, "{} is no number of seconds", seconds);
  property.name.replace(property.name.size() - kSeconds.size(), kSeconds.size(), kMicroseconds);
  property.value = bus_number('t', static_cast<uint64_t>(seconds * kMillion));
  return {};
}

Result<std::vector<UnitProperty>> plan_properties(const StringMap& annotations) {
  std::vector<UnitProperty> properties;
  for (const auto& [key, text] : annotations) {
    if (!key.starts_with(spec::kUnitProperty)) continue;
    const std::string pointer = "/annotations/" + spec::pointer_token(key);
    const std::string name = key.substr(spec::kUnitProperty.size());
    TRY(check_property_name(name, pointer));
    UnitProperty property = {name, TRY(parse_bus_value(text) | at(pointer))};
    TRY(convert_seconds(property, pointer));
    properties.push_back(std::move(property));
  }
  return properties;
}

// cg_escape() of systemd: a unit's name that the kernel could take for a file of its own gets "_".
std::string cgroup_name(const std::string& unit) {
  constexpr std::string_view kOfKernel[] = {"cgroup", "cpu",    "cpuacct", "cpuset",  "io",
                                            "blkio",  "memory", "devices", "freezer", "pids",
                                            "rdma",   "misc",   "hugetlb", "net_cls", "perf_event"};
  const std::string_view stem = std::string_view(unit).substr(0, unit.find('.'));
  const bool escapes = unit.starts_with('_') || unit.starts_with('.') ||
                       std::ranges::find(kOfKernel, stem) != std::end(kOfKernel);
  return (escapes ? "_" : "") + unit;
}

}  // namespace

Result<UnitPlan> plan_unit(const spec::Spec& spec, const HostFacts& facts, const Request& request) {
  UnitPlan unit = {.description = "berth container " + request.id,
                   .of_user = facts.euid != 0 || facts.in_user_namespace};
  const std::string fallback = "::" + request.id;
  const std::string& path = spec.platform.cgroups_path;
  Parts parts = TRY(split_path(path.empty() ? fallback : path));
  if (path.empty()) parts.prefix = "berth";
  unit.slice = parts.slice.empty() ? (unit.of_user ? "user.slice" : "system.slice") : parts.slice;
  if (unit.slice == "-") unit.slice = "-.slice";
  TRY(check_slice(unit.slice));
  TRY(name_unit(parts, unit));
  unit.properties = TRY(plan_properties(spec.annotations));
  return unit;
}

std::string path_of_unit(const UnitPlan& unit, std::string_view root) {
  std::string path(root == "/" ? "" : root);
  // "a-b.slice" is in "a.slice".
  for (size_t dash = unit.slice.find('-', 1); dash != unit.slice.npos;
       dash = unit.slice.find('-', dash + 1)) {
    path += "/" + cgroup_name(unit.slice.substr(0, dash) + std::string(kSlice));
  }
  if (unit.slice != "-.slice") path += "/" + cgroup_name(unit.slice);
  return path + "/" + cgroup_name(unit.name);
}

}  // namespace berth::plan
