// SPDX-License-Identifier: Apache-2.0
#include "cli/box_options.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "berth/try.h"
#include "cli/network_options.h"
#include "cli/process_options.h"
#include "cli/resource_options.h"
#include "cli/terminal.h"
#include "cli/values.h"
#include "core/context.h"

namespace berth::cli {
namespace {

constexpr std::string_view kDetachKeys = "ctrl-p,ctrl-q";

Result<uint32_t> id_number(std::string_view text) {
  const uint64_t number = TRY(parse_unsigned(text));
  if (number <= std::numeric_limits<uint32_t>::max()) return static_cast<uint32_t>(number);
  return fail(ErrorKind::InvalidUse, "{} is too large", number);
}

Result<IdRange> parse_range(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 3)
    return fail(ErrorKind::InvalidUse, "\"{}\" is not INSIDE:OUTSIDE:COUNT, such as 0:100000:65536",
                text);
  return IdRange{
      .inside = TRY(id_number(parts[0])), .outside = TRY(id_number(parts[1])), .count = TRY(id_number(parts[2]))};
}

Result<BoxMount> parse_mount(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3 || parts[0].empty())
    return fail(ErrorKind::InvalidUse,
                "\"{}\" is not SOURCE:DEST[:OPTION,...], such as /srv:/data:ro", text);
  return BoxMount{.source = parts[0],
                  .destination = parts[1],
                  .options = parts.size() > 2 ? split(parts[2], ',') : std::vector<std::string>()};
}

BoxMount parse_tmpfs(std::string_view text) {
  const auto parts = split(text, ':');
  BoxMount mount{.source = "tmpfs",
                 .destination = parts.empty() ? std::string() : parts[0],
                 .type = "tmpfs",
                 .options = {"nosuid", "nodev"}};
  const auto options = split(parts.size() > 1 ? parts[1] : "", ',');
  mount.options.insert(mount.options.end(), options.begin(), options.end());
  return mount;
}

BoxDevice parse_device(std::string_view text) {
  auto parts = split(text, ':');
  parts.resize(3);
  BoxDevice device{.path = parts[0], .destination = parts[1]};
  if (!parts[2].empty()) device.access = parts[2];
  return device;
}

Result<std::pair<std::string, std::string>> parse_label(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == 0 || equals == text.npos)
    return fail(ErrorKind::InvalidUse, "\"{}\" is not NAME=VALUE", text);
  return std::pair(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

// Each value of an option that may be repeated.
template <typename Value, typename Parse>
Result<> read_each(const Arguments& arguments, const char* option, std::vector<Value>& values,
                   const Parse& parse) {
  for (const std::string& text : arguments.texts(option)) {
    Result<Value> value = parse(text);
    values.push_back(TRY(std::move(value) | context("option --{}", option)));
  }
  return {};
}

Result<> read_lists(const Arguments& arguments, berth::Command& command) {
  TRY(read_each(arguments, "additional-gids", command.additional_gids, id_number));
  TRY(read_each(arguments, "remap", command.remap, parse_range));
  TRY(read_each(arguments, "mount", command.mounts, parse_mount));
  TRY(read_each(arguments, "tmpfs", command.mounts, parse_tmpfs));
  TRY(read_each(arguments, "device", command.devices, parse_device));
  return read_each(arguments, "label", command.labels, parse_label);
}

}  // namespace

Result<berth::Command> read_command(const Arguments& arguments) {
  berth::Command command{.id = arguments.text("id"),
                         .rootfs = arguments.text("rootfs"),
                         .copy_on_write = arguments.on("copy-on-write"),
                         .read_only = arguments.on("read-only"),
                         .entrypoint = arguments.text("entrypoint"),
                         .args = arguments.words(),
                         .env = arguments.texts("env"),
                         .user = arguments.text("user"),
                         .hostname = arguments.text("hostname"),
                         .terminal = arguments.on("tty"),
                         .privileged = arguments.on("privileged"),
                         .no_new_privileges = arguments.on("no-new-privs"),
                         .add_capabilities = arguments.texts("cap-add"),
                         .drop_capabilities = arguments.texts("cap-drop"),
                         .network = TRY(read_network(arguments)),
                         .resources = TRY(resources_of_options(arguments)),
                         .cgroup_path = arguments.text("cgroup")};
  if (arguments.given("cwd")) command.cwd = arguments.text("cwd");
  if (command.terminal) command.window = window_size();
  if (arguments.given("shm-size")) {
    const int64_t size = TRY(parse_size(arguments.text("shm-size")) | context("option --shm-size"));
    if (size <= 0) return fail(ErrorKind::InvalidUse, "option --shm-size: {} is no size", size);
    command.shm_size = static_cast<uint64_t>(size);
  }
  ProcessAttributes process = TRY(read_limits_of_process(arguments));
  command.rlimits = std::move(process.rlimits);
  command.oom_score_adj = process.oom_score_adj;
  TRY(read_lists(arguments, command));
  return command;
}

Result<DetachKeys> detach_keys(const Arguments& arguments) {
  const std::string text = arguments.text("detach-keys");
  return DetachKeys::parse(arguments.given("detach-keys") ? std::string_view(text) : kDetachKeys) |
         context("option --detach-keys");
}

}  // namespace berth::cli
