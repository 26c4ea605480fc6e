// SPDX-License-Identifier: Apache-2.0
#include "engine/live/lxcfs_source.h"

#include <errno.h>
#include <poll.h>

#include <algorithm>
#include <cstring>

#include "berth/try.h"
#include "core/context.h"
#include "init/lxcfs.h"
#include "os/process.h"
#include "os/socket.h"
#include "spec/paths.h"

namespace berth::engine {
namespace {

constexpr const char* kUsual[] = {"/var/lib/lxcfs", "/var/lib/lxc/lxcfs"};

// The last one at a place covers those before.
const os::MountEntry* mounted_on(const std::vector<os::MountEntry>& mounts,
                                 std::string_view place) {
  const auto last = std::find_if(mounts.rbegin(), mounts.rend(),
                                 [&](const os::MountEntry& mount) { return mount.place == place; });
  const bool is_lxcfs = last != mounts.rend() && last->type == kLxcfsType && last->root == "/";
  return is_lxcfs ? &*last : nullptr;
}

Error no_answer(const LxcfsSource& source, int error) {
  return Error::system(
      error, formatted("lxcfs on {} does not answer (systemctl restart lxcfs)", source.directory));
}

// True: there is more to come.
Result<bool> receive(int socket, LxcfsSource& source) {
  char text[init::kMaxLxcfsPath];
  OfferedFile offered;
  const long size = os::receive_packet(socket, text, sizeof text, &offered.file);
  if (size <= 0)
    return std::unexpected(no_answer(source, size < 0 ? static_cast<int>(-size) : EIO));
  offered.path.assign(text, static_cast<size_t>(size));
  if (offered.file) {
    source.files.push_back(std::move(offered));
    return true;
  }
  int error = EIO;
  if (size == sizeof error) memcpy(&error, text, sizeof error);
  if (error != 0) return std::unexpected(no_answer(source, error));
  return false;
}

}  // namespace

Result<LxcfsSource> find_lxcfs(const std::string& directory,
                               const std::vector<os::MountEntry>& mounts) {
  std::vector<std::string> places;
  if (!directory.empty())
    places = {spec::cleaned_path(directory)};
  else
    places.assign(std::begin(kUsual), std::end(kUsual));
  for (const std::string& place : places) {
    if (const os::MountEntry* const found = mounted_on(mounts, place))
      return LxcfsSource{.directory = place, .device = found->device};
  }
  if (!directory.empty()) return LxcfsSource{.directory = places.front()};
  LxcfsSource only;
  for (const os::MountEntry& mount : mounts) {
    if (mount.place == only.directory || mounted_on(mounts, mount.place) == nullptr) continue;
    if (!only.directory.empty())
      return fail(ErrorKind::InvalidUse, "lxcfs is mounted on {} and {}: name one (--lxcfs)",
                  only.directory, mount.place);
    only = {.directory = mount.place, .device = mounted_on(mounts, mount.place)->device};
  }
  return only;
}

LxcfsQuestion::LxcfsQuestion(LxcfsSource& source, Deadline deadline, LimitedChild child,
                             os::UniqueFd answers)
    : source_(&source),
      deadline_(deadline),
      child_(std::move(child)),
      answers_(std::move(answers)) {}

Result<LxcfsQuestion> LxcfsQuestion::ask(LxcfsSource& source, std::chrono::milliseconds limit) {
  if (source.device.empty())
    return fail(ErrorKind::Unsupported, "no lxcfs is mounted{}{}: start it (systemctl start lxcfs)",
                source.directory.empty() ? "" : " on ", source.directory);
  const Deadline deadline(limit);
  auto [here, there] = TRY(os::packet_pair());
  const init::LxcfsOffer offer{.socket = there.get(), .directory = source.directory.c_str()};
  LimitedChild child = TRY(LimitedChild::start([&] { init::run_lxcfs_offer(offer); }));
  return LxcfsQuestion(source, deadline, std::move(child), std::move(here));
}

Result<> LxcfsQuestion::await_files() {
  for (;;) {
    pollfd incoming{.fd = answers_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&incoming, 1, deadline_.left()) == 0)
      return std::unexpected(no_answer(*source_, ETIMEDOUT));
    if (!TRY(receive(answers_.get(), *source_))) return {};
  }
}

}  // namespace berth::engine
