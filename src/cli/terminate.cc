// SPDX-License-Identifier: Apache-2.0
// The last words when nobody catches an exception: memory is what can run out. The handler of the
// C++ library, in whose place this is, names the exception; for that it brings a demangler and more
// of stdio (decision 13).
#include <stdlib.h>
#include <unistd.h>

#include <exception>
#include <string_view>

namespace __gnu_cxx {

void __verbose_terminate_handler() {
  constexpr std::string_view kText = "berth: no memory left, or an error of berth's own\n";
  (void)!::write(STDERR_FILENO, kText.data(), kText.size());
  ::abort();
}

}  // namespace __gnu_cxx
