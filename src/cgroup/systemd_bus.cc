// SPDX-License-Identifier: Apache-2.0
#include "cgroup/systemd_bus.h"

#include <algorithm>
#include <charconv>

#include "berth/try.h"
#include "core/context.h"

namespace berth::cgroup {
namespace {

using plan::BusValue;
using plan::UnitProperty;

constexpr const char* kName = "org.freedesktop.systemd1";
constexpr const char* kPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr std::string_view kUnitExists = "org.freedesktop.systemd1.UnitExists";
constexpr std::string_view kNoSuchUnit = "org.freedesktop.systemd1.NoSuchUnit";

BusValue properties_value(std::span<const UnitProperty> properties) {
  std::vector<BusValue> items;
  for (const UnitProperty& property : properties)
    items.push_back(
        plan::bus_struct({plan::bus_string(property.name), plan::bus_variant(property.value)}));
  return plan::bus_array("(sv)", std::move(items));
}

std::string text_of(const BusMessage& message) {
  const bool has_text = !message.arguments.empty() && message.arguments.front().type == "s";
  return has_text ? message.arguments.front().text : message.error;
}

std::unexpected<Error> refused(const BusMessage& message) {
  return fail(ErrorKind::System, "systemd says: {}", text_of(message));
}

// The value of a variant that is the only argument.
Result<std::string> text_in(const BusMessage& message) {
  if (message.type == BusMessageType::Error) return refused(message);
  if (message.arguments.size() != 1 || message.arguments.front().type != "v")
    return fail(ErrorKind::System, "systemd's answer is not a property");
  return message.arguments.front().items.front().text;
}

// "252.39-1~deb12u1", "v245 (245.4)".
int version_of(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  int version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

}  // namespace

Result<Systemd> Systemd::open(bool of_user) {
  Systemd systemd(TRY(Bus::open(of_user)));
  TRY(systemd.ask_facts());
  return systemd;
}

Result<> Systemd::ask_facts() {
  const uint32_t version = send_get("Version");
  const uint32_t root = send_get("ControlGroup");
  facts_.version = version_of(TRY(text_in(TRY(answer_to(version)))));
  facts_.root = TRY(text_in(TRY(answer_to(root))));
  return {};
}

uint32_t Systemd::send_get(const char* property) {
  return bus_.send({.destination = bus_.has_destinations() ? kName : "",
                    .path = kPath,
                    .interface = "org.freedesktop.DBus.Properties",
                    .member = "Get",
                    .arguments = {plan::bus_string(kManager), plan::bus_string(property)}});
}

uint32_t Systemd::send(const char* member, std::vector<BusValue> arguments) {
  bus_.restart_clock();
  return bus_.send({.destination = bus_.has_destinations() ? kName : "",
                    .path = kPath,
                    .interface = kManager,
                    .member = member,
                    .arguments = std::move(arguments)});
}

Result<BusMessage> Systemd::answer_to(uint32_t serial) {
  for (;;) {
    BusMessage message = TRY(bus_.receive());
    const bool is_answer =
        message.type == BusMessageType::Reply || message.type == BusMessageType::Error;
    if (is_answer && message.reply_to == serial) return message;
  }
}

Result<std::optional<std::string>> Systemd::finish_job(uint32_t serial,
                                                       std::string_view tolerated) {
  const BusMessage answer = TRY(answer_to(serial));
  if (answer.type == BusMessageType::Error) {
    if (answer.error == tolerated) return std::nullopt;
    return refused(answer);
  }
  if (answer.arguments.empty()) return fail(ErrorKind::System, "systemd has named no job");
  const std::string job = answer.arguments.front().text;
  for (;;) {
    const BusMessage message = TRY(bus_.receive());
    // JobRemoved(u id, o job, s unit, s result)
    const bool is_end = message.type == BusMessageType::Signal && message.member == "JobRemoved" &&
                        message.interface == kManager && message.arguments.size() == 4;
    if (is_end && message.arguments[1].text == job) return message.arguments[3].text;
  }
}

// systemd tells the end of a job as long as who asked for it is on the bus (systemd 209), without a
// subscription to all that it does. The bus passes it on to who wants to hear it.
void Systemd::hear_of_jobs() {
  if (!bus_.has_destinations() || std::exchange(hears_of_jobs_, true)) return;
  bus_.send(
      {.destination = "org.freedesktop.DBus",
       .path = "/org/freedesktop/DBus",
       .interface = "org.freedesktop.DBus",
       .member = "AddMatch",
       .arguments = {plan::bus_string(formatted(
           "type='signal',sender='{}',interface='{}',member='JobRemoved'", kName, kManager))}});
}

Result<> Systemd::start_scope(const std::string& unit, std::vector<UnitProperty> properties) {
  const BusValue settings = properties_value(properties);
  const BusValue no_others = plan::bus_array("(sa(sv))", {});
  hear_of_jobs();
  for (const bool first : {true, false}) {
    const uint32_t serial =
        send("StartTransientUnit",
             {plan::bus_string(unit), plan::bus_string("replace"), settings, no_others});
    const auto end = TRY(finish_job(serial, kUnitExists) | context("start unit {}", unit));
    if (end && *end == "done") return {};
    if (end)
      return fail(ErrorKind::System, "start unit {}: systemd says: {} (systemctl status {})", unit,
                  *end, unit);
    if (first) (void)TRY(answer_to(send("ResetFailedUnit", {plan::bus_string(unit)})));
  }
  return fail(ErrorKind::WrongState, "start unit {}: it exists already (systemctl status {})", unit,
              unit);
}

Result<> Systemd::set_properties(const std::string& unit,
                                 std::span<const UnitProperty> properties) {
  constexpr bool kRuntime = true;
  const BusMessage answer =
      TRY(answer_to(send("SetUnitProperties", {plan::bus_string(unit), plan::bus_boolean(kRuntime),
                                               properties_value(properties)})));
  if (answer.type != BusMessageType::Error) return {};
  return Result<>(refused(answer)) | context("set properties of unit {}", unit);
}

Result<> Systemd::stop(const std::string& unit) {
  hear_of_jobs();
  const uint32_t serial = send("StopUnit", {plan::bus_string(unit), plan::bus_string("replace")});
  const auto end = TRY(finish_job(serial, kNoSuchUnit) | context("stop unit {}", unit));
  if (end && *end != "done" && *end != "canceled")
    return fail(ErrorKind::System, "stop unit {}: systemd says: {}", unit, *end);
  // A failed one would stay, and the next of this name could not be started.
  (void)TRY(answer_to(send("ResetFailedUnit", {plan::bus_string(unit)})));
  return {};
}

Result<> Systemd::attach(const std::string& unit, const std::string& path, pid_t process) {
  std::vector<BusValue> processes;
  processes.push_back(plan::bus_number('u', static_cast<uint64_t>(process)));
  const BusMessage answer =
      TRY(answer_to(send("AttachProcessesToUnit", {plan::bus_string(unit), plan::bus_string(path),
                                                   plan::bus_array("u", std::move(processes))})));
  if (answer.type != BusMessageType::Error) return {};
  return Result<>(refused(answer)) | context("move process {} into unit {}", process, unit);
}

}  // namespace berth::cgroup
