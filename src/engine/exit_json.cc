// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "engine/exit_record.h"
#include "json/value.h"
#include "json/write.h"

namespace berth {
namespace {

using json::Writer;
using Kind = json::Value::Kind;

constexpr OomLimit kLimits[] = {OomLimit::Unknown, OomLimit::Container, OomLimit::Inside,
                                OomLimit::Above, OomLimit::Machine};

// new_kills: of an event; a record is of them all.
void write_oom(Writer& out, const OutOfMemory& oom, bool is_event) {
  out.begin_object().member("kills", oom.kills);
  if (is_event) out.member("newKills", oom.new_kills);
  out.member("limit", to_string(oom.limit));
  if (!oom.cgroup.empty()) out.member("cgroup", oom.cgroup);
  out.key("victims").begin_array();
  for (const OomVictim& victim : oom.victims) {
    out.begin_object().member("pid", victim.pid).member("name", victim.name);
    out.member("cgroup", victim.cgroup).end();
  }
  out.end().end();
}

void write_or_null(Writer& out, std::string_view name, std::optional<uint64_t> value) {
  if (value)
    out.member(name, *value);
  else
    out.key(name).null();
}

void write_text_or_null(Writer& out, std::string_view name, const std::string& text) {
  if (text.empty())
    out.key(name).null();
  else
    out.member(name, text);
}

void write_exit(Writer& out, const std::optional<ExitStatus>& exit) {
  std::optional<uint64_t> code, signal;
  if (exit && exit->signal != 0)
    signal = exit->signal;
  else if (exit)
    code = exit->code;
  write_or_null(out, "exitCode", code);
  write_or_null(out, "signal", signal);
}

std::string text_of(const json::Value& object, std::string_view name) {
  const json::Value* value = object.find(name);
  return value && value->kind == Kind::String ? std::string(value->string()) : std::string();
}

std::optional<uint64_t> number_of(const json::Value& object, std::string_view name) {
  const json::Value* value = object.find(name);
  if (!value || value->kind != Kind::Unsigned) return std::nullopt;
  return value->unsigned_integer;
}

bool is_boolean(const json::Value& object, std::string_view name) {
  const json::Value* value = object.find(name);
  return value && value->kind == Kind::Bool;
}

// An exit code, a signal or a pid: 0 when it is none.
int small_number_of(const json::Value& object, std::string_view name) {
  const uint64_t number = number_of(object, name).value_or(0);
  return number <= std::numeric_limits<int>::max() ? static_cast<int>(number) : 0;
}

std::optional<ExitStatus> read_status(const json::Value& object) {
  if (!number_of(object, "exitCode") && !number_of(object, "signal")) return std::nullopt;
  return ExitStatus{.code = small_number_of(object, "exitCode"),
                    .signal = small_number_of(object, "signal")};
}

std::optional<OutOfMemory> read_oom(const json::Value& object) {
  const json::Value* value = object.find("oom");
  if (!value || value->kind != Kind::Object) return std::nullopt;
  OutOfMemory oom{.kills = number_of(*value, "kills").value_or(0),
                  .cgroup = text_of(*value, "cgroup")};
  for (const OomLimit limit : kLimits) {
    if (to_string(limit) == text_of(*value, "limit")) oom.limit = limit;
  }
  const json::Value* victims = value->find("victims");
  if (!victims || victims->kind != Kind::Array) return oom;
  for (const json::Value& each : victims->array()) {
    if (each.kind != Kind::Object) continue;
    oom.victims.push_back({.pid = small_number_of(each, "pid"),
                           .name = text_of(each, "name"),
                           .cgroup = text_of(each, "cgroup")});
  }
  return oom;
}

}  // namespace

std::string_view to_string(OomLimit limit) {
  switch (limit) {
    case OomLimit::Unknown: return "unknown";
    case OomLimit::Container: return "container";
    case OomLimit::Inside: return "inside";
    case OomLimit::Above: return "above";
    case OomLimit::Machine: return "machine";
  }
  return "unknown";
}

std::string OutOfMemory::to_json() const {
  Writer out;
  write_oom(out, *this, true);
  return out.take();
}

std::string ExitRecord::to_json() const {
  Writer out;
  out.begin_object().member("id", id);
  write_exit(out, exit);
  if (oom || counted)
    out.member("oomKilled", oom.has_value());
  else
    out.key("oomKilled").null();
  if (oom) {
    out.key("oom");
    write_oom(out, *oom, false);
  }
  write_text_or_null(out, "created", created);
  write_text_or_null(out, "started", started);
  write_text_or_null(out, "finished", finished);
  write_or_null(out, "memoryPeakBytes", memory_peak_bytes);
  write_or_null(out, "cpuNanoseconds", cpu_ns);
  write_or_null(out, "pidsPeak", pids_peak);
  return out.end().take();
}

namespace engine {

std::optional<ExitRecord> parse_exit(std::string_view json) {
  const Result<json::Document> document = json::parse(json);
  if (!document || document->root().kind != Kind::Object) return std::nullopt;
  const json::Value& root = document->root();
  return ExitRecord{.id = text_of(root, "id"),
                    .exit = read_status(root),
                    .oom = read_oom(root),
                    .counted = is_boolean(root, "oomKilled"),
                    .created = text_of(root, "created"),
                    .started = text_of(root, "started"),
                    .finished = text_of(root, "finished"),
                    .memory_peak_bytes = number_of(root, "memoryPeakBytes"),
                    .cpu_ns = number_of(root, "cpuNanoseconds"),
                    .pids_peak = number_of(root, "pidsPeak")};
}

}  // namespace engine
}  // namespace berth
