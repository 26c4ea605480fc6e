// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "berth/berth.h"
#include "berth/factory.h"

// What the opaque handles of berth.h are, and how values and failures cross into C.
struct berth_error {
  berth::Error error;
  std::string message;
};
struct berth_factory {
  berth::Factory factory;
};
struct berth_container {
  berth::Container container;
};
struct berth_process {
  berth::Process process;
};
struct berth_events {
  berth::EventStream stream;
};

namespace berth::capi {

void store(Error error, berth_error** place);

// The caller's to free.
char* copy(const std::string& text);

inline std::string text(const char* from) { return from == nullptr ? std::string() : from; }

// A structure as this library knows it: members that the caller's version does not have are 0.
template <typename Options>
Result<Options> known(const Options* given) {
  Options options = {};
  options.size = sizeof options;
  if (given == nullptr) return options;
  if (given->size < sizeof given->size || given->size > 4096)
    return std::unexpected(
        Error(ErrorKind::InvalidUse, "the member size of the options is not set to their size"));
  const char* const bytes = reinterpret_cast<const char*>(given);
  for (size_t at = sizeof options; at < given->size; ++at) {
    if (bytes[at] != 0)
      return std::unexpected(
          Error(ErrorKind::Unsupported, "this library is older than an option that is set"));
  }
  std::memcpy(&options, given, std::min(given->size, sizeof options));
  return options;
}

Result<CreateOptions> create_options(const berth_create_options* given);
Result<ProcessSpec> process_spec(const berth_exec_options* given);
Result<Update> update_of(const berth_update_options* given);

// What a function of berth.h returns for a result: 0, a string or a handle; or -1 or NULL, and the
// error is stored.
inline int answer(Result<> result, berth_error** error) {
  if (result) return 0;
  store(std::move(result).error(), error);
  return -1;
}
inline char* answer(Result<std::string> result, berth_error** error) {
  if (result) return copy(*result);
  store(std::move(result).error(), error);
  return nullptr;
}
template <typename Handle, typename Value>
Handle* answer(Result<Value> result, berth_error** error) {
  if (result) return new Handle{*std::move(result)};
  store(std::move(result).error(), error);
  return nullptr;
}

}  // namespace berth::capi
