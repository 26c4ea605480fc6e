// SPDX-License-Identifier: Apache-2.0
#include "berth/driver.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "berth/try.h"
#include "core/context.h"
#include "driver/attach_protocol.h"
#include "driver/attachment_inner.h"
#include "driver/box_inner.h"
#include "driver/command_spec.h"
#include "driver/keeper_channel.h"
#include "driver/spawn_keeper.h"
#include "os/process.h"
#include "os/socket.h"
#include "spec/annotations.h"
#include "spec/read_spec.h"

namespace berth {
namespace {

using driver::Choice;

Result<std::string> random_id() {
  unsigned char bytes[6];
  if (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return system_error(errno, "getrandom");
  std::string id = "box-";
  for (const unsigned char byte : bytes) id += formatted("{:02x}", byte);
  return id;
}

Result<std::string> absolute_rootfs(const std::string& rootfs) {
  if (rootfs.empty()) return "/";
  std::error_code problem;
  std::string path = std::filesystem::absolute(rootfs, problem);
  if (problem) return system_error(problem.value(), "rootfs {}", rootfs);
  return path;
}

std::string streams_value(const Command& command, Streams streams) {
  if (command.terminal) return driver::kKeptTerminal;
  return std::string(to_string(streams));
}

Result<std::string> config_of(const Choice& choice) {
  return spec::write_spec(TRY(driver::command_spec(choice)), 0);
}

Result<> check_streams(const Command& command, const RunOptions& options) {
  if (command.terminal && options.streams != Streams::Kept) {
    return fail(ErrorKind::InvalidUse,
                "terminal: it is held by the box's keeper, so its streams are Streams::Kept");
  }
  return {};
}

const std::string* box_annotation(const ContainerState& state) {
  const auto found =
      std::ranges::find(state.annotations, spec::kBox, &StringMap::value_type::first);
  return found == state.annotations.end() ? nullptr : &found->second;
}

bool is_alive(Status status) { return status != Status::Stopped && status != Status::Creating; }

}  // namespace

std::string_view to_string(Streams streams) {
  switch (streams) {
    case Streams::Given: return "given";
    case Streams::Pipes: return "pipes";
    case Streams::Kept: return driver::kKeptPipes;
  }
  return {};
}

Result<std::string> command_config(const Command& command) {
  return config_of({.command = command,
                    .id = command.id.empty() ? "box" : command.id,
                    .rootfs = TRY(absolute_rootfs(command.rootfs)),
                    .root = ::geteuid() == 0});
}

Result<Driver> Driver::open(DriverOptions options) {
  if (options.factory.state_root.empty()) options.factory.state_root = default_state_root();
  options.program = TRY(driver::find_program(options.program));
  Factory factory = TRY(Factory::open(options.factory));
  return Driver(std::move(options), std::move(factory));
}

Result<Box> Driver::run(const Command& command, const RunOptions& options) {
  TRY(check_streams(command, options));
  Choice choice{.command = command,
                .id = command.id.empty() ? TRY(random_id()) : command.id,
                .rootfs = TRY(absolute_rootfs(command.rootfs)),
                .root = ::geteuid() == 0,
                .streams = streams_value(command, options.streams)};
  driver::KeeperCall call{.program = options_.program,
                          .factory = options_.factory,
                          .id = choice.id,
                          .bundle = choice.rootfs,
                          .config = TRY(config_of(choice)),
                          .streams = options.streams,
                          .attach = options.attach,
                          .overlay = command.rootfs.empty() || command.copy_on_write,
                          .remove_at_end = command.remove_at_end};
  std::ranges::copy(options.given, call.given);
  driver::SpawnedKeeper keeper = TRY(driver::spawn_keeper(call) | context("start a keeper"));
  driver::StartedBox started =
      TRY(driver::hear_start(keeper.channel.get(), options_.factory.on_warning));
  if (options.on_start) options.on_start(started.pid);
  return Box(std::make_unique<Box::Inner>(
      Box::Inner{.container = TRY(factory_.load(choice.id)),
                 .directory = options_.factory.state_root + "/" + choice.id,
                 .pid = started.pid,
                 .pidfd = std::move(started.pidfd),
                 .streams = options.streams,
                 .terminal = command.terminal,
                 .removed_at_end = command.remove_at_end,
                 .keeper = std::move(keeper)}));
}

Result<Box> Driver::find(std::string_view id) const {
  Container container = TRY(factory_.load(id));
  const ContainerState state = TRY(container.state());
  const std::string* streams = box_annotation(state);
  if (streams == nullptr)
    return fail(ErrorKind::NotFound, "container {} was not made by the driver", id);
  Box::Inner inner{.container = std::move(container),
                   .directory = options_.factory.state_root + "/" + std::string(id),
                   .terminal = *streams == driver::kKeptTerminal};
  for (const Streams each : {Streams::Given, Streams::Pipes, Streams::Kept})
    if (*streams == to_string(each)) inner.streams = each;
  if (inner.terminal) inner.streams = Streams::Kept;
  if (is_alive(state.status)) TRY(inner.find_process(state.pid));
  return Box(std::make_unique<Box::Inner>(std::move(inner)));
}

Result<Attachment> Driver::attach(std::string_view id, pid_t process) const {
  const Container container = TRY(factory_.load(id));
  const std::string socket =
      process == 0 ? driver::kAttachSocket : driver::attach_socket_of(process);
  const std::string directory = options_.factory.state_root + "/" + container.id() + "/";
  return driver::attach_at(directory + socket, id);
}

Result<Restored> Driver::restore() const {
  Restored restored;
  for (const ListEntry& entry : TRY(factory_.list())) {
    const std::string& id = entry.state.id;
    if (!entry.error.empty()) {
      restored.damaged.push_back(id + ": " + entry.error);
      continue;
    }
    if (box_annotation(entry.state) == nullptr) continue;
    Result<Box> box = find(id);
    if (!box && box.error().kind() == ErrorKind::NotFound) continue;  // gone meanwhile
    Box found = TRY(std::move(box));
    if (TRY(found.inner().was_never_made())) {
      TRY(found.container().destroy(true));
      restored.removed.push_back(id);
    } else {
      restored.boxes.push_back(std::move(found));
    }
  }
  return restored;
}

}  // namespace berth
