// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "berth/error.h"
#include "berth/process.h"

namespace [[gnu::visibility("default")]] berth {

// What a process wrote. A terminal has one stream, its output.
struct StreamOutput {
  bool is_error = false;  // standard error
  std::string bytes = {};
};

// Somebody else's attachment ended this one, or the keeper has gone without a word.
struct AttachmentLost {};

using AttachmentEvent = std::variant<StreamOutput, ExitStatus, AttachmentLost>;

// A connection to the streams of a process whose keeper holds them (docs/attach.md). Any number may
// be attached at once: each sees all output from then on, after the last 64 KiB of what was written
// before. Nothing is lost: the process waits for the slowest. Closing it is to detach; the process
// goes on.
class Attachment {
 public:
  Attachment(Attachment&&) noexcept;
  Attachment& operator=(Attachment&&) noexcept;
  ~Attachment();

  // Readable when receive has something, writable when send takes something. Owned by the
  // attachment.
  int fd() const;
  // The next event, or nullopt when there is none now. ExitStatus and AttachmentLost are the last.
  Result<std::optional<AttachmentEvent>> receive();
  // To the process's standard input. How much was taken: 0 when there is no room now.
  Result<size_t> send(std::string_view bytes);
  // Closes standard input; on a terminal in canonical mode its end-of-file character. False when
  // there is no room now: ask again once fd() is writable.
  Result<bool> end_input();
  // Of its terminal. A size that there is no room for is lost.
  Result<> resize(WindowSize size);

  struct Inner;
  explicit Attachment(std::unique_ptr<Inner> inner);

 private:
  std::unique_ptr<Inner> inner_;
};

}  // namespace berth
