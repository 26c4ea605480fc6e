// SPDX-License-Identifier: Apache-2.0
#include "engine/record.h"

#include <charconv>
#include <limits>

#include "berth/try.h"
#include "core/context.h"
#include "json/value.h"
#include "json/write.h"

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

std::string to_hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) text += formatted("{:02x}", static_cast<unsigned char>(c));
  return text;
}

void write_devices(json::Writer& writer, const std::vector<network::MovedDevice>& devices) {
  writer.key("netDevices").begin_array();
  for (const network::MovedDevice& device : devices) {
    writer.begin_object().member("hostName", device.host_name).member("name", device.name);
    writer.member("index", device.index).member("hardware", to_hex(device.hardware));
    writer.member("up", device.was_up);
    writer.key("addresses").begin_array();
    for (const network::Address& address : device.addresses) {
      writer.begin_object().member("family", static_cast<unsigned>(address.family));
      writer.member("prefix", static_cast<unsigned>(address.prefix)).member("flags", address.flags);
      writer.member("local", to_hex(address.local)).member("peer", to_hex(address.peer));
      writer.member("broadcast", to_hex(address.broadcast)).end();
    }
    writer.end().end();
  }
  writer.end();
}

// The record is our own text, but a disk may damage it: every access is checked.
class Reader {
 public:
  explicit Reader(const json::Value& object) : object_(object) {}

  Result<std::string> string(std::string_view name) const {
    const json::Value* value = object_.find(name);
    if (value == nullptr || value->kind != Kind::String) return wrong(name);
    return std::string(value->string());
  }
  Result<uint64_t> number(std::string_view name, uint64_t limit) const {
    const json::Value* value = object_.find(name);
    if (value == nullptr || value->kind != Kind::Unsigned || value->unsigned_integer > limit)
      return wrong(name);
    return value->unsigned_integer;
  }
  Result<bool> boolean(std::string_view name) const {
    const json::Value* value = object_.find(name);
    if (value == nullptr || value->kind != Kind::Bool) return wrong(name);
    return value->boolean;
  }
  Result<const json::Value*> child(std::string_view name, Kind kind) const {
    const json::Value* value = object_.find(name);
    if (value == nullptr || value->kind != kind) return wrong(name);
    return value;
  }

 private:
  static std::unexpected<Error> wrong(std::string_view name) {
    return fail(ErrorKind::InvalidUse, "state.json: {} is missing or not what it should be", name);
  }
  const json::Value& object_;
};

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
  const Reader reader(value);
  plan::CgroupPlace place;
  place.controllers = TRY(read_words(*TRY(reader.child("controllers", Kind::Array))));
  place.mountpoint = TRY(reader.string("mountpoint"));
  place.path = TRY(reader.string("path"));
  place.is_v2 = TRY(reader.boolean("v2"));
  return place;
}

Result<std::string> from_hex(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    unsigned byte = 0;
    const char* end = text.data() + i + 2;
    const auto [stop, error] = std::from_chars(text.data() + i, end, byte, 16);
    if (stop != end || error != std::errc()) break;
    bytes += static_cast<char>(byte);
  }
  if (bytes.size() * 2 == text.size()) return bytes;
  return fail(ErrorKind::InvalidUse, "state.json: {} is no address", text);
}

Result<network::Address> read_address(const json::Value& value) {
  if (value.kind != Kind::Object)
    return fail(ErrorKind::InvalidUse, "state.json: an address is no object");
  const Reader reader(value);
  network::Address address;
  address.family = static_cast<uint8_t>(TRY(reader.number("family", UINT8_MAX)));
  address.prefix = static_cast<uint8_t>(TRY(reader.number("prefix", UINT8_MAX)));
  address.flags = static_cast<uint32_t>(TRY(reader.number("flags", UINT32_MAX)));
  address.local = TRY(from_hex(TRY(reader.string("local"))));
  address.peer = TRY(from_hex(TRY(reader.string("peer"))));
  address.broadcast = TRY(from_hex(TRY(reader.string("broadcast"))));
  return address;
}

Result<network::MovedDevice> read_device(const json::Value& value) {
  if (value.kind != Kind::Object)
    return fail(ErrorKind::InvalidUse, "state.json: a network device is no object");
  const Reader reader(value);
  network::MovedDevice device;
  device.host_name = TRY(reader.string("hostName"));
  device.name = TRY(reader.string("name"));
  device.index = static_cast<int>(TRY(reader.number("index", std::numeric_limits<int>::max())));
  device.hardware = TRY(from_hex(TRY(reader.string("hardware"))));
  device.was_up = TRY(reader.boolean("up"));
  for (const json::Value& address : TRY(reader.child("addresses", Kind::Array))->array())
    device.addresses.push_back(TRY(read_address(address)));
  return device;
}

Result<plan::CgroupDriver> read_driver(std::string_view name) {
  for (const auto driver : {plan::CgroupDriver::Filesystem, plan::CgroupDriver::Systemd,
                            plan::CgroupDriver::Disabled}) {
    if (driver_name(driver) == name) return driver;
  }
  return fail(ErrorKind::InvalidUse, "state.json: unknown cgroup driver {}", name);
}

}  // namespace

std::string write_record(const Record& record) {
  json::Writer writer;
  writer.begin_object().member("version", Record::kVersion);
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
  if (!record.net_devices.empty()) {
    write_devices(writer, record.net_devices);
    writer.member("networkPath", record.network_path);
  }
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
Result<> read_second_version(const Reader& reader, uint64_t version, Record& record) {
  record.annotated = version < 2 || TRY(reader.boolean("annotated"));
  record.changes_root = version >= 2 && TRY(reader.boolean("changesRoot"));
  return {};
}

}  // namespace

Result<Record> read_record(std::string_view text) {
  const json::Document document = TRY(json::parse(text));
  if (document.root().kind != Kind::Object)
    return fail(ErrorKind::InvalidUse, "state.json is no object");
  const Reader reader(document.root());
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
  if (document.root().find("netDevices") != nullptr) {
    for (const json::Value& device : TRY(reader.child("netDevices", Kind::Array))->array())
      record.net_devices.push_back(TRY(read_device(device)));
    record.network_path = TRY(reader.string("networkPath"));
  }
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
  const Reader reader(document->root());
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
