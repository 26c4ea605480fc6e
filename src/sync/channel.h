// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "berth/error.h"
#include "os/fd.h"
#include "sync/protocol.h"

namespace berth::sync {

// init's end: it can say only init's lines. Allocates nothing. A host that is gone ends init: a
// half-made container does not outlive its maker.
class InitEnd {
 public:
  explicit InitEnd(int fd) : fd_(fd) {}

  int fd() const { return fd_; }
  StepResult request_ids() const {
    return ask(Message::IdsWanted, Message::IdsMapped, Step::AwaitIds);
  }
  StepResult namespaces_ready() const {
    return ask(Message::NamespacesReady, Message::HostReady, Step::AwaitHost);
  }
  // The descriptor of the network namespace that the host made; the first that it says.
  StepValue<int> receive_network() const;
  StepResult send_console(int master) const;
  // The host fetches the descriptor by number (pidfd_getfd): only write(2) is needed under the new
  // filter.
  StepResult send_listener(int listener) const;
  StepResult announce_init(int pidfd, int pid) const;
  // Says Ready; true: go on at once, false: wait for the start gate.
  StepValue<bool> ready() const;
  void failed(const Failure& failure) const;

 private:
  StepResult say(const Packet& packet, Step step) const;
  StepResult await(Message expected, Step step) const;
  StepResult ask(Message question, Message answer, Step step) const;

  int fd_;
};

// What the host heard.
struct Heard {
  Packet packet = {};
  os::UniqueFd fd = {};
};

// The engine's end.
class HostEnd {
 public:
  HostEnd() = default;
  explicit HostEnd(os::UniqueFd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  // The next message, Failed included. End of file: Internal ("ended without a word").
  Result<Heard> hear() const;
  // The next of that kind, or Failed, or what must not come before it. The joiner and init share
  // the other end, so init's first words may be here before the joiner has introduced it.
  Result<Heard> hear(Message expected);
  Result<> network(int descriptor) const { return say(Message::Network, descriptor); }
  Result<> ids_mapped() const { return say(Message::IdsMapped); }
  Result<> host_ready() const { return say(Message::HostReady); }
  Result<> listener_sent() const { return say(Message::ListenerSent); }
  Result<> committed() const { return say(Message::Committed); }
  Result<> start() const { return say(Message::Start); }
  void close() { fd_.reset(); }

 private:
  Result<> say(Message message, int descriptor = -1) const;
  os::UniqueFd fd_;
  std::vector<Heard> early_ = {};  // said before InitPid, in order
};

}  // namespace berth::sync
