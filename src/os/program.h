// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"
#include "os/fd.h"
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

// Its parts, for who starts a program in another way.

// A file with the text, at its beginning. Rather than a pipe: of any size, and nobody has to read
// while the other writes.
Result<UniqueFd> memory_file(const char* name, std::string_view text);
// For execve(2); the words must outlive it.
std::vector<char*> pointers(const std::vector<std::string>& words);
// What the caller blocks or ignores is its own business: execve(2) would hand both on. Allocates
// nothing: for the child of a program with many threads.
void reset_signals();

}  // namespace berth::os
