// SPDX-License-Identifier: Apache-2.0
#include "berth/error.h"

#include <cstring>
#include <vector>

namespace berth {

struct [[gnu::visibility("hidden")]] Error::Details {
  ErrorKind kind = ErrorKind::Internal;
  int os_error = 0;
  std::string cause;
  std::vector<std::string> trail;  // innermost first
  std::string pointer;
  std::string place;
  std::string step;
};

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::InvalidConfig: return "invalid-config";
    case ErrorKind::InvalidUse: return "invalid-use";
    case ErrorKind::NotFound: return "not-found";
    case ErrorKind::AlreadyExists: return "already-exists";
    case ErrorKind::WrongState: return "wrong-state";
    case ErrorKind::Unsupported: return "unsupported";
    case ErrorKind::System: return "system";
    case ErrorKind::Internal: return "internal";
  }
  return "internal";
}

Error::Error(ErrorKind kind, std::string cause) : Error(kind, 0, std::move(cause)) {}

Error::Error(ErrorKind kind, int os_error, std::string cause)
    : details_(std::make_unique<Details>()) {
  details_->kind = kind;
  details_->os_error = os_error;
  details_->cause = std::move(cause);
}

Error Error::system(int errno_value, std::string what) {
  const char* text = strerrordesc_np(errno_value);
  Error error(ErrorKind::System, errno_value, text != nullptr ? text : "unknown error");
  // As Go writes them: engines look for "no such file or directory" and "permission denied" in
  // lower case.
  std::string& cause = error.details_->cause;
  if (cause.size() > 1 && cause[0] >= 'A' && cause[0] <= 'Z' && cause[1] >= 'a' && cause[1] <= 'z')
    cause[0] |= 0x20;
  if (!what.empty()) error.add_context(std::move(what));
  return error;
}

Error::Error(Error&&) noexcept = default;
Error& Error::operator=(Error&&) noexcept = default;
Error::~Error() = default;

ErrorKind Error::kind() const { return details_->kind; }
int Error::os_error() const { return details_->os_error; }
const std::string& Error::cause() const { return details_->cause; }
const std::string& Error::pointer() const { return details_->pointer; }
const std::string& Error::step() const { return details_->step; }

std::string Error::message() const {
  std::string text;
  for (auto part = details_->trail.rbegin(); part != details_->trail.rend(); ++part)
    text += *part + ": ";
  text += details_->cause;
  if (!details_->pointer.empty() || !details_->place.empty()) {
    text += " (" + (details_->place.empty() ? std::string("config.json") : details_->place);
    if (!details_->pointer.empty()) text += " " + details_->pointer;
    text += ")";
  }
  return text;
}

Error& Error::add_context(std::string what) {
  details_->trail.push_back(std::move(what));
  return *this;
}

Error& Error::set_pointer(std::string_view pointer) {
  if (details_->pointer.empty()) details_->pointer = pointer;
  return *this;
}

Error& Error::set_place(std::string_view place) {
  if (details_->place.empty()) details_->place = place;
  return *this;
}

Error& Error::set_step(std::string_view step) {
  if (details_->step.empty()) details_->step = step;
  return *this;
}

Error& Error::set_kind(ErrorKind kind) {
  details_->kind = kind;
  return *this;
}

}  // namespace berth
