// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

// The default visibility is what libberth.so exports.
namespace [[gnu::visibility("default")]] berth {

// What a caller can do about a failure.
enum class ErrorKind : unsigned char {
  InvalidConfig,  // config.json is wrong; pointer() says where
  InvalidUse,     // the caller broke the API's or the command line's rules
  NotFound,       // no such container
  AlreadyExists,  // the id is taken
  WrongState,     // the container's status does not allow the operation
  Unsupported,    // this kernel or this build cannot do it
  System,         // a system call failed; os_error() says why
  Internal,       // a bug in berth
};

// "invalid-config" and so on: docs/errors.md.
std::string_view to_string(ErrorKind kind);

// Why an operation failed: one cause, the trail of what was being done, and the place in
// config.json that asked for it. One pointer wide, so that Result<T> stays cheap on the path that
// succeeds.
class [[nodiscard]] Error {
 public:
  // What failed by berth's own rules.
  Error(ErrorKind kind, std::string cause);
  // What failed by a system call that the cause tells in its own words.
  Error(ErrorKind kind, int os_error, std::string cause);
  // A failed system call: kind System, os_error = errno_value; the cause is its text (strerror).
  static Error system(int errno_value, std::string what);

  Error(Error&&) noexcept;
  Error& operator=(Error&&) noexcept;
  ~Error();

  // What a caller can do about it.
  ErrorKind kind() const;
  // errno of the system call that failed, or 0.
  int os_error() const;
  // What went wrong, without the trail.
  const std::string& cause() const;
  // RFC 6901 pointer into config.json, or empty.
  const std::string& pointer() const;
  // The step that failed (docs/protocol.md), or empty.
  const std::string& step() const;

  // "outer: inner: cause (config.json /pointer)".
  std::string message() const;

  // Each of these adds what is not known deeper down. What was being done:
  Error& add_context(std::string what);
  // The place in config.json; the first one stays.
  Error& set_pointer(std::string_view pointer);
  // E.g. "config.json:12:7"; shown instead of "config.json".
  Error& set_place(std::string_view place);
  // The step that failed; the first one stays.
  Error& set_step(std::string_view step);
  // Where it is known better what a caller can do.
  Error& set_kind(ErrorKind kind);

 private:
  struct Details;
  std::unique_ptr<Details> details_;
};

// A value, or why there is none.
template <typename T = void>
using Result = std::expected<T, Error>;

}  // namespace berth
