// SPDX-License-Identifier: Apache-2.0
#include "driver/audience.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "berth/try.h"
#include "core/context.h"
#include "os/file.h"

namespace berth::driver {
namespace {

constexpr size_t kMostBehind = 65536;  // for one member
constexpr size_t kMostKept = 65536;
constexpr size_t kMostMembers = 64;

// root and the keeper's own user. The directory is closed to others; a descriptor can be passed on.
bool may_attach(int socket) {
  ucred peer = {};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return false;
  return peer.uid == 0 || peer.uid == ::geteuid();
}

}  // namespace

// By the directory's descriptor: the path of a socket is short.
Result<> Audience::listen(const std::string& directory, const std::string& name) {
  const os::UniqueFd place = TRY(os::open_at(AT_FDCWD, directory.c_str(), O_PATH | O_DIRECTORY));
  const std::string path = formatted("/proc/self/fd/{}/{}", place.get(), name);
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  listener_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener_) return system_error(errno, "make a socket");
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::listen(listener_.get(), kMostMembers) == 0)
    return {};
  return system_error(errno, "listen at {}/{}", directory, name);
}

void Audience::add(os::UniqueFd socket) {
  members_.push_back({.socket = std::move(socket)});
  for (const std::string& packet : kept_) hand(members_.back(), packet);
}

void Audience::admit() {
  os::UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket && members_.size() < kMostMembers && may_attach(socket.get())) add(std::move(socket));
}

void Audience::hand(Member& member, std::string packet) {
  member.bytes += packet.size();
  member.packets.push_back(std::move(packet));
}

void Audience::keep(Word word, std::string_view bytes) {
  std::string packet(1, static_cast<char>(word));
  packet += bytes;
  for (Member& member : members_) hand(member, packet);
  if (word == Word::Exit) return;
  kept_bytes_ += packet.size();
  kept_.push_back(std::move(packet));
  while (kept_bytes_ > kMostKept) {
    kept_bytes_ -= kept_.front().size();
    kept_.pop_front();
  }
}

// In packets of which each can be sent whole.
void Audience::tell(Word word, std::string_view bytes) {
  do {
    const std::string_view piece = bytes.substr(0, kMostInPacket - 1);
    keep(word, piece);
    bytes.remove_prefix(piece.size());
  } while (!bytes.empty());
}

bool Audience::is_behind() const {
  return std::ranges::any_of(members_,
                             [](const Member& member) { return member.bytes >= kMostBehind; });
}

bool Audience::is_settled() const {
  return std::ranges::all_of(members_, [](const Member& member) { return member.packets.empty(); });
}

void Audience::ask(std::vector<pollfd>& watched, bool read) const {
  for (const Member& member : members_) {
    const int events = (read ? POLLIN : 0) | (member.packets.empty() ? 0 : POLLOUT);
    watched.push_back({member.socket.get(), static_cast<short>(events), 0});
  }
  if (listener_) watched.push_back({listener_.get(), POLLIN, 0});
}

void Audience::write(Member& member) {
  while (!member.packets.empty()) {
    const std::string& packet = member.packets.front();
    const ssize_t size =
        ::send(member.socket.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return;
    if (size < 0) return member.socket.reset();  // it has gone
    member.bytes -= packet.size();
    member.packets.pop_front();
  }
}

std::string Audience::read(Member& member) {
  if (!member.socket) return {};
  std::string packet(kMostInPacket, '\0');
  const ssize_t size = ::recv(member.socket.get(), packet.data(), packet.size(), MSG_DONTWAIT);
  const bool later = size < 0 && (errno == EAGAIN || errno == EINTR);
  if (size == 0 || (size < 0 && !later)) member.socket.reset();
  packet.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return packet;
}

}  // namespace berth::driver
