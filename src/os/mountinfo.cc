// SPDX-License-Identifier: Apache-2.0
#include "os/mountinfo.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "berth/try.h"
#include "core/context.h"
#include "os/file.h"

namespace berth::os {
namespace {

constexpr size_t kMaxMountinfo = 64UL << 20;

// Takes the word in front of the first blank off the text.
std::string_view take_word(std::string_view& text) {
  const size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

int take_number(std::string_view& text) {
  const std::string_view word = take_word(text);
  int number = 0;
  (void)std::from_chars(word.data(), word.data() + word.size(), number);
  return number;
}

// A blank in a path is \040, and so on.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool escape = text[at] == '\\' && at + 3 < text.size();
    plain += escape ? static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 +
                                        (text[at + 3] - '0'))
                    : text[at];
    if (escape) at += 3;
  }
  return plain;
}

// ID PARENT MAJOR:MINOR ROOT PLACE ATTRIBUTES [FIELD...] - TYPE SOURCE OPTIONS
std::optional<MountEntry> parse_line(std::string_view line) {
  const size_t dash = line.find(" - ");
  if (dash == line.npos) return {};
  std::string_view right = line.substr(dash + 3);
  std::string_view left = line.substr(0, dash);
  MountEntry entry{.id = take_number(left), .parent = take_number(left)};
  entry.device = take_word(left);
  entry.root = unescaped(take_word(left));
  entry.place = unescaped(take_word(left));
  entry.type = take_word(right);
  (void)take_word(right);
  entry.options = take_word(right);
  if (entry.place.empty() || entry.type.empty()) return {};
  return entry;
}

}  // namespace

std::vector<MountEntry> parse_mountinfo(std::string_view text) {
  std::vector<MountEntry> entries;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    if (std::optional<MountEntry> entry = parse_line(text.substr(start, end - start)))
      entries.push_back(std::move(*entry));
    start = end + 1;
  }
  return entries;
}

Result<std::vector<MountEntry>> mounts_of(std::string_view process) {
  const std::string path = formatted("/proc/{}/mountinfo", process);
  return parse_mountinfo(TRY(read_file_at(AT_FDCWD, path.c_str(), kMaxMountinfo)));
}

}  // namespace berth::os
