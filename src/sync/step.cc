// SPDX-License-Identifier: Apache-2.0
#include "sync/step.h"

namespace berth::sync {

std::string_view to_string(Step step) {
  switch (step) {
    case Step::ReserveState: return "reserve state";
    case Step::CompileSeccomp: return "compile seccomp";
    case Step::OpenMountSources: return "open mount sources";
    case Step::CreateCgroup: return "create cgroup";
    case Step::CloneInit: return "clone init";
    case Step::MakeNetwork: return "make network";
    case Step::LimitDevices: return "limit devices";
    case Step::MapIds: return "map ids";
    case Step::LimitResources: return "limit resources";
    case Step::AttachNetwork: return "attach network";
    case Step::RunHostHooks: return "run host hooks";
    case Step::ServeInit: return "serve init";
    case Step::RecordState: return "record state";
    case Step::JoinCgroup: return "join cgroup";
    case Step::JoinNamespaces: return "join namespaces";
    case Step::AwaitIds: return "await ids";
    case Step::StartSession: return "start session";
    case Step::AwaitHost: return "await host";
    case Step::BringUpNetwork: return "bring up network";
    case Step::IsolateMounts: return "isolate mounts";
    case Step::MountFilesystems: return "mount filesystems";
    case Step::MakeDevices: return "make devices";
    case Step::RunCreateHooks: return "run create hooks";
    case Step::EnterRootfs: return "enter rootfs";
    case Step::FinishRootfs: return "finish rootfs";
    case Step::OpenTerminal: return "open terminal";
    case Step::SetHostname: return "set hostname";
    case Step::WriteSysctls: return "write sysctls";
    case Step::LimitProcess: return "limit process";
    case Step::ConfineProcess: return "confine process";
    case Step::FindExecutable: return "find executable";
    case Step::CloseDescriptors: return "close descriptors";
    case Step::DropPrivileges: return "drop privileges";
    case Step::LoadSeccomp: return "load seccomp";
    case Step::AwaitStart: return "await start";
    case Step::RunStartHooks: return "run start hooks";
    case Step::ExecProcess: return "exec process";
    case Step::AttachTools: return "attach tools";
  }
  return "unknown step";
}

}  // namespace berth::sync
