// SPDX-License-Identifier: Apache-2.0
#include "capi/handles.h"

namespace berth::capi {

void store(Error error, berth_error** place) {
  if (place == nullptr) return;
  std::string message = error.message();
  *place = new berth_error{std::move(error), std::move(message)};
}

char* copy(const std::string& text) {
  char* place = new char[text.size() + 1];
  std::memcpy(place, text.c_str(), text.size() + 1);
  return place;
}

}  // namespace berth::capi

namespace {

// 0 is for no error.
constexpr int number_of(berth::ErrorKind kind) { return static_cast<int>(kind) + 1; }
static_assert(number_of(berth::ErrorKind::InvalidConfig) == BERTH_INVALID_CONFIG);
static_assert(number_of(berth::ErrorKind::InvalidUse) == BERTH_INVALID_USE);
static_assert(number_of(berth::ErrorKind::NotFound) == BERTH_NOT_FOUND);
static_assert(number_of(berth::ErrorKind::AlreadyExists) == BERTH_ALREADY_EXISTS);
static_assert(number_of(berth::ErrorKind::WrongState) == BERTH_WRONG_STATE);
static_assert(number_of(berth::ErrorKind::Unsupported) == BERTH_UNSUPPORTED);
static_assert(number_of(berth::ErrorKind::System) == BERTH_SYSTEM);
static_assert(number_of(berth::ErrorKind::Internal) == BERTH_INTERNAL);

}  // namespace

extern "C" {

const char* berth_version(void) { return BERTH_VERSION; }

void berth_string_free(char* text) { delete[] text; }

int berth_error_kind(const berth_error* error) {
  return error == nullptr ? BERTH_NO_ERROR : number_of(error->error.kind());
}
int berth_error_errno(const berth_error* error) { return error->error.os_error(); }
const char* berth_error_message(const berth_error* error) { return error->message.c_str(); }
const char* berth_error_cause(const berth_error* error) { return error->error.cause().c_str(); }
const char* berth_error_pointer(const berth_error* error) { return error->error.pointer().c_str(); }
const char* berth_error_step(const berth_error* error) { return error->error.step().c_str(); }
void berth_error_free(berth_error* error) { delete error; }
}
