// SPDX-License-Identifier: Apache-2.0
#include "berth/oci.h"
#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/output.h"

namespace berth::cli {

Result<int> run_features(const Invocation&) {
  auto text = features();
  if (!text.ends_with('\n')) text += '\n';
  TRY(print(text));
  return 0;
}

}  // namespace berth::cli
