// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace berth::sync {

// Every step of making a container, both sides, and of entering one. ARCHITECTURE.md shows the two
// tables.
enum class Step : uint8_t {
  // The host's side (engine/create.cc).
  ReserveState,
  CompileSeccomp,
  OpenMountSources,
  CreateCgroup,
  CloneInit,
  MakeNetwork,
  LimitDevices,
  MapIds,
  LimitResources,
  AttachNetwork,
  RunHostHooks,
  ServeInit,
  RecordState,
  // The child's side (init/run_init.cc, init/run_enter.cc).
  JoinCgroup,
  JoinNamespaces,
  AwaitIds,
  StartSession,
  AwaitHost,
  BringUpNetwork,
  IsolateMounts,
  MountFilesystems,
  MakeDevices,
  RunCreateHooks,
  EnterRootfs,
  FinishRootfs,
  OpenTerminal,
  SetHostname,
  WriteSysctls,
  LimitProcess,
  ConfineProcess,
  FindExecutable,
  CloseDescriptors,
  DropPrivileges,
  LoadSeccomp,
  AwaitStart,
  RunStartHooks,
  ExecProcess,
  AttachTools,  // of exec
};

// "mount filesystems": for errors, traces and documents.
std::string_view to_string(Step step);

}  // namespace berth::sync
