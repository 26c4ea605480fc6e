// SPDX-License-Identifier: Apache-2.0
#include "driver/rootfs_user.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "berth/try.h"
#include "core/context.h"
#include "os/file.h"
#include "os/path.h"

namespace berth::driver {
namespace {

constexpr size_t kMostBytes = 4 << 20;
constexpr uint32_t kNoId = UINT32_MAX;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<uint32_t> number(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value != kNoId ? std::optional(value) : std::nullopt;
}

// A file of the image: regular, bounded, found inside the root. Empty when it is not there.
std::string read_database(const os::RootDir& root, const char* path) {
  const os::UniqueFd place(root.open(path));
  if (!place) return {};
  const std::string reopened = formatted("/proc/self/fd/{}", place.get());
  return os::read_file_at(AT_FDCWD, reopened.c_str(), kMostBytes).value_or("");
}

using Row = std::vector<std::string_view>;

// The first row with at least `fields` fields that is wanted.
template <typename Wanted>
std::optional<Row> find_row(std::string_view file, size_t fields, const Wanted& wanted) {
  for (const std::string_view line : split(file, '\n')) {
    Row row = split(line, ':');
    if (row.size() >= fields && wanted(row)) return row;
  }
  return std::nullopt;
}

Result<spec::User> find_user(std::string_view name, std::string_view passwd) {
  const std::optional<uint32_t> wanted = number(name);
  // name:password:uid:gid:…
  const auto row = find_row(passwd, 4, [&](const Row& each) {
    return each[0] == name || (wanted && number(each[2]) == wanted);
  });
  const auto uid = row ? number((*row)[2]) : wanted;
  const auto gid = row ? number((*row)[3]) : std::optional<uint32_t>(0);
  if (!uid || !gid) {
    return fail(ErrorKind::InvalidUse,
                "user \"{}\": no such name in the root filesystem's /etc/passwd, and no number",
                name);
  }
  return spec::User{.uid = *uid, .gid = *gid, .username = row ? std::string((*row)[0]) : ""};
}

Result<uint32_t> find_group(std::string_view name, std::string_view groups) {
  // name:password:gid:members
  const auto row = find_row(groups, 3, [&](const Row& each) { return each[0] == name; });
  const auto gid = row ? number((*row)[2]) : number(name);
  if (gid) return *gid;
  return fail(ErrorKind::InvalidUse,
              "group \"{}\": no such name in the root filesystem's /etc/group, and no number",
              name);
}

std::vector<uint32_t> groups_of(std::string_view user, std::string_view groups) {
  std::vector<uint32_t> found;
  if (user.empty()) return found;
  for (const std::string_view line : split(groups, '\n')) {
    const Row row = split(line, ':');
    if (row.size() < 4) continue;
    const std::vector<std::string_view> members = split(row[3], ',');
    const auto gid = number(row[2]);
    if (gid && std::ranges::find(members, user) != members.end()) found.push_back(*gid);
  }
  return found;
}

}  // namespace

Result<spec::User> resolve_user(std::string_view text, const std::string& rootfs) {
  if (text.empty()) return spec::User{};
  const os::UniqueFd directory =
      TRY(os::open_at(AT_FDCWD, rootfs.c_str(), O_PATH | O_DIRECTORY) | context("rootfs"));
  const os::RootDir root(directory.get());
  const size_t colon = text.find(':');
  const std::string groups = read_database(root, "/etc/group");
  spec::User user = TRY(find_user(text.substr(0, colon), read_database(root, "/etc/passwd")));
  const std::string name = std::exchange(user.username, {});
  if (colon == text.npos)
    user.additional_gids = groups_of(name, groups);
  else
    user.gid = TRY(find_group(text.substr(colon + 1), groups));
  return user;
}

}  // namespace berth::driver
