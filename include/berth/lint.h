// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "berth/error.h"

namespace [[gnu::visibility("default")]] berth {

// How bad a finding is.
enum class Severity : unsigned char {
  Error,    // create would fail, or not do what is written there
  Warning,  // works, and is probably not meant or dangerous
};
// "error", "warning".
std::string_view to_string(Severity severity);

// One thing that is wrong or looks wrong; docs/lint.md lists the codes.
struct Finding {
  Severity severity = Severity::Warning;
  std::string code = {};     // "unknown-member": stable, for programs
  std::string pointer = {};  // RFC 6901, into config.json
  int line = 0;              // where that begins, from 1; 0: nowhere
  int column = 0;
  std::string text = {};
};

// Where to look.
struct LintOptions {
  std::string bundle = {};       // directory; empty: the current one
  std::string config_file = {};  // other file than BUNDLE/config.json
};

// What is wrong with a bundle, or would be on this host, in the order of the text. Needs no
// privileges and changes nothing. Fails only when there is no config to look at.
Result<std::vector<Finding>> lint(const LintOptions& options);

}  // namespace berth
