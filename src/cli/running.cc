// SPDX-License-Identifier: Apache-2.0
#include "cli/running.h"

#include <algorithm>
#include <iterator>

#include "berth/try.h"
#include "cli/session.h"
#include "cli/values.h"
#include "core/context.h"

namespace berth::cli {

Result<RunningContainers> own_containers(const Invocation& invocation) {
  const FactoryOptions options = TRY(factory_options(invocation));
  return berth::own_containers(options.state_root.empty() ? default_state_root()
                                                          : options.state_root);
}

Result<RunningContainers> all_containers(const Invocation& invocation) {
  RunningContainers containers = TRY(own_containers(invocation));
  for (RunningContainer& found : TRY(find_containers())) {
    if (std::ranges::find(containers, found.pid, &RunningContainer::pid) == containers.end())
      containers.push_back(std::move(found));
  }
  return containers;
}

Result<RunningContainer> choose(const RunningContainers& containers, const std::string& word,
                                bool scanned) {
  const auto same = std::ranges::find(containers, word, &RunningContainer::id);
  if (same != containers.end()) return *same;
  RunningContainers found;
  std::ranges::copy_if(containers, std::back_inserter(found), [&](const RunningContainer& each) {
    return each.state_root.empty() && each.id.starts_with(word);
  });
  if (found.size() == 1) return found.front();
  if (found.size() > 1)
    return fail(ErrorKind::InvalidUse, "{} is the beginning of {} ids", word, found.size());
  return fail(ErrorKind::NotFound, "no container {} runs{}", word,
              scanned ? "" : " (of other runtimes: --engine-scan)");
}

Result<pid_t> parse_pid(const std::string& text) {
  const int64_t pid = TRY(parse_integer(text) | context("option --pid"));
  if (pid > 0 && pid <= 1 << 22) return static_cast<pid_t>(pid);
  return fail(ErrorKind::InvalidUse, "option --pid: {} is no pid", text);
}

}  // namespace berth::cli
