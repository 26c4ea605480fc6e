// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "berth/process.h"

// What the two ends of an attachment say to each other: packets of a SOCK_SEQPACKET socket, the
// first byte of which is the word (docs/attach.md).
namespace berth::driver {

enum class Word : char {
  // To the keeper.
  Input = 'i',     // + bytes
  EndInput = 'e',  //
  Window = 'w',    // + WindowWord
  // To who is attached.
  Output = 'o',       // + bytes
  ErrorOutput = 'r',  // + bytes
  Exit = 'x',         // + ExitWord; the last one
};

struct WindowWord {
  uint16_t rows;
  uint16_t columns;
};

struct ExitWord {
  int32_t code;
  int32_t signal;
};

// Of one packet, word included.
inline constexpr size_t kMostInPacket = 32768;

// In the directory of the container's state.
inline constexpr const char* kAttachSocket = "attach";
// Of a process that exec has started.
inline std::string attach_socket_of(pid_t process) {
  return kAttachSocket + ("-" + std::to_string(process));
}

// "run.berth.box": whose program's streams are with its keeper.
inline constexpr const char* kKeptTerminal = "terminal";
inline constexpr const char* kKeptPipes = "kept";

}  // namespace berth::driver
