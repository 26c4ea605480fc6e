// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "berth/error.h"
#include "cgroup/bus.h"
#include "plan/bus_value.h"

namespace berth::cgroup {

// What a manager says of itself.
struct SystemdFacts {
  int version = 0;        // 252
  std::string root = {};  // the cgroup below which it has its units: "/", or of a user's manager
};

// systemd's manager (org.freedesktop.systemd1(5)): the system's, or the user's own.
class Systemd {
 public:
  // Unsupported when there is none.
  static Result<Systemd> open(bool of_user);
  const SystemdFacts& facts() const { return facts_; }

  // A transient scope around a process that runs; returns when it is there. A failed one of the
  // same name that was left is taken away before.
  Result<> start_scope(const std::string& unit, std::vector<plan::UnitProperty> properties);
  // Until the next start only (transient units have no other).
  Result<> set_properties(const std::string& unit, std::span<const plan::UnitProperty> properties);
  // Ends what is in the unit, and returns when it is gone. No error when it is not there.
  Result<> stop(const std::string& unit);
  // Moves a process of the caller's into the unit (systemd 238), or to the path "/a" below it. For
  // who may not do so: a user, from a session that the system's manager made.
  Result<> attach(const std::string& unit, const std::string& path, pid_t process);

 private:
  explicit Systemd(Bus bus) : bus_(std::move(bus)) {}

  Result<> ask_facts();
  uint32_t send(const char* member, std::vector<plan::BusValue> arguments);
  uint32_t send_get(const char* property);
  void hear_of_jobs();
  Result<BusMessage> answer_to(uint32_t serial);
  // Of a method that returns a job: until that is done. nullopt: the error of that name was
  // replied.
  Result<std::optional<std::string>> finish_job(uint32_t serial, std::string_view tolerated);

  Bus bus_;
  SystemdFacts facts_ = {};
  bool hears_of_jobs_ = false;
};

}  // namespace berth::cgroup
