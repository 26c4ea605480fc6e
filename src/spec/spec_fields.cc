// SPDX-License-Identifier: Apache-2.0
#include "spec/fields.h"

namespace berth::spec {

using json::field;
using json::Field;
using enum json::Presence;

std::span<const Field> fields(const Root*) {
  static constexpr Field kFields[] = {
      field<&Root::path>("path", Required),
      field<&Root::readonly>("readonly"),
  };
  return kFields;
}

std::span<const Field> fields(const IdMapping*) {
  static constexpr Field kFields[] = {
      field<&IdMapping::container_id>("containerID", Required),
      field<&IdMapping::host_id>("hostID", Required),
      field<&IdMapping::size>("size", Required),
  };
  return kFields;
}

std::span<const Field> fields(const Mount*) {
  static constexpr Field kFields[] = {
      field<&Mount::destination>("destination", Required),
      field<&Mount::type>("type"),
      field<&Mount::source>("source"),
      field<&Mount::options>("options"),
      field<&Mount::uid_mappings>("uidMappings"),
      field<&Mount::gid_mappings>("gidMappings"),
  };
  return kFields;
}

std::span<const Field> fields(const Hook*) {
  static constexpr Field kFields[] = {
      field<&Hook::path>("path", Required),
      field<&Hook::args>("args"),
      field<&Hook::env>("env"),
      field<&Hook::timeout>("timeout"),
  };
  return kFields;
}

std::span<const Field> fields(const Hooks*) {
  static constexpr Field kFields[] = {
      field<&Hooks::prestart>("prestart"),
      field<&Hooks::create_runtime>("createRuntime"),
      field<&Hooks::create_container>("createContainer"),
      field<&Hooks::start_container>("startContainer"),
      field<&Hooks::poststart>("poststart"),
      field<&Hooks::poststop>("poststop"),
  };
  return kFields;
}

std::span<const Field> fields(const Spec*) {
  static constexpr Field kFields[] = {
      field<&Spec::oci_version>("ociVersion", Required),
      field<&Spec::process>("process"),
      field<&Spec::root>("root"),
      field<&Spec::hostname>("hostname"),
      field<&Spec::domainname>("domainname"),
      field<&Spec::mounts>("mounts"),
      field<&Spec::hooks>("hooks"),
      field<&Spec::annotations>("annotations"),
      field<&Spec::platform>("linux"),
      json::ignored("solaris"),
      json::ignored("windows"),
      json::ignored("vm"),
      json::ignored("zos"),
      json::ignored("freebsd"),
  };
  return kFields;
}

}  // namespace berth::spec
