// SPDX-License-Identifier: Apache-2.0
#include "json/write.h"
#include "spec/fields.h"
#include "spec/read_spec.h"

namespace berth::spec {
namespace {

template <typename T>
std::string write_text(const T& object, int indent) {
  json::Writer writer(indent);
  json::write_value(writer, object);
  return writer.take();
}

}  // namespace

std::string write_spec(const Spec& spec, int indent) { return write_text(spec, indent); }
std::string write_process(const Process& process, int indent) {
  return write_text(process, indent);
}
std::string write_resources(const Resources& resources, int indent) {
  return write_text(resources, indent);
}

}  // namespace berth::spec
