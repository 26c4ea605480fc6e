// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <string_view>
#include <utility>

#include "berth/error.h"
#include "os/fd.h"

namespace berth::os {

// A SOCK_SEQPACKET pair, both ends close-on-exec.
Result<std::pair<UniqueFd, UniqueFd>> packet_pair();

// One packet with at most one descriptor. Usable after clone (raw sendmsg/recvmsg, no allocation).
// Return the bytes, 0 at the end of the conversation, or -errno; interrupted calls are repeated.
long send_packet(int socket, const void* data, size_t size, int fd = -1);
long receive_packet(int socket, void* data, size_t size, UniqueFd* fd = nullptr);

// Connects to an AF_UNIX socket by path; longer paths than sun_path go through the directory's
// descriptor.
Result<UniqueFd> connect_unix(std::string_view path, int type = SOCK_STREAM);
// The terminal and pidfd sockets of the field: one message with the descriptor and a name
// (features.md 1.6), then close.
Result<> send_descriptor(std::string_view socket_path, int fd, std::string_view name);

}  // namespace berth::os
