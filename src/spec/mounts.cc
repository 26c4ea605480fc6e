// SPDX-License-Identifier: Apache-2.0
#include "spec/mounts.h"

#include "berth/try.h"

namespace berth {

using json::field;
using json::Field;

std::span<const Field> fields(const LiveMount*) {
  static constexpr Field kFields[] = {
      field<&LiveMount::destination>("destination", json::Presence::Required),
      field<&LiveMount::type>("type"),
      field<&LiveMount::source>("source"),
      field<&LiveMount::options>("options"),
  };
  return kFields;
}

Result<std::vector<LiveMount>> parse_mounts(std::string_view text) {
  const auto read = [text]() -> Result<std::vector<LiveMount>> {
    const json::Document document = TRY(json::parse(text));
    std::vector<json::UnknownMember> unknown;
    std::vector<LiveMount> mounts;
    TRY(json::read_value(document.root(), mounts, json::Place{.unknown = &unknown}));
    if (unknown.empty()) return mounts;
    Error error(ErrorKind::InvalidConfig, "a live mount has no such member");
    error.set_pointer(unknown.front().pointer);
    return std::unexpected(std::move(error));
  };
  Result<std::vector<LiveMount>> mounts = read();
  if (!mounts) mounts.error().set_place("mounts");
  return mounts;
}

std::string to_json(const std::vector<LiveMountState>& states, int indent) {
  json::Writer out(indent);
  out.begin_array();
  for (const LiveMountState& state : states) {
    out.begin_object().member("token", state.token).member("there", state.is_there);
    out.member("destination", state.mount.destination).member("type", state.mount.type);
    out.member("source", state.mount.source).key("options");
    json::write_value(out, state.mount.options);
    out.end();
  }
  return out.end().take();
}

}  // namespace berth

namespace berth::spec {

Mount mount_of(const LiveMount& mount) {
  return {.destination = mount.destination,
          .type = mount.type,
          .source = mount.source,
          .options = mount.options};
}

}  // namespace berth::spec
