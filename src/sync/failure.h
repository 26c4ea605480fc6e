// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <expected>

#include "sync/step.h"

namespace berth::sync {

// What a step was doing when it failed, where the step alone does not say it.
enum class Action : uint8_t {
  None,
  OpenSource,
  OpenFilesystem,
  SetOption,  // detail: index of the option
  MakeTarget,
  CopyUp,
  Attach,
  CoverProc,
  MismatchedTarget,  // detail: 1 for a directory onto a file, 0 for a file onto a directory
  SetAttributes,
  SetPropagation,
  Reconfigure,
  MapMountIds,
  MakeNode,
  MakeLink,
  NotADirectory,
  WrongFilesystem,
  OpenProc,
  ChangeDirectory,
  LeftRoot,  // the working directory is outside the root
  SetIds,
  SetGroups,
  SetCapabilities,
  ReadBack,  // what was set is not what the kernel says
  SetKeyring,
  SetLabel,
  SetAffinity,  // detail: 0 initial, 1 final
  SetPersonality,
  SetMemoryPolicy,
  SetRlimit,
  ShareCore,
  MergePages,
  SetHugePages,
  DenyWriteExecute,
  MakeRuleset,
  AllowPath,
  Restrict,
  RunHook,     // could not be started
  HookExit,    // os_error is its exit code
  HookSignal,  // os_error is the signal
  HookTimeout,
  ReadPasswd,
  NotInPath,
  NotExecutable,
  PeerGone,
  AddFilter,
  OpenDoor,
};

// A child's failure as coordinates: the parent, which holds the plan, turns them into words
// (engine/explain.cc).
struct Failure {
  Step step = Step::ExecProcess;
  Action action = Action::None;
  uint16_t detail = 0;
  int32_t os_error = 0;
  int32_t item = -1;  // index into the plan's list for this step, or -1
};
static_assert(sizeof(Failure) == 12);

template <typename T = void>
using StepValue = std::expected<T, Failure>;
using StepResult = StepValue<>;

}  // namespace berth::sync
