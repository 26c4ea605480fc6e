// SPDX-License-Identifier: Apache-2.0
#include <errno.h>

#include "berth/try.h"
#include "core/context.h"
#include "os/socket.h"
#include "sync/channel.h"

namespace berth::sync {

Result<Heard> HostEnd::hear() const {
  Heard heard;
  long size = os::receive_packet(fd_.get(), &heard.packet, sizeof heard.packet, &heard.fd);
  // An init that ended with something unread: the kernel tells that first, its last words then.
  if (size == -ECONNRESET)
    size = os::receive_packet(fd_.get(), &heard.packet, sizeof heard.packet, &heard.fd);
  if (size == sizeof heard.packet) return heard;
  if (size < 0 && size != -ECONNRESET)
    return system_error(static_cast<int>(-size), "listen to init");
  return fail(ErrorKind::Internal, "init ended without a word");
}

Result<Heard> HostEnd::hear(Message expected) {
  if (!early_.empty() && expected != Message::InitPid) {
    Heard first = std::move(early_.front());
    early_.erase(early_.begin());
    return first;
  }
  while (true) {
    Heard heard = TRY(hear());
    const Message message = heard.packet.message;
    if (expected != Message::InitPid || message == expected || message == Message::Failed)
      return heard;
    early_.push_back(std::move(heard));
  }
}

Result<> HostEnd::say(Message message, int descriptor) const {
  const Packet packet{.message = message};
  const long sent = os::send_packet(fd_.get(), &packet, sizeof packet, descriptor);
  if (sent == sizeof packet) return {};
  return system_error(sent < 0 ? static_cast<int>(-sent) : EPIPE, "speak to init");
}

}  // namespace berth::sync
