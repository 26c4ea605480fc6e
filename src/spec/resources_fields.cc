// SPDX-License-Identifier: Apache-2.0
#include "spec/fields.h"

namespace berth {

using json::field;
using json::Field;
using enum json::Presence;

namespace {

constexpr json::Name kRuleTypes[] = {{"a", 'a'}, {"b", 'b'}, {"c", 'c'}};

// {"limit": 5} around a plain number.
constexpr Field kPids[] = {field<&Resources::pids_limit>("limit", Required)};

constexpr Field kPidsField = {"pids", Optional,
                              [](const json::Value& value, void* object, const json::Place& place) {
                                return json::read_object(value, kPids, object, place);
                              },
                              [](json::Writer& writer, const Field& self, const void* object) {
                                if (!static_cast<const Resources*>(object)->pids_limit) return;
                                writer.key(self.name);
                                json::write_object(writer, kPids, object);
                              }};

}  // namespace

std::span<const Field> fields(const DeviceRule*) {
  static constexpr Field kFields[] = {
      field<&DeviceRule::allow>("allow", Required),
      json::named<&DeviceRule::type, kRuleTypes>("type"),
      field<&DeviceRule::major>("major"),
      field<&DeviceRule::minor>("minor"),
      field<&DeviceRule::access>("access"),
  };
  return kFields;
}

std::span<const Field> fields(const MemoryResources*) {
  static constexpr Field kFields[] = {
      field<&MemoryResources::limit>("limit"),
      field<&MemoryResources::reservation>("reservation"),
      field<&MemoryResources::swap>("swap"),
      field<&MemoryResources::kernel>("kernel"),
      field<&MemoryResources::kernel_tcp>("kernelTCP"),
      field<&MemoryResources::swappiness>("swappiness"),
      field<&MemoryResources::disable_oom_killer>("disableOOMKiller"),
      field<&MemoryResources::use_hierarchy>("useHierarchy"),
      field<&MemoryResources::check_before_update>("checkBeforeUpdate"),
  };
  return kFields;
}

std::span<const Field> fields(const CpuResources*) {
  static constexpr Field kFields[] = {
      field<&CpuResources::shares>("shares"),
      field<&CpuResources::quota>("quota"),
      field<&CpuResources::burst>("burst"),
      field<&CpuResources::period>("period"),
      field<&CpuResources::realtime_runtime>("realtimeRuntime"),
      field<&CpuResources::realtime_period>("realtimePeriod"),
      field<&CpuResources::cpus>("cpus"),
      field<&CpuResources::mems>("mems"),
      field<&CpuResources::idle>("idle"),
  };
  return kFields;
}

std::span<const Field> fields(const WeightDevice*) {
  static constexpr Field kFields[] = {
      field<&WeightDevice::major>("major", Required),
      field<&WeightDevice::minor>("minor", Required),
      field<&WeightDevice::weight>("weight"),
      field<&WeightDevice::leaf_weight>("leafWeight"),
  };
  return kFields;
}

std::span<const Field> fields(const ThrottleDevice*) {
  static constexpr Field kFields[] = {
      field<&ThrottleDevice::major>("major", Required),
      field<&ThrottleDevice::minor>("minor", Required),
      field<&ThrottleDevice::rate>("rate", Kept),
  };
  return kFields;
}

std::span<const Field> fields(const BlockIoResources*) {
  static constexpr Field kFields[] = {
      field<&BlockIoResources::weight>("weight"),
      field<&BlockIoResources::leaf_weight>("leafWeight"),
      field<&BlockIoResources::weight_device>("weightDevice"),
      field<&BlockIoResources::throttle_read_bps>("throttleReadBpsDevice"),
      field<&BlockIoResources::throttle_write_bps>("throttleWriteBpsDevice"),
      field<&BlockIoResources::throttle_read_iops>("throttleReadIOPSDevice"),
      field<&BlockIoResources::throttle_write_iops>("throttleWriteIOPSDevice"),
  };
  return kFields;
}

std::span<const Field> fields(const HugepageLimit*) {
  static constexpr Field kFields[] = {
      field<&HugepageLimit::page_size>("pageSize", Required),
      field<&HugepageLimit::limit>("limit", Required),
  };
  return kFields;
}

std::span<const Field> fields(const NetworkPriority*) {
  static constexpr Field kFields[] = {
      field<&NetworkPriority::name>("name", Required),
      field<&NetworkPriority::priority>("priority", Required),
  };
  return kFields;
}

std::span<const Field> fields(const NetworkResources*) {
  static constexpr Field kFields[] = {
      field<&NetworkResources::class_id>("classID"),
      field<&NetworkResources::priorities>("priorities"),
  };
  return kFields;
}

std::span<const Field> fields(const RdmaLimit*) {
  static constexpr Field kFields[] = {
      field<&RdmaLimit::hca_handles>("hcaHandles"),
      field<&RdmaLimit::hca_objects>("hcaObjects"),
  };
  return kFields;
}

std::span<const Field> fields(const Resources*) {
  static constexpr Field kFields[] = {
      field<&Resources::devices>("devices"),
      field<&Resources::memory>("memory"),
      field<&Resources::cpu>("cpu"),
      kPidsField,
      field<&Resources::block_io>("blockIO"),
      field<&Resources::hugepage_limits>("hugepageLimits"),
      field<&Resources::network>("network"),
      json::keyed<&Resources::rdma, &RdmaLimit::device>("rdma"),
      field<&Resources::unified>("unified"),
  };
  return kFields;
}

}  // namespace berth
