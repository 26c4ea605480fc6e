// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"
#include "driver/attach_protocol.h"
#include "os/fd.h"

namespace berth::driver {

// Who is attached, and the socket where more may come. Each is told all; what was told last is kept
// for who comes later.
class Audience {
 public:
  // In a directory that is closed to others.
  Result<> listen(const std::string& directory, const std::string& name);
  void add(os::UniqueFd socket);
  bool empty() const { return members_.empty(); }

  void tell(Word word, std::string_view bytes);
  bool is_behind() const;   // somebody is: no more output until he has caught up
  bool is_settled() const;  // everybody was told all

  // Appends what to poll for. read: whether input is wanted now.
  void ask(std::vector<pollfd>& watched, bool read) const;
  // `watched` is what ask has appended. Hands each packet to `heard(word, bytes)`.
  template <typename Heard>
  void move(const pollfd* watched, const Heard& heard) {
    for (size_t index = 0; index < members_.size(); ++index) {
      const short events = watched[index].revents;
      if ((events & POLLOUT) != 0) write(members_[index]);
      if ((events & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
      const std::string packet = read(members_[index]);
      if (!packet.empty())
        heard(static_cast<Word>(packet.front()), std::string_view(packet).substr(1));
    }
    const bool somebody = listener_ && watched[members_.size()].revents != 0;
    std::erase_if(members_, [](const Member& member) { return !member.socket; });
    if (somebody) admit();
  }

 private:
  struct Member {
    os::UniqueFd socket = {};
    std::deque<std::string> packets = {};  // not sent yet
    size_t bytes = 0;                      // of packets
  };

  static void write(Member& member);
  static std::string read(Member& member);
  static void hand(Member& member, std::string packet);
  void keep(Word word, std::string_view bytes);
  void admit();

  os::UniqueFd listener_ = {};
  std::vector<Member> members_ = {};
  std::deque<std::string> kept_ = {};  // packets
  size_t kept_bytes_ = 0;
};

}  // namespace berth::driver
