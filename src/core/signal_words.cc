// SPDX-License-Identifier: Apache-2.0
#include "core/signal_words.h"

#include <string.h>

#include "core/format.h"

namespace berth {

std::string signal_words(int number) {
  const char* known = sigdescr_np(number);
  if (known == nullptr) return formatted("signal {}", number);
  std::string text(known);
  text[0] |= 0x20;  // as Go writes them
  return formatted("signal {} ({})", number, text);
}

}  // namespace berth
