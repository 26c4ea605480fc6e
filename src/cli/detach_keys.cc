// SPDX-License-Identifier: Apache-2.0
#include "cli/detach_keys.h"

#include "berth/try.h"
#include "core/context.h"

namespace berth::cli {
namespace {

constexpr std::string_view kControl = "ctrl-";

Result<char> parse_key(std::string_view word) {
  if (word.size() == 1) return word.front();
  const bool control = word.size() == kControl.size() + 1 && word.starts_with(kControl);
  const char letter = control ? word.back() : '\0';
  if (letter >= 'a' && letter <= 'z') return static_cast<char>(letter - 'a' + 1);
  if (letter >= '@' && letter <= '_') return static_cast<char>(letter - '@');
  return fail(ErrorKind::InvalidUse,
              "\"{}\" is no key: a single character, or ctrl- and one of a-z @ [ \\ ] ^ _", word);
}

}  // namespace

Result<DetachKeys> DetachKeys::parse(std::string_view text) {
  DetachKeys keys;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(','));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    keys.keys_ += TRY(parse_key(word));
  }
  return keys;
}

DetachKeys::Typed DetachKeys::take(std::string_view bytes) {
  if (keys_.empty()) return {.bytes = std::string(bytes)};
  Typed typed;
  for (const char byte : bytes) {
    // What was held is no prefix of the keys any more, but its end may be one.
    while (seen_ > 0 && byte != keys_[seen_]) {
      const std::string held = keys_.substr(0, seen_);
      size_t rest = seen_ - 1;
      while (rest > 0 && !held.ends_with(keys_.substr(0, rest))) --rest;
      typed.bytes += held.substr(0, seen_ - rest);
      seen_ = rest;
    }
    if (byte != keys_[seen_]) {
      typed.bytes += byte;
    } else if (++seen_ == keys_.size()) {
      seen_ = 0;
      typed.leave = true;
      return typed;
    }
  }
  return typed;
}

}  // namespace berth::cli
