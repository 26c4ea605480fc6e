// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/values.h"
#include "core/context.h"

namespace berth::cli {
namespace {

// Each sets its target only when the option was given.
class Setter {
 public:
  explicit Setter(const Arguments& arguments) : arguments_(arguments) {}

  template <typename Number>
  Result<> number(std::string_view name, std::optional<Number>& target) {
    if (!arguments_.given(name)) return {};
    if constexpr (std::is_signed_v<Number>) {
      target = TRY(parse_integer(arguments_.text(name)) | context("option --{}", name));
    } else {
      auto value = TRY(parse_unsigned(arguments_.text(name)) | context("option --{}", name));
      if (value > std::numeric_limits<Number>::max()) {
        return fail(ErrorKind::InvalidUse, "option --{}: {} is too large", name, value);
      }
      target = static_cast<Number>(value);
    }
    any_ = true;
    return {};
  }

  Result<> size(std::string_view name, std::optional<int64_t>& target) {
    if (!arguments_.given(name)) return {};
    target = TRY(parse_size(arguments_.text(name)) | context("option --{}", name));
    any_ = true;
    return {};
  }

  void text(std::string_view name, std::string& target) {
    if (!arguments_.given(name)) return;
    target = arguments_.text(name);
    any_ = true;
  }

  // Whether anything was set since the last time this was asked.
  bool any() { return std::exchange(any_, false); }

 private:
  const Arguments& arguments_;
  bool any_ = false;
};

Result<> read_cpu(Setter& set, Resources& resources) {
  CpuResources cpu;
  TRY(set.number("cpu-share", cpu.shares));
  TRY(set.number("cpu-quota", cpu.quota));
  TRY(set.number("cpu-burst", cpu.burst));
  TRY(set.number("cpu-period", cpu.period));
  TRY(set.number("cpu-rt-runtime", cpu.realtime_runtime));
  TRY(set.number("cpu-rt-period", cpu.realtime_period));
  TRY(set.number("cpu-idle", cpu.idle));
  set.text("cpuset-cpus", cpu.cpus);
  set.text("cpuset-mems", cpu.mems);
  if (set.any()) resources.cpu = std::move(cpu);
  return {};
}

Result<> read_memory(Setter& set, Resources& resources) {
  MemoryResources memory;
  TRY(set.size("memory", memory.limit));
  TRY(set.size("memory-reservation", memory.reservation));
  TRY(set.size("memory-swap", memory.swap));
  if (set.any()) resources.memory = memory;
  return {};
}

Result<Resources> resources_of_options(const Arguments& arguments) {
  for (std::string_view name : {"l3-cache-schema", "mem-bw-schema"}) {
    if (arguments.given(name)) {
      return fail(ErrorKind::Unsupported, "option --{}: Intel RDT is not supported", name);
    }
  }
  Resources resources;
  Setter set(arguments);
  TRY(read_cpu(set, resources));
  TRY(read_memory(set, resources));
  BlockIoResources block_io;
  TRY(set.number("blkio-weight", block_io.weight));
  if (set.any()) resources.block_io = std::move(block_io);
  TRY(set.number("pids-limit", resources.pids_limit));
  return resources;
}

}  // namespace

Result<int> run_update(const Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  auto file = arguments.text("resources");
  auto container = TRY(find_container(invocation));
  if (arguments.given("resources")) {
    auto text = TRY(read_text(file) | context("option --resources"));
    TRY(container.update(TRY(parse_resources(text) | context("option --resources"))));
  } else {
    TRY(container.update(TRY(resources_of_options(arguments))));
  }
  return 0;
}

}  // namespace berth::cli
