// SPDX-License-Identifier: Apache-2.0
#include "cgroup/resctrl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "berth/try.h"
#include "cgroup/writes.h"
#include "core/context.h"
#include "os/file.h"
#include "os/mountinfo.h"

namespace berth::cgroup {
namespace {

constexpr size_t kMountinfoLimit = 16 << 20;
constexpr size_t kSchemataLimit = 1 << 20;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string_view before(std::string_view text, char separator) {
  return trimmed(text.substr(0, text.find(separator)));
}

std::string_view after(std::string_view text, char separator) {
  const size_t place = text.find(separator);
  return place == std::string_view::npos ? std::string_view() : trimmed(text.substr(place + 1));
}

// The kernel pads with zeros and writes small letters.
std::string plain_number(std::string_view text) {
  const size_t first = std::min(text.find_first_not_of('0'), text.size());
  std::string number(text.substr(first));
  for (char& c : number) c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  return number;
}

bool holds(std::string_view line, std::string_view wanted) {
  const std::vector<std::string_view> domains = split(after(line, ':'), ';');
  for (const std::string_view domain : split(after(wanted, ':'), ';')) {
    const bool same = std::ranges::any_of(domains, [domain](std::string_view other) {
      return plain_number(before(other, '=')) == plain_number(before(domain, '=')) &&
             plain_number(after(other, '=')) == plain_number(after(domain, '='));
    });
    if (!same) return false;
  }
  return true;
}

// In one write; the kernel says what was wrong in info/last_cmd_status.
Result<> write_knob(const std::string& path, std::string_view text) {
  const os::UniqueFd file = TRY(os::open_at(AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT, 0644));
  if (::write(file.get(), text.data(), text.size()) >= 0) return {};
  return system_error(errno, "write {} to {}", trimmed(text), path);
}

std::string last_status(const std::string& mountpoint) {
  const std::string path = mountpoint + "/info/last_cmd_status";
  const Result<std::string> text = os::read_file_at(AT_FDCWD, path.c_str(), kSchemataLimit);
  const size_t end = text ? text->find('\n') : std::string::npos;
  return end == std::string::npos || text->starts_with("ok") ? "" : text->substr(0, end);
}

Result<> write_schemata(const std::string& mountpoint, const std::string& directory,
                        const std::string& schemata) {
  if (schemata.empty()) return {};
  Result<> result = write_knob(directory + "/schemata", schemata);
  const std::string status = result ? "" : last_status(mountpoint);
  if (!status.empty()) result.error().add_context(status);
  return result;
}

Result<> check_schemata(const std::string& directory, const std::string& wanted) {
  if (wanted.empty()) return {};
  const std::string path = directory + "/schemata";
  const std::string found = TRY(os::read_file_at(AT_FDCWD, path.c_str(), kSchemataLimit));
  const std::string line = first_difference(wanted, found);
  if (line.empty()) return {};
  return fail(ErrorKind::InvalidConfig, "class {} exists and does not say {}", directory, line);
}

// A half-made class is nobody's.
Result<> make_new(const std::string& mountpoint, const std::string& directory,
                  const std::string& schemata) {
  Result<> result = write_schemata(mountpoint, directory, schemata);
  if (!result) (void)::rmdir(directory.c_str());
  return result;
}

// The tree is shared: who looks and makes does so alone (resctrl.rst, "Locking").
Result<os::UniqueFd> lock_tree(const std::string& mountpoint) {
  os::UniqueFd tree = TRY(os::open_at(AT_FDCWD, mountpoint.c_str(), O_RDONLY | O_DIRECTORY));
  while (::flock(tree.get(), LOCK_EX) < 0) {
    if (errno != EINTR) return system_error(errno, "lock {}", mountpoint);
  }
  return tree;
}

std::string class_directory(const std::string& mountpoint, const plan::RdtPlan& plan) {
  return plan.group.empty() ? mountpoint : mountpoint + "/" + plan.group;
}

Result<> make_or_check(const std::string& mountpoint, const plan::RdtPlan& plan) {
  const std::string directory = class_directory(mountpoint, plan);
  if (plan.must_exist) {
    if (::access(directory.c_str(), F_OK) == 0) return check_schemata(directory, plan.schemata);
    return fail(ErrorKind::InvalidConfig,
                "there is no class {}: make it, or say what it shall be (schemata)", directory);
  }
  if (::mkdir(directory.c_str(), 0755) == 0) return make_new(mountpoint, directory, plan.schemata);
  if (errno == EEXIST && !plan.own) return check_schemata(directory, plan.schemata);
  if (errno == ENOSPC)
    return system_error(ENOSPC, "make class {}: the processor has no more of them", directory);
  return system_error(errno, "make class {}", directory);
}

}  // namespace

std::string resctrl_mountpoint(std::string_view mountinfo) {
  for (os::MountEntry& mount : os::parse_mountinfo(mountinfo)) {
    if (mount.type == "resctrl") return std::move(mount.place);
  }
  return {};
}

Result<std::string> find_resctrl() {
  std::string place =
      resctrl_mountpoint(TRY(os::read_file_at(AT_FDCWD, "/proc/self/mountinfo", kMountinfoLimit)));
  if (!place.empty()) return place;
  return fail(ErrorKind::Unsupported,
              "no resctrl filesystem is mounted: does the processor have RDT, the kernel "
              "CONFIG_X86_CPU_RESCTRL? (mount -t resctrl resctrl /sys/fs/resctrl)");
}

RdtPlaces rdt_places(const std::string& mountpoint, const plan::RdtPlan& plan) {
  const std::string directory = class_directory(mountpoint, plan);
  RdtPlaces places{.tasks = {directory}};
  if (!plan.monitor.empty()) {
    // A process is monitored by a group of its own class: class first.
    places.tasks.push_back(directory + "/mon_groups/" + plan.monitor);
    places.removed.push_back(places.tasks.back());
  }
  if (plan.own) places.removed.push_back(directory);
  return places;
}

Result<> make_class(const std::string& mountpoint, const plan::RdtPlan& plan) {
  const os::UniqueFd lock = TRY(lock_tree(mountpoint));
  TRY(make_or_check(mountpoint, plan));
  if (plan.monitor.empty()) return {};
  const std::string group = class_directory(mountpoint, plan) + "/mon_groups/" + plan.monitor;
  if (::mkdir(group.c_str(), 0755) == 0) return {};
  const int error = errno;
  if (plan.own) (void)::rmdir(class_directory(mountpoint, plan).c_str());
  return system_error(error, "make monitoring group {}", group);
}

Result<std::string> change_class(const std::string& directory, const std::string& schemata) {
  const std::string mountpoint = directory.substr(0, directory.rfind('/'));
  const os::UniqueFd lock = TRY(lock_tree(mountpoint));
  const std::string path = directory + "/schemata";
  std::string before =
      lines_in_force(schemata, TRY(os::read_file_at(AT_FDCWD, path.c_str(), kSchemataLimit)));
  TRY(write_schemata(mountpoint, directory, schemata));
  return before;
}

Result<> add_to_class(const RdtPlaces& places, pid_t process) {
  for (const std::string& directory : places.tasks)
    TRY(write_knob(directory + "/tasks", std::to_string(process)));
  return {};
}

Result<> remove_class(const RdtPlaces& places) {
  for (const std::string& directory : places.removed) {
    if (::rmdir(directory.c_str()) < 0 && errno != ENOENT)
      return system_error(errno, "remove {}", directory);
  }
  return {};
}

std::string lines_in_force(std::string_view wanted, std::string_view found) {
  std::string lines;
  for (const std::string_view line : split(found, '\n')) {
    const bool asked = std::ranges::any_of(split(wanted, '\n'), [line](std::string_view other) {
      return before(other, ':') == before(line, ':');
    });
    if (asked) lines += std::string(trimmed(line)) + "\n";
  }
  return lines;
}

std::string first_difference(std::string_view wanted, std::string_view found) {
  const std::vector<std::string_view> lines = split(found, '\n');
  for (const std::string_view line : split(wanted, '\n')) {
    const bool there = std::ranges::any_of(lines, [line](std::string_view other) {
      return before(other, ':') == before(line, ':') && holds(other, line);
    });
    if (!there) return std::string(line);
  }
  return {};
}

}  // namespace berth::cgroup
