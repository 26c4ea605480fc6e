// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace berth::init {

// What of the new filesystem's root the config decides itself; the rest is as in the directory that
// is covered.
struct GivenOfRoot {
  bool mode = false;
  bool uid = false;
  bool gid = false;
};

inline constexpr int kMaxCopyDepth = 1024;  // directories inside each other

// Fills a new filesystem that nobody else sees yet with a copy of a directory: owners, modes,
// times, extended attributes, links, hard links, nodes. Follows no link, opens nothing but regular
// files and directories, and stops at mounts. Returns 0 or -errno; ENAMETOOLONG: too deep.
int copy_up(int from, int to, GivenOfRoot given);

}  // namespace berth::init
