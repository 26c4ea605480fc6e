// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "json/decode.h"
#include "spec/spec.h"

// The members of each object of config.json, once for reading and writing (json/decode.h). Order:
// runtime-spec's.
namespace berth {

std::span<const json::Field> fields(const DeviceRule*);
std::span<const json::Field> fields(const MemoryResources*);
std::span<const json::Field> fields(const CpuResources*);
std::span<const json::Field> fields(const WeightDevice*);
std::span<const json::Field> fields(const ThrottleDevice*);
std::span<const json::Field> fields(const BlockIoResources*);
std::span<const json::Field> fields(const HugepageLimit*);
std::span<const json::Field> fields(const NetworkPriority*);
std::span<const json::Field> fields(const NetworkResources*);
std::span<const json::Field> fields(const RdmaLimit*);
std::span<const json::Field> fields(const Resources*);

// process_fields.cc
std::span<const json::Field> fields(const Rlimit*);
std::span<const json::Field> fields(const Scheduler*);
std::span<const json::Field> fields(const IoPriority*);
std::span<const json::Field> fields(const ProcessAttributes*);

}  // namespace berth

namespace berth::spec {

// spec_fields.cc
std::span<const json::Field> fields(const Root*);
std::span<const json::Field> fields(const IdMapping*);
std::span<const json::Field> fields(const Mount*);
std::span<const json::Field> fields(const Hook*);
std::span<const json::Field> fields(const Hooks*);
std::span<const json::Field> fields(const Spec*);

// process_fields.cc
std::span<const json::Field> fields(const User*);
std::span<const json::Field> fields(const Capabilities*);
std::span<const json::Field> fields(const ConsoleSize*);
std::span<const json::Field> fields(const ExecCpuAffinity*);
std::span<const json::Field> fields(const Process*);

// linux_fields.cc
std::span<const json::Field> fields(const Namespace*);
std::span<const json::Name> names(const NamespaceType*);
std::span<const json::Field> fields(const Device*);
std::span<const json::Field> fields(const NetDevice*);
std::span<const json::Field> fields(const TimeOffset*);
std::span<const json::Field> fields(const IntelRdt*);
std::span<const json::Field> fields(const MemoryPolicy*);
std::span<const json::Field> fields(const Personality*);
std::span<const json::Field> fields(const Linux*);

// seccomp_fields.cc
std::span<const json::Name> names(const SeccompAction*);
std::span<const json::Name> names(const SeccompOperator*);
std::span<const json::Field> fields(const SeccompArg*);
std::span<const json::Field> fields(const SeccompRule*);
std::span<const json::Field> fields(const Seccomp*);

}  // namespace berth::spec
