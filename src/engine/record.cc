// SPDX-License-Identifier: Apache-2.0
#include "engine/record.h"

#include <charconv>
#include <limits>

#include "berth/try.h"
#include "engine/record_parts.h"

namespace berth::engine {
namespace {

using Kind = json::Value::Kind;

std::string_view driver_name(plan::CgroupDriver driver) {
  switch (driver) {
    case plan::CgroupDriver::Filesystem: return "cgroupfs";
    case plan::CgroupDriver::Systemd: return "systemd";
    case plan::CgroupDriver::Disabled: return "disabled";
  }
  return "cgroupfs";
}

void write_words(json::Writer& writer, std::string_view name,
                 const std::vector<std::string>& words) {
  writer.key(name).begin_array();
  for (const std::string& word : words) writer.string(word);
  writer.end();
}

void write_places(json::Writer& writer, const std::vector<plan::CgroupPlace>& places) {
  writer.key("cgroups").begin_array();
  for (const plan::CgroupPlace& place : places) {
    write_words(writer.begin_object(), "controllers", place.controllers);
    writer.member("mountpoint", place.mountpoint)
        .member("path", place.path)
        .member("v2", place.is_v2)
        .end();
  }
  writer.end();
}

Result<std::vector<std::string>> read_words(const json::Value& list) {
  std::vector<std::string> words;
  for (const json::Value& word : list.array()) {
    if (word.kind != Kind::String)
      return fail(ErrorKind::InvalidUse, "state.json: what should be a string is none");
    words.emplace_back(word.string());
  }
  return words;
}

Result<plan::CgroupPlace> read_place(const json::Value& value) {
  if (value.kind != Kind::Object)
    return fail(ErrorKind::InvalidUse, "state.json: a cgroup is no object");
  const RecordReader reader(value);
  plan::CgroupPlace place;
  place.controllers = TRY(read_words(*TRY(reader.child("controllers", Kind::Array))));
  place.mountpoint = TRY(reader.string("mountpoint"));
  place.path = TRY(reader.string("path"));
  place.is_v2 = TRY(reader.boolean("v2"));
  return place;
}

Result<plan::CgroupDriver> read_driver(std::string_view name) {
  for (const auto driver : {plan::CgroupDriver::Filesystem, plan::CgroupDriver::Systemd,
                            plan::CgroupDriver::Disabled}) {
    if (driver_name(driver) == name) return driver;
  }
  return fail(ErrorKind::InvalidUse, "state.json: unknown cgroup driver {}", name);
}

int version_of(const Record& record) {
  if (!record.mounts.empty()) return Record::kVersion;
  return record.interfaces.empty() ? 2 : 3;
}

}  // namespace

std::string write_record(const Record& record) {
  json::Writer writer;
  // What an older berth could not undo it must not read.
  writer.begin_object().member("version", version_of(record));
  writer.member("id", record.id).member("bundle", record.bundle).member("rootfs", record.rootfs);
  writer.member("created", record.created)
      .member("ociVersion", record.oci_version)
      .member("bootId", record.boot_id);
  writer.member("owner", record.owner);
  writer.member("creator", record.creator).member("namespaces", record.namespaces);
  writer.member("cgroupDriver", driver_name(record.cgroup_driver))
      .member("tolerateDenied", record.tolerate_denied);
  if (record.cgroup_driver == plan::CgroupDriver::Systemd)
    writer.member("unit", record.unit).member("unitOfUser", record.unit_of_user);
  write_places(writer, record.cgroups);
  write_network(writer, record);
  write_mounts(writer, record);
  if (!record.rdt.tasks.empty()) {
    write_words(writer, "rdtTasks", record.rdt.tasks);
    write_words(writer, "rdtRemoved", record.rdt.removed);
  }
  writer.member("pidFile", record.pid_file);
  writer.member("poststart", record.has_poststart).member("poststop", record.has_poststop);
  writer.member("changesRoot", record.changes_root).member("annotated", record.annotated).end();
  return writer.take() + "\n";
}

namespace {

// In the first version annotations were in the record, too: read from the config, they are the
// same.
Result<> read_second_version(const RecordReader& reader, uint64_t version, Record& record) {
  record.annotated = version < 2 || TRY(reader.boolean("annotated"));
  record.changes_root = version >= 2 && TRY(reader.boolean("changesRoot"));
  return {};
}

}  // namespace

Result<Record> read_record(std::string_view text) {
  const json::Document document = TRY(json::parse(text));
  if (document.root().kind != Kind::Object)
    return fail(ErrorKind::InvalidUse, "state.json is no object");
  const RecordReader reader(document.root());
  const uint64_t version = TRY(reader.number("version", std::numeric_limits<int>::max()));
  if (version > Record::kVersion)
    return fail(ErrorKind::Unsupported,
                "a newer berth has made it: state.json is of version {}, this one reads up to {}",
                version, Record::kVersion);
  Record record;
  record.id = TRY(reader.string("id"));
  record.bundle = TRY(reader.string("bundle"));
  record.rootfs = TRY(reader.string("rootfs"));
  record.created = TRY(reader.string("created"));
  record.oci_version = TRY(reader.string("ociVersion"));
  record.boot_id = TRY(reader.string("bootId"));
  record.owner = static_cast<uid_t>(TRY(reader.number("owner", std::numeric_limits<uid_t>::max())));
  record.creator = static_cast<pid_t>(
      TRY(reader.number("creator", std::numeric_limits<pid_t>::max())));
  record.namespaces = TRY(reader.number("namespaces", std::numeric_limits<uint64_t>::max()));
  record.cgroup_driver = TRY(read_driver(TRY(reader.string("cgroupDriver"))));
  record.tolerate_denied = TRY(reader.boolean("tolerateDenied"));
  if (record.cgroup_driver == plan::CgroupDriver::Systemd) {
    record.unit = TRY(reader.string("unit"));
    record.unit_of_user = TRY(reader.boolean("unitOfUser"));
  }
  for (const json::Value& place : TRY(reader.child("cgroups", Kind::Array))->array())
    record.cgroups.push_back(TRY(read_place(place)));
  TRY(read_network(document.root(), record));
  TRY(read_mounts(document.root(), record));
  if (document.root().find("rdtTasks") != nullptr) {
    record.rdt.tasks = TRY(read_words(*TRY(reader.child("rdtTasks", Kind::Array))));
    record.rdt.removed = TRY(read_words(*TRY(reader.child("rdtRemoved", Kind::Array))));
  }
  record.pid_file = TRY(reader.string("pidFile"));
  record.has_poststart = TRY(reader.boolean("poststart"));
  record.has_poststop = TRY(reader.boolean("poststop"));
  TRY(read_second_version(reader, version, record));
  return record;
}

namespace {

uint64_t sum_of(uint64_t pid, uint64_t start_time) { return pid + start_time; }

}  // namespace

std::string write_process(const Record& record) {
  json::Writer writer;
  writer.begin_object().member("pid", record.pid).member("startTime", record.start_time);
  writer.member("sum", sum_of(record.pid, record.start_time)).end();
  std::string line = writer.take();
  line.resize(kProcessLine - 1, ' ');
  return line + "\n";
}

void read_process(std::string_view text, Record& record) {
  const Result<json::Document> document = json::parse(text);
  if (!document || document->root().kind != Kind::Object) return;
  const RecordReader reader(document->root());
  const Result<uint64_t> pid = reader.number("pid", std::numeric_limits<pid_t>::max());
  const Result<uint64_t> start = reader.number("startTime", std::numeric_limits<uint64_t>::max());
  const Result<uint64_t> sum = reader.number("sum", std::numeric_limits<uint64_t>::max());
  if (!pid || !start || !sum || *sum != sum_of(*pid, *start)) return;
  record.pid = static_cast<pid_t>(*pid);
  record.start_time = *start;
}

std::string write_started(int64_t nanoseconds) {
  std::string line = nanoseconds > 0 ? std::to_string(nanoseconds) : std::string();
  line.resize(kStartedLine - 1, ' ');
  return line + "\n";
}

void read_started(std::string_view text, Record& record) {
  constexpr size_t kDigits = 19;  // from 2001 to 2286: fewer are a line that is being written
  int64_t nanoseconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), nanoseconds);
  if (error == std::errc() && end == text.data() + kDigits) record.started = nanoseconds;
}

}  // namespace berth::engine
