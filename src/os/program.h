// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"
#include "os/process.h"

// A program of the host that does one thing for us and ends.
namespace berth::os {

struct ProgramCall {
  std::vector<std::string> words = {};  // the first is found by PATH
  std::string_view input = {};
  const std::vector<std::string>* environment = nullptr;  // "NAME=VALUE"; without: the caller's
};

struct ProgramEnd {
  WaitStatus status = {};
  std::string output = {};
  std::string errors = {};  // the beginning of what it wrote there, without the last newline
};

// Waits for its end. Unsupported: there is no such program.
[[gnu::cold]] Result<ProgramEnd> run_program(const ProgramCall& call);

}  // namespace berth::os
