// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "capi/handles.h"

namespace berth::capi {
namespace {

std::vector<std::string> list(const char* const* words) {
  std::vector<std::string> texts;
  for (; words != nullptr && *words != nullptr; ++words) texts.emplace_back(*words);
  return texts;
}

StandardStreams streams_of(const int* given) {
  if (given == nullptr) return kOwnStreams;
  return {given[0], given[1], given[2]};
}

std::function<WindowSize()> window_of(uint16_t rows, uint16_t columns) {
  if (rows == 0) return {};
  return [rows, columns] { return WindowSize{.rows = rows, .columns = columns}; };
}

}  // namespace

Result<CreateOptions> create_options(const berth_create_options* given) {
  const berth_create_options from = TRY(known(given));
  return CreateOptions{.bundle = text(from.bundle),
                       .config_file = text(from.config_file),
                       .config_json = text(from.config_json),
                       .console_socket = text(from.console_socket),
                       .pid_file = text(from.pid_file),
                       .pidfd_socket = text(from.pidfd_socket),
                       .window = window_of(from.rows, from.columns),
                       .notify_socket = text(from.notify_socket),
                       .detach = from.foreground == 0,
                       .no_pivot = from.no_pivot != 0,
                       .no_new_keyring = from.no_new_keyring != 0,
                       .preserve_fds = from.preserve_fds,
                       .streams = streams_of(from.streams)};
}

Result<ProcessSpec> process_spec(const berth_exec_options* given) {
  const berth_exec_options from = TRY(known(given));
  std::vector<uint32_t> gids;
  if (from.additional_gids != nullptr)
    gids.assign(from.additional_gids, from.additional_gids + from.additional_gid_count);
  return ProcessSpec{.process_json = text(from.process_json),
                     .args = list(from.args),
                     .env = list(from.env),
                     .cwd = text(from.cwd),
                     .user = text(from.user),
                     .additional_gids = std::move(gids),
                     .capabilities = list(from.capabilities),
                     .apparmor_profile = text(from.apparmor_profile),
                     .selinux_label = text(from.selinux_label),
                     .no_new_privileges = from.no_new_privileges != 0,
                     .terminal = from.terminal != 0,
                     .streams = streams_of(from.streams),
                     .preserve_fds = from.preserve_fds,
                     .cgroups = list(from.cgroups),
                     .ignore_paused = from.ignore_paused != 0,
                     .window = window_of(from.rows, from.columns),
                     .console_socket = text(from.console_socket),
                     .pid_file = text(from.pid_file),
                     .pidfd_socket = text(from.pidfd_socket),
                     .detach = from.foreground == 0};
}

Result<Update> update_of(const berth_update_options* given) {
  const berth_update_options from = TRY(known(given));
  Update update{.l3_cache_schema = text(from.l3_cache_schema),
                .mem_bw_schema = text(from.mem_bw_schema),
                .force = from.force != 0};
  if (from.resources_json != nullptr) update.resources = TRY(parse_resources(from.resources_json));
  if (from.process_json != nullptr) update.process = TRY(parse_process_attributes(from.process_json));
  return update;
}

}  // namespace berth::capi
