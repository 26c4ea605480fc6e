// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sync/failure.h"

namespace berth::sync {

// The language between engine and init: fixed-size packets on a SOCK_SEQPACKET pair, at most one
// descriptor each. docs/protocol.md shows the conversation; a test compares the two.
enum class Message : uint8_t {
  // init says
  IdsWanted,        // the namespaces exist, map my ids
  NamespacesReady,  // attach the network, run the host's hooks
  Console,          // + the terminal's master
  SeccompListener,  // + the listener
  Ready,            // all is done but the program's execve
  Failed,           // + Failure
  InitPid,          // the joiner: init's pidfd (LaunchShape::Joiner)
  // the host says
  Network,  // + the network namespace that it made for init
  IdsMapped,
  HostReady,
  ListenerSent,
  Committed,  // the record is written: wait for the start gate
  Start,      // the record is written: go on at once (run)
};

struct Packet {
  Message message = Message::Failed;
  uint8_t reserved[3] = {};
  int32_t value = 0;  // InitPid: the pid
  Failure failure = {};
};
static_assert(sizeof(Packet) == 20);

// The start gate's own bytes, beside a Failure: `start` opens it, init takes that byte, and says
// that it calls execve now.
inline constexpr char kGateOpened = '0';
inline constexpr char kGateExecuting = 'x';
// The most of a failed hook's output that is left in the gate. With the failure it is written at
// once: below PIPE_BUF.
inline constexpr int kGateOutput = 2048;

// What makes the conversation longer than Ready + Committed.
struct Conversation {
  bool joiner = false;
  bool ids = false;
  bool host_work = false;  // network or hooks of the host while init waits
  bool console = false;
  bool listener = false;
};

// What init must say, in this order. Failed may come at any point instead.
std::vector<Message> expected_messages(const Conversation& conversation);

}  // namespace berth::sync
