// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <unistd.h>

#include "berth/try.h"
#include "os/socket.h"
#include "sync/channel.h"

namespace berth::sync {

// read(2) and write(2) only, but where a descriptor is passed: a seccomp profile may be in force
// already.
StepResult InitEnd::say(const Packet& packet, Step step) const {
  ssize_t written;
  do {
    written = ::write(fd_, &packet, sizeof packet);
  } while (written < 0 && errno == EINTR);
  if (written == sizeof packet) return {};
  return std::unexpected(Failure{.step = step, .action = Action::PeerGone, .os_error = errno});
}

StepResult InitEnd::await(Message expected, Step step) const {
  Packet packet;
  ssize_t size;
  do {
    size = ::read(fd_, &packet, sizeof packet);
  } while (size < 0 && errno == EINTR);
  if (size == sizeof packet && packet.message == expected) return {};
  return std::unexpected(
      Failure{.step = step, .action = Action::PeerGone, .os_error = size < 0 ? errno : EPIPE});
}

StepResult InitEnd::ask(Message question, Message answer, Step step) const {
  TRY(say({.message = question}, step));
  return await(answer, step);
}

StepValue<int> InitEnd::receive_network() const {
  Packet packet;
  os::UniqueFd descriptor;
  const long size = os::receive_packet(fd_, &packet, sizeof packet, &descriptor);
  if (size == sizeof packet && packet.message == Message::Network && descriptor)
    return descriptor.release();
  return std::unexpected(Failure{.step = Step::BringUpNetwork,
                                 .action = Action::PeerGone,
                                 .os_error = size < 0 ? static_cast<int>(-size) : EPIPE});
}

StepResult InitEnd::send_console(int master) const {
  const Packet packet{.message = Message::Console};
  const long sent = os::send_packet(fd_, &packet, sizeof packet, master);
  if (sent == sizeof packet) return {};
  return std::unexpected(Failure{
      .step = Step::OpenTerminal, .action = Action::PeerGone, .os_error = static_cast<int>(-sent)});
}

StepResult InitEnd::announce_init(int pidfd, int pid) const {
  const Packet packet{.message = Message::InitPid, .value = pid};
  const long sent = os::send_packet(fd_, &packet, sizeof packet, pidfd);
  if (sent == sizeof packet) return {};
  return std::unexpected(Failure{.step = Step::JoinNamespaces,
                                 .action = Action::PeerGone,
                                 .os_error = static_cast<int>(-sent)});
}

StepResult InitEnd::send_listener(int listener) const {
  TRY(say({.message = Message::SeccompListener, .value = listener}, Step::LoadSeccomp));
  return await(Message::ListenerSent, Step::LoadSeccomp);
}

StepValue<bool> InitEnd::ready() const {
  TRY(say({.message = Message::Ready}, Step::AwaitStart));
  Packet packet;
  ssize_t size;
  do {
    size = ::read(fd_, &packet, sizeof packet);
  } while (size < 0 && errno == EINTR);
  if (size == sizeof packet && packet.message == Message::Start) return true;
  if (size == sizeof packet && packet.message == Message::Committed) return false;
  return std::unexpected(Failure{
      .step = Step::AwaitStart, .action = Action::PeerGone, .os_error = size < 0 ? errno : EPIPE});
}

void InitEnd::failed(const Failure& failure) const {
  const Packet packet{.message = Message::Failed, .failure = failure};
  (void)!::write(fd_, &packet, sizeof packet);
}

}  // namespace berth::sync
