// SPDX-License-Identifier: Apache-2.0
#include "spec/annotations.h"
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

namespace {

// Without an effect they are only told to others, who read them from the text.
Result<> read_some_annotations(const json::Value& value, Spec& spec, const json::Place& place) {
  if (value.kind != json::Value::Kind::Object) return json::mismatch(place, "object", value);
  for (const json::Member& member : value.object()) {
    const json::Place inner{.up = &place, .name = member.name};
    if (member.value.kind != json::Value::Kind::String)
      return json::mismatch(inner, "string", member.value);
    if (member.name.empty() || may_have_effect(member.name))
      spec.annotations.emplace_back(member.name, member.value.string());
    else
      spec.has_more_annotations = true;
  }
  return {};
}

constexpr Field kAnnotations = [] {
  Field field = json::field<&Spec::annotations>("annotations");
  field.read = [](const json::Value& value, void* object, const json::Place& place) {
    Spec& spec = *static_cast<Spec*>(object);
    const bool brief = place.up != nullptr && place.up->brief;
    return brief ? read_some_annotations(value, spec, place)
                 : json::read_value(value, spec.annotations, place);
  };
  return field;
}();

}  // namespace

std::span<const Field> fields(const Spec*) {
  static constexpr Field kFields[] = {
      field<&Spec::oci_version>("ociVersion", Required),
      field<&Spec::process>("process"),
      field<&Spec::root>("root"),
      field<&Spec::hostname>("hostname"),
      field<&Spec::domainname>("domainname"),
      field<&Spec::mounts>("mounts"),
      field<&Spec::hooks>("hooks"),
      kAnnotations,
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
