// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "berth/oci.h"
#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/output.h"
#include "core/context.h"

namespace berth::cli {

Result<int> run_spec(const Invocation& invocation) {
  auto bundle = invocation.arguments.text("bundle");
  auto path = bundle.empty() ? std::string("config.json") : bundle + "/config.json";
  int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0 && errno == EEXIST) {
    return fail(ErrorKind::AlreadyExists, "File {} exists. Remove it first", path);
  }
  if (file < 0) return system_error(errno, "create {}", path);
  auto written = write_all(file, default_config(invocation.arguments.on("rootless")));
  if (close(file) != 0 && written) written = system_error(errno, "close");
  if (!written) {
    unlink(path.c_str());
    written.error().add_context(path);
    return std::unexpected(std::move(written).error());
  }
  return 0;
}

}  // namespace berth::cli
