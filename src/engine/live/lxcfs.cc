// SPDX-License-Identifier: Apache-2.0
#include "berth/lxcfs.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "berth/try.h"
#include "core/context.h"
#include "engine/live/lxcfs_crew.h"
#include "engine/live/lxcfs_source.h"
#include "engine/live/lxcfs_visit.h"
#include "json/write.h"
#include "os/file.h"

namespace berth {
namespace {

// Each holds some descriptors for each file.
constexpr size_t kAtOnce = 32;
// For one in which mounts come and go while it is looked at.
constexpr int kLooks = 5;

// lxcfs takes its time: the first containers are looked at meanwhile.
Result<> open_source(LxcfsAction action, engine::LxcfsSource& source,
                     std::chrono::milliseconds limit, std::vector<engine::LxcfsVisit>& first) {
  if (action == LxcfsAction::Unmount) return {};
  engine::LxcfsQuestion question = TRY(engine::LxcfsQuestion::ask(source, limit));
  for (engine::LxcfsVisit& visit : first) visit.look_ahead();
  return question.await_files();
}

Result<> visit(std::vector<engine::LxcfsVisit>& visits, std::chrono::milliseconds limit) {
  for (int look = 0; look < kLooks; ++look) {
    std::vector<init::LxcfsWork*> works;
    for (engine::LxcfsVisit& visit : visits) {
      if (init::LxcfsWork* const work = visit.begin()) works.push_back(work);
    }
    TRY(engine::work_through(works, limit));
    for (engine::LxcfsVisit& visit : visits) visit.end();
    if (std::ranges::none_of(visits, &engine::LxcfsVisit::must_look_again)) break;
  }
  return {};
}

}  // namespace

std::string_view to_string(LxcfsResult result) {
  switch (result) {
    case LxcfsResult::Current: return "current";
    case LxcfsResult::Stale: return "stale";
    case LxcfsResult::Mounted: return "mounted";
    case LxcfsResult::Healed: return "healed";
    case LxcfsResult::Unmounted: return "unmounted";
    case LxcfsResult::Skipped: return "skipped";
    case LxcfsResult::Failed: return "failed";
  }
  return "failed";
}

bool LxcfsReport::is_right() const {
  return error.empty() && std::ranges::none_of(files, [](const LxcfsFile& file) {
           return file.result == LxcfsResult::Failed || file.result == LxcfsResult::Stale;
         });
}

Result<std::string> lxcfs_device(const LxcfsOptions& options) {
  return TRY(engine::find_lxcfs(options.directory, TRY(os::mounts_of("self")))).device;
}

Result<std::string> await_lxcfs(const std::string& device, const LxcfsOptions& options) {
  const os::UniqueFd mounts = TRY(os::open_at(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY));
  for (;;) {
    std::string there = TRY(lxcfs_device(options));
    if (!there.empty() && there != device) return there;
    pollfd changed{.fd = mounts.get(), .events = POLLPRI, .revents = 0};
    if (::poll(&changed, 1, -1) < 0 && errno != EINTR) return system_error(errno, "poll mountinfo");
  }
}

Result<std::vector<LxcfsReport>> change_lxcfs(LxcfsAction action,
                                              const std::vector<RunningContainer>& containers,
                                              const LxcfsOptions& options) {
  engine::LxcfsSource source =
      TRY(engine::find_lxcfs(options.directory, TRY(os::mounts_of("self"))));
  std::span<const RunningContainer> rest = containers;
  const auto next_visits = [&] {
    std::vector<engine::LxcfsVisit> visits;
    visits.reserve(kAtOnce);
    for (; visits.size() < kAtOnce && !rest.empty(); rest = rest.subspan(1))
      visits.emplace_back(action, rest.front(), source);
    return visits;
  };
  std::vector<engine::LxcfsVisit> visits = next_visits();
  Result<> opened = open_source(action, source, options.timeout, visits);
  const bool mounts = action == LxcfsAction::Mount || action == LxcfsAction::Remount;
  if (mounts && !opened) return std::unexpected(std::move(opened).error());
  // Whoever only looks sees files of one that does not answer as stale.
  if (!opened) source.device.clear();
  std::vector<LxcfsReport> reports;
  for (; !visits.empty(); visits = next_visits()) {
    TRY(visit(visits, options.timeout));
    for (engine::LxcfsVisit& each : visits) reports.push_back(std::move(each).report());
  }
  return reports;
}

std::string to_json(const std::vector<LxcfsReport>& reports, int indent) {
  json::Writer out(indent);
  out.begin_array();
  for (const LxcfsReport& report : reports) {
    out.begin_object().member("id", report.id).member("pid", report.pid);
    if (!report.error.empty()) out.member("error", report.error);
    out.key("files").begin_array();
    for (const LxcfsFile& file : report.files) {
      out.begin_object().member("path", file.path).member("result", to_string(file.result));
      if (!file.reason.empty()) out.member("reason", file.reason);
      out.end();
    }
    out.end().end();
  }
  return out.end().take();
}

}  // namespace berth
