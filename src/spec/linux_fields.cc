// SPDX-License-Identifier: Apache-2.0
#include "spec/fields.h"

namespace berth::spec {

using json::field;
using json::Field;
using enum json::Presence;

namespace {

constexpr json::Name kDeviceTypes[] = {{"c", 'c'}, {"b", 'b'}, {"u", 'u'}, {"p", 'p'}};

constexpr json::Name name(std::string_view text, NamespaceType type) {
  return {text, static_cast<int>(type)};
}

}  // namespace

std::span<const json::Name> names(const NamespaceType*) {
  using enum NamespaceType;
  static constexpr json::Name kNames[] = {
      name("pid", Pid), name("network", Network), name("mount", Mount),   name("ipc", Ipc),
      name("uts", Uts), name("user", User),       name("cgroup", Cgroup), name("time", Time)};
  return kNames;
}

std::span<const Field> fields(const Namespace*) {
  static constexpr Field kFields[] = {
      field<&Namespace::type>("type", Required),
      field<&Namespace::path>("path"),
  };
  return kFields;
}

std::span<const Field> fields(const Device*) {
  static constexpr Field kFields[] = {
      field<&Device::path>("path", Required),
      json::named<&Device::type, kDeviceTypes>("type", Required),
      field<&Device::major>("major", Kept),
      field<&Device::minor>("minor", Kept),
      field<&Device::file_mode>("fileMode"),
      field<&Device::uid>("uid"),
      field<&Device::gid>("gid"),
  };
  return kFields;
}

std::span<const Field> fields(const NetDevice*) {
  static constexpr Field kFields[] = {
      field<&NetDevice::name>("name"),
  };
  return kFields;
}

std::span<const Field> fields(const TimeOffset*) {
  static constexpr Field kFields[] = {
      field<&TimeOffset::seconds>("secs"),
      field<&TimeOffset::nanoseconds>("nanosecs"),
  };
  return kFields;
}

std::span<const Field> fields(const IntelRdt*) {
  static constexpr Field kFields[] = {
      field<&IntelRdt::clos_id>("closID"),
      field<&IntelRdt::schemata>("schemata"),
      field<&IntelRdt::l3_cache_schema>("l3CacheSchema"),
      field<&IntelRdt::mem_bw_schema>("memBwSchema"),
      field<&IntelRdt::enable_monitoring>("enableMonitoring"),
  };
  return kFields;
}

std::span<const Field> fields(const MemoryPolicy*) {
  static constexpr Field kFields[] = {
      field<&MemoryPolicy::mode>("mode", Required),
      field<&MemoryPolicy::nodes>("nodes"),
      field<&MemoryPolicy::flags>("flags"),
  };
  return kFields;
}

std::span<const Field> fields(const Personality*) {
  static constexpr Field kFields[] = {
      field<&Personality::domain>("domain", Required),
      field<&Personality::flags>("flags"),
  };
  return kFields;
}

std::span<const Field> fields(const Linux*) {
  static constexpr Field kFields[] = {
      field<&Linux::uid_mappings>("uidMappings"),
      field<&Linux::gid_mappings>("gidMappings"),
      field<&Linux::sysctl>("sysctl"),
      field<&Linux::resources>("resources"),
      field<&Linux::cgroups_path>("cgroupsPath"),
      field<&Linux::namespaces>("namespaces"),
      field<&Linux::devices>("devices"),
      json::keyed<&Linux::net_devices, &NetDevice::host_name>("netDevices"),
      field<&Linux::seccomp>("seccomp"),
      field<&Linux::rootfs_propagation>("rootfsPropagation"),
      field<&Linux::masked_paths>("maskedPaths"),
      field<&Linux::readonly_paths>("readonlyPaths"),
      field<&Linux::mount_label>("mountLabel"),
      field<&Linux::intel_rdt>("intelRdt"),
      field<&Linux::memory_policy>("memoryPolicy"),
      field<&Linux::personality>("personality"),
      json::keyed<&Linux::time_offsets, &TimeOffset::clock>("timeOffsets"),
  };
  return kFields;
}

}  // namespace berth::spec
