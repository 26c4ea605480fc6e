// SPDX-License-Identifier: Apache-2.0
#include "engine/live/lxcfs_crew.h"

#include <errno.h>
#include <poll.h>

#include <algorithm>

#include "berth/try.h"
#include "core/context.h"
#include "engine/live/limited_child.h"
#include "engine/live/shared_work.h"

namespace berth::engine {
namespace {

// Most are done in much less.
constexpr int kPatience = 50;  // milliseconds
constexpr size_t kMaxProcesses = 32;

using Queue = SharedWork<init::LxcfsQueue, init::LxcfsTurn>;

class Crew {
 public:
  Crew(Queue queue, std::chrono::milliseconds limit) : queue_(std::move(queue)), limit_(limit) {}

  Result<> work() {
    while (is_waiting()) {
      const bool rest = queue_->next < queue_->items.size();
      if (rest && processes_.size() < kMaxProcesses) TRY(add());
      if (processes_.empty()) return {};
      TRY(wait());
    }
    return {};
  }

 private:
  Result<> add() {
    processes_.push_back(TRY(LimitedChild::start([this] { init::run_lxcfs_work(*queue_); })));
    return {};
  }

  // Somebody has ended, or all of them have taken their time.
  Result<> wait() {
    std::vector<pollfd> ends;
    for (const LimitedChild& process : processes_)
      ends.push_back({.fd = process.pidfd(), .events = POLLIN, .revents = 0});
    if (::poll(ends.data(), ends.size(), kPatience) < 0 && errno != EINTR)
      return system_error(errno, "wait for the processes in containers");
    for (size_t i = ends.size(); i-- > 0;) {
      if (ends[i].revents == 0) continue;
      TRY(processes_[i].wait(Deadline(std::chrono::milliseconds(0))));
      processes_.erase(processes_.begin() + static_cast<ptrdiff_t>(i));
    }
    return {};
  }

  bool is_waiting() const {
    const int64_t now = std::chrono::steady_clock::now().time_since_epoch() /
                        std::chrono::nanoseconds(1);  // CLOCK_MONOTONIC
    const int64_t limit = limit_ / std::chrono::nanoseconds(1);
    return std::ranges::any_of(queue_->items, [&](const init::LxcfsTurn& turn) {
      return !turn.work->is_done && (turn.work->begun == 0 || now - turn.work->begun < limit);
    });
  }

  Queue queue_;
  std::chrono::milliseconds limit_;
  std::vector<LimitedChild> processes_ = {};
};

}  // namespace

Result<> work_through(const std::vector<init::LxcfsWork*>& works, std::chrono::milliseconds limit) {
  if (works.empty()) return {};
  Queue queue = TRY(Queue::make(works.size()));
  for (size_t i = 0; i < works.size(); ++i) queue->items[i].work = works[i];
  return Crew(std::move(queue), limit).work();
}

}  // namespace berth::engine
