// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "berth/error.h"
#include "sync/failure.h"

// What the explanations of a child's failures are made of.
namespace berth::engine {

template <typename T>
const T* item_of(const std::vector<T>& list, const sync::Failure& failure) {
  const auto index = static_cast<size_t>(failure.item);
  return failure.item >= 0 && index < list.size() ? &list[index] : nullptr;
}

inline Error system_in(const sync::Failure& failure, std::string what) {
  Error error = Error::system(failure.os_error, std::move(what));
  error.set_step(to_string(failure.step));
  return error;
}

}  // namespace berth::engine
