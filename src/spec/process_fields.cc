// SPDX-License-Identifier: Apache-2.0
#include "spec/fields.h"

namespace berth {

using json::field;
using json::Field;
using enum json::Presence;

std::span<const Field> fields(const Rlimit*) {
  static constexpr Field kFields[] = {
      field<&Rlimit::type>("type", Required),
      field<&Rlimit::hard>("hard", Required),
      field<&Rlimit::soft>("soft", Required),
  };
  return kFields;
}

std::span<const Field> fields(const Scheduler*) {
  static constexpr Field kFields[] = {
      field<&Scheduler::policy>("policy", Required), field<&Scheduler::nice>("nice"),
      field<&Scheduler::priority>("priority"),       field<&Scheduler::flags>("flags"),
      field<&Scheduler::runtime>("runtime"),         field<&Scheduler::deadline>("deadline"),
      field<&Scheduler::period>("period"),
  };
  return kFields;
}

std::span<const Field> fields(const IoPriority*) {
  static constexpr Field kFields[] = {
      field<&IoPriority::io_class>("class", Required),
      field<&IoPriority::priority>("priority", Kept),
  };
  return kFields;
}

std::span<const Field> fields(const ProcessAttributes*) {
  static constexpr Field kFields[] = {
      field<&ProcessAttributes::oom_score_adj>("oomScoreAdj"),
      field<&ProcessAttributes::rlimits>("rlimits"),
      field<&ProcessAttributes::scheduler>("scheduler"),
      field<&ProcessAttributes::io_priority>("ioPriority"),
      field<&ProcessAttributes::cpu_affinity>("cpuAffinity"),
  };
  return kFields;
}

}  // namespace berth

namespace berth::spec {

std::span<const Field> fields(const User*) {
  static constexpr Field kFields[] = {
      field<&User::uid>("uid", Kept),     field<&User::gid>("gid", Kept),
      field<&User::umask>("umask"),       field<&User::additional_gids>("additionalGids"),
      field<&User::username>("username"),
  };
  return kFields;
}

std::span<const Field> fields(const Capabilities*) {
  static constexpr Field kFields[] = {
      field<&Capabilities::bounding>("bounding"),
      field<&Capabilities::effective>("effective"),
      field<&Capabilities::inheritable>("inheritable"),
      field<&Capabilities::permitted>("permitted"),
      field<&Capabilities::ambient>("ambient"),
  };
  return kFields;
}

std::span<const Field> fields(const ConsoleSize*) {
  static constexpr Field kFields[] = {
      field<&ConsoleSize::height>("height", Required),
      field<&ConsoleSize::width>("width", Required),
  };
  return kFields;
}

std::span<const Field> fields(const ExecCpuAffinity*) {
  static constexpr Field kFields[] = {
      field<&ExecCpuAffinity::initial>("initial"),
      field<&ExecCpuAffinity::final>("final"),
  };
  return kFields;
}

std::span<const Field> fields(const Process*) {
  static constexpr Field kFields[] = {
      field<&Process::terminal>("terminal"),
      field<&Process::console_size>("consoleSize"),
      field<&Process::user>("user", Kept),
      field<&Process::args>("args"),
      json::ignored("commandLine"),
      field<&Process::env>("env"),
      field<&Process::cwd>("cwd", Required),
      field<&Process::capabilities>("capabilities"),
      field<&Process::rlimits>("rlimits"),
      field<&Process::no_new_privileges>("noNewPrivileges"),
      field<&Process::apparmor_profile>("apparmorProfile"),
      field<&Process::oom_score_adj>("oomScoreAdj"),
      field<&Process::scheduler>("scheduler"),
      field<&Process::selinux_label>("selinuxLabel"),
      field<&Process::io_priority>("ioPriority"),
      field<&Process::exec_cpu_affinity>("execCPUAffinity"),
  };
  return kFields;
}

}  // namespace berth::spec
