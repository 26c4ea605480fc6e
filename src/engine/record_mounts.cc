// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "berth/try.h"
#include "engine/record_parts.h"
#include "spec/mounts.h"

namespace berth::engine {
namespace {

using Kind = json::Value::Kind;

Result<AddedMount> read_mount(const json::Value& value) {
  if (value.kind != Kind::Object)
    return fail(ErrorKind::InvalidUse, "state.json: a mount is no object");
  const RecordReader reader(value);
  AddedMount added{.token = TRY(reader.string("token"))};
  TRY(json::read_value(*TRY(reader.child("mount", Kind::Object)), added.mount, json::Place{}));
  added.id = static_cast<int>(TRY(reader.number("id", std::numeric_limits<int>::max())));
  added.device = TRY(reader.string("device"));
  added.made_target = TRY(reader.boolean("madeTarget"));
  if (value.find("replaces") != nullptr)
    added.replaces = static_cast<int>(
        TRY(reader.number("replaces", std::numeric_limits<int>::max())));
  if (const json::Value* const changed = value.find("changed"))
    TRY(json::read_value(*changed, added.changed, json::Place{}));
  return added;
}

}  // namespace

void write_mounts(json::Writer& writer, const Record& record) {
  if (record.mounts.empty()) return;
  writer.key("mounts").begin_array();
  for (const AddedMount& added : record.mounts) {
    writer.begin_object().member("token", added.token).key("mount");
    json::write_value(writer, added.mount);
    writer.member("id", added.id).member("device", added.device);
    writer.member("madeTarget", added.made_target);
    if (added.replaces != 0) writer.member("replaces", added.replaces);
    if (!added.changed.empty()) json::write_value(writer.key("changed"), added.changed);
    writer.end();
  }
  writer.end();
}

Result<> read_mounts(const json::Value& root, Record& record) {
  if (root.find("mounts") == nullptr) return {};
  const RecordReader reader(root);
  for (const json::Value& each : TRY(reader.child("mounts", Kind::Array))->array())
    record.mounts.push_back(TRY(read_mount(each)));
  return {};
}

}  // namespace berth::engine
