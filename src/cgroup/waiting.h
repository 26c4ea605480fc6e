// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <span>
#include <string_view>
#include <vector>

#include "berth/error.h"
#include "cgroup/directory.h"
#include "cgroup/manager.h"

// The parts of the managers that wait for the kernel, and those that both versions share.
namespace berth::cgroup {

int64_t now_ms();

// v2: until cgroup.events says `key` `value`; true at once when the cgroup is gone. False after the
// time.
Result<bool> wait_for_event(const Directory& directory, std::string_view key, uint64_t value,
                            int timeout_ms);

Result<> freeze_v2(const Directory& directory, Freezer state);
Result<> freeze_v1(const Directory& directory, Freezer state);

// One signal to each; processes that are gone are no error.
Result<> signal_each(std::span<const pid_t> processes, int signal);
void sort_unique(std::vector<pid_t>& processes);

// Removes the directory, waiting until `deadline` (of now_ms) for processes that are about to end.
inline constexpr int kRemoveTimeoutMs = 500;
Result<> remove_waiting(Directory& directory, int64_t deadline);

Result<> refuse_busy(const Directory& directory);  // "cgroup is not empty"
std::unexpected<Error> frozen_error(const Directory& directory);

Result<int> oom_fd_v1(const Directory& directory);
Result<int> oom_fd_v2(const Directory& directory);

Result<> check_places(std::span<const plan::CgroupPlace> places);
Result<std::unique_ptr<CgroupManager>> make_v1(std::vector<plan::CgroupPlace> places,
                                               bool tolerate_denied);
Result<std::unique_ptr<CgroupManager>> make_v2(plan::CgroupPlace place, bool tolerate_denied);
std::unique_ptr<CgroupManager> make_systemd(std::unique_ptr<CgroupManager> inner,
                                            const plan::CgroupPlan& plan,
                                            std::optional<Systemd> systemd);

}  // namespace berth::cgroup
