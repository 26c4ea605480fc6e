// SPDX-License-Identifier: Apache-2.0
#include "spec/state.h"

#include <algorithm>

#include "json/write.h"

namespace berth::spec {
namespace {

// A map's members sorted by key, as every reader is used to.
void write_annotations(json::Writer& writer, StringMap annotations) {
  if (annotations.empty()) return;
  std::sort(annotations.begin(), annotations.end());
  writer.key("annotations").begin_object();
  for (const auto& [key, value] : annotations) writer.member(key, std::string_view(value));
  writer.end();
}

void write_hook_state(json::Writer& writer, const State& state) {
  writer.begin_object().member("ociVersion", std::string_view(state.oci_version));
  writer.member("id", std::string_view(state.id)).member("status", std::string_view(state.status));
  writer.member("pid", state.pid).member("root", std::string_view(state.rootfs));
  writer.member("bundle", std::string_view(state.bundle));
  write_annotations(writer, state.annotations);
  writer.end();
}

}  // namespace

void write_state(json::Writer& writer, const State& state) {
  writer.begin_object().member("ociVersion", std::string_view(state.oci_version));
  writer.member("id", std::string_view(state.id)).member("pid", state.pid);
  writer.member("status", std::string_view(state.status))
      .member("bundle", std::string_view(state.bundle));
  writer.member("rootfs", std::string_view(state.rootfs))
      .member("created", std::string_view(state.created));
  write_annotations(writer, state.annotations);
  writer.member("owner", std::string_view(state.owner)).end();
}

std::string state_json(const State& state) {
  json::Writer writer(2);
  write_state(writer, state);
  return writer.take();
}

std::string hook_state_json(const State& state) {
  json::Writer writer;
  write_hook_state(writer, state);
  return writer.take();
}

std::string seccomp_state_json(const State& state, int process_pid, std::string_view metadata) {
  json::Writer writer;
  writer.begin_object().member("ociVersion", std::string_view(state.oci_version));
  writer.key("fds").begin_array().string("seccompFd").end();
  writer.member("pid", process_pid);
  if (!metadata.empty()) writer.member("metadata", metadata);
  writer.key("state");
  write_hook_state(writer, state);
  return writer.end().take();
}

}  // namespace berth::spec
