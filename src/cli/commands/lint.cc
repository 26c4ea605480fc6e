// SPDX-License-Identifier: Apache-2.0
#include "berth/lint.h"

#include <algorithm>

#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/output.h"
#include "core/format.h"

namespace berth::cli {
namespace {

// "config.json:12:7: warning: /mounts/3/source: ... [host-path]", as compilers say it.
std::string text_of(const std::vector<Finding>& findings, const std::string& file) {
  std::string text;
  for (const Finding& each : findings) {
    text += file;
    if (each.line != 0) text += formatted(":{}:{}", each.line, each.column);
    text += formatted(": {}: ", to_string(each.severity));
    if (!each.pointer.empty()) text += each.pointer + ": ";
    text += formatted("{} [{}]\n", each.text, each.code);
  }
  return text;
}

std::string json_of(const std::vector<Finding>& findings) {
  std::string text = "[";
  for (const Finding& each : findings) {
    text += formatted(
        "{}\n  {{\"severity\": {}, \"code\": {}, \"pointer\": {}, \"line\": {}, \"column\": {}, "
        "\"text\": {}}}",
        text.size() == 1 ? "" : ",", quoted(to_string(each.severity)), quoted(each.code),
        quoted(each.pointer), each.line, each.column, quoted(each.text));
  }
  return text + (findings.empty() ? "]\n" : "\n]\n");
}

}  // namespace

Result<int> run_lint(const Invocation& invocation) {
  const Arguments& arguments = invocation.arguments;
  const auto findings =
      TRY(lint({.bundle = arguments.word(0), .config_file = arguments.text("config")}));
  const std::string file = arguments.given("config") ? arguments.text("config") : "config.json";
  const bool as_json = arguments.text("format") == "json";
  TRY(print(as_json ? json_of(findings) : text_of(findings, file)));
  const bool wrong =
      std::ranges::find(findings, Severity::Error, &Finding::severity) != findings.end();
  return wrong ? 1 : 0;
}

}  // namespace berth::cli
