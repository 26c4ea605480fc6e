// SPDX-License-Identifier: Apache-2.0
#include "cgroup/writes.h"

#include <errno.h>
#include <string.h>

#include <charconv>

#include "berth/try.h"
#include "cgroup/read_stats.h"
#include "cgroup/room.h"
#include "cgroup/usage.h"
#include "core/context.h"

namespace berth::cgroup {
namespace {

// The page sizes that this kernel has, for the message.
std::string list_hugepage_sizes(const Directory& directory) {
  std::string list;
  for (const char* last_part : {".max", ".limit_in_bytes"}) {
    for (const std::string& size : hugepage_sizes(directory, last_part))
      list += (list.empty() ? "" : ", ") + size;
  }
  return list;
}

Result<> explain_missing(const Directory& directory, const plan::CgroupWrite& write) {
  if (write.controller != "hugetlb") return missing_file(directory, write.file);
  const std::string sizes = list_hugepage_sizes(directory);
  if (sizes.empty()) return missing_file(directory, write.file);
  return std::unexpected(
      Error(ErrorKind::System, ENOENT,
            formatted("{} is not available (page sizes: {})", write.file, sizes)));
}

Result<> check_usage(const Directory& directory, const plan::CgroupWrite& write) {
  if (write.not_below.empty()) return {};
  const uint64_t usage = parse_number(TRY(directory.read(write.not_below)));
  if (usage <= parse_number(write.value)) return {};
  return fail(ErrorKind::WrongState, "write {} to {}: the limit is below {}, {}", write.value,
              write.file, write.not_below, usage);
}

// The kernel's reason, and what it has to do with.
Result<> explain_rejected(const Directory& directory, const plan::CgroupWrite& write,
                          Error rejected) {
  const std::string note = usage_note(directory, write.file);
  if (note.empty()) return std::unexpected(std::move(rejected));
  const int error = rejected.os_error();
  Error with_usage(ErrorKind::System, error, strerrordesc_np(error) + note);
  with_usage.add_context(formatted("write {} to {}", write.value, write.file));
  return std::unexpected(std::move(with_usage));
}

Result<> write_one(const Directory& directory, const plan::CgroupWrite& write) {
  TRY(check_usage(directory, write));
  Room room(directory);
  if (write.make_room) TRY(room.make(write));
  // An empty list of CPUs is a line without any: a write of nothing would not arrive.
  Result<> done = directory.write(write.file, write.value.empty() ? "\n" : write.value);
  if (done) return done;
  if (done.error().os_error() != ENOENT)
    return explain_rejected(directory, write, std::move(done).error());
  if (write.else_file.empty())
    return write.if_exists ? Result<>() : explain_missing(directory, write);
  const plan::CgroupWrite other = {write.controller, write.else_file, write.else_value,
                                   write.pointer, write.if_exists};
  return write_one(directory, other);
}

Result<> write_located(const plan::CgroupWrite& planned, const Locate& locate) {
  plan::CgroupWrite write = planned;
  const Directory* directory = locate(write);
  if (directory) return write_one(*directory, write);
  if (write.if_exists) return {};
  return std::unexpected(
      Error(ErrorKind::System, ENOENT,
            formatted("write {} to {}: the cgroup controller {} is not available to this container",
                      write.value, write.file, write.controller)));
}

}  // namespace

Result<> write_all(std::span<const plan::CgroupWrite> writes, const Locate& locate) {
  std::vector<const plan::CgroupWrite*> again;
  for (const plan::CgroupWrite& write : writes) {
    Result<> done = write_located(write, locate);
    if (!done && write.retry_last && done.error().os_error() == EINVAL) {
      again.push_back(&write);
    } else if (!done) {
      return std::move(done) | at(write.pointer);
    }
  }
  for (const plan::CgroupWrite* write : again)
    TRY(write_located(*write, locate) | at(write->pointer));
  return {};
}

uint64_t value_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ')
      return parse_number(line.substr(key.size() + 1));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return 0;
}

uint64_t parse_number(std::string_view text) {
  text = trimmed(text);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && !text.empty() ? number : UINT64_MAX;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace berth::cgroup
