// SPDX-License-Identifier: Apache-2.0
#include "berth/attachment.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "berth/try.h"
#include "core/context.h"
#include "driver/attach_protocol.h"
#include "driver/attachment_inner.h"
#include "os/socket.h"

namespace berth {
namespace {

using driver::Word;

// True: sent. False: there is no room now.
Result<bool> say(int socket, Word word, std::string_view bytes) {
  std::string packet(1, static_cast<char>(word));
  packet += bytes;
  while (true) {
    if (::send(socket, packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return false;
    return system_error(errno, "send to the container's keeper");
  }
}

template <typename Number>
std::string_view bytes_of(const Number& number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

AttachmentEvent event_of(std::string_view packet) {
  const auto word = static_cast<Word>(packet.front());
  packet.remove_prefix(1);
  if (word == Word::Output || word == Word::ErrorOutput)
    return StreamOutput{.is_error = word == Word::ErrorOutput, .bytes = std::string(packet)};
  driver::ExitWord exit = {};
  if (word != Word::Exit || packet.size() != sizeof exit) return AttachmentLost{};
  std::memcpy(&exit, packet.data(), sizeof exit);
  return ExitStatus{.code = exit.code, .signal = exit.signal};
}

}  // namespace

Result<Attachment> driver::attach_at(const std::string& path, std::string_view id) {
  Result<os::UniqueFd> socket = os::connect_unix(path, SOCK_SEQPACKET);
  if (!socket && (socket.error().os_error() == ECONNREFUSED || socket.error().os_error() == ENOENT))
    return fail(ErrorKind::WrongState,
                "container {} has no keeper that holds its streams: it has ended, or was started "
                "without one",
                id);
  auto attachment = std::make_unique<Attachment::Inner>();
  attachment->socket = TRY(std::move(socket));
  return Attachment(std::move(attachment));
}

Attachment::Attachment(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
Attachment::Attachment(Attachment&&) noexcept = default;
Attachment& Attachment::operator=(Attachment&&) noexcept = default;
Attachment::~Attachment() = default;

int Attachment::fd() const { return inner_->socket.get(); }

Result<std::optional<AttachmentEvent>> Attachment::receive() {
  std::string packet(driver::kMostInPacket, '\0');
  while (true) {
    const ssize_t size =
        ::recv(inner_->socket.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size > 0) return event_of(std::string_view(packet).substr(0, static_cast<size_t>(size)));
    if (size == 0 || errno == ECONNRESET) return AttachmentLost{};
    if (errno == EAGAIN) return std::nullopt;
    if (errno != EINTR) return system_error(errno, "hear the container's keeper");
  }
}

Result<size_t> Attachment::send(std::string_view bytes) {
  const std::string_view piece = bytes.substr(0, driver::kMostInPacket - 1);
  if (piece.empty()) return size_t{0};
  return TRY(say(inner_->socket.get(), Word::Input, piece)) ? piece.size() : size_t{0};
}

Result<bool> Attachment::end_input() { return say(inner_->socket.get(), Word::EndInput, {}); }

Result<> Attachment::resize(WindowSize size) {
  const driver::WindowWord window{.rows = size.rows, .columns = size.columns};
  (void)TRY(say(inner_->socket.get(), Word::Window, bytes_of(window)));
  return {};
}

}  // namespace berth
