// SPDX-License-Identifier: Apache-2.0
#include "driver/keeper_channel.h"

#include <cstring>
#include <string_view>

#include "core/context.h"
#include "os/process.h"
#include "os/socket.h"

namespace berth::driver {
namespace {

constexpr size_t kMostText = 16384;

enum class News : char { Warning, Started, Failed };

struct Head {
  News news;
  ErrorKind kind;  // Failed
  int32_t number;  // the error number, or the process
};

void tell(int channel, Head head, std::string_view text, int descriptor = -1) {
  std::string packet(sizeof head, '\0');
  std::memcpy(packet.data(), &head, sizeof head);
  packet += text.substr(0, kMostText);
  // A driver that has gone needs no words: restore finds the box.
  (void)os::send_packet(channel, packet.data(), packet.size(), descriptor);
}

}  // namespace

void tell_warning(int channel, const std::string& text) {
  tell(channel, {News::Warning, {}, 0}, text);
}

void tell_started(int channel, pid_t pid, int pidfd) {
  tell(channel, {News::Started, {}, pid}, {}, pidfd);
}

void tell_failure(int channel, const Error& error) {
  tell(channel, {News::Failed, error.kind(), error.os_error()}, error.message());
}

void await_end(int channel) {
  char byte = 0;
  while (os::receive_packet(channel, &byte, sizeof byte) > 0) continue;
}

Result<> StartedBox::signal(int signal_number) const {
  return os::send_signal(pidfd.get(), signal_number);
}

Result<StartedBox> hear_start(int channel, const std::function<void(const std::string&)>& warn) {
  std::string packet(sizeof(Head) + kMostText, '\0');
  while (true) {
    os::UniqueFd descriptor;
    const long size = os::receive_packet(channel, packet.data(), packet.size(), &descriptor);
    Head head = {};
    if (size < static_cast<long>(sizeof head))
      return fail(ErrorKind::Internal, "the keeper ended before the container had started");
    std::memcpy(&head, packet.data(), sizeof head);
    const std::string text = packet.substr(sizeof head, static_cast<size_t>(size) - sizeof head);
    if (head.news == News::Failed) return std::unexpected(Error(head.kind, head.number, text));
    if (head.news == News::Started)
      return StartedBox{.pid = head.number, .pidfd = std::move(descriptor)};
    if (warn) warn(text);
  }
}

}  // namespace berth::driver
