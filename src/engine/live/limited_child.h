// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>

#include "berth/error.h"
#include "os/process.h"

namespace berth::engine {

class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds limit) : end_(Clock::now() + limit) {}
  // In milliseconds, for poll(2).
  int left() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now()).count();
    return static_cast<int>(std::clamp<int64_t>(left, 0, std::numeric_limits<int>::max()));
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point end_;
};

// A child that may hang where not even SIGKILL reaches it (a request to a filesystem in user
// space): its owner goes on without it.
class LimitedChild {
 public:
  LimitedChild() = default;
  // The child runs work, which does not return and does only what src/init may.
  static Result<LimitedChild> start(const std::function<void()>& work);
  LimitedChild(LimitedChild&&) noexcept = default;
  LimitedChild& operator=(LimitedChild&&) noexcept = default;
  ~LimitedChild();

  int pidfd() const { return child_.pidfd(); }
  // System (ETIMEDOUT) when it has not ended by then; it is killed.
  Result<os::WaitStatus> wait(const Deadline& deadline);

 private:
  explicit LimitedChild(os::ChildProcess child) : child_(std::move(child)) {}
  os::ChildProcess child_;
};

}  // namespace berth::engine
