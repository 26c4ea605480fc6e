// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include <algorithm>

#include "cli/command_table.h"
#include "cli/output.h"
#include "core/format.h"

namespace berth::cli {
namespace {

constexpr size_t kWidth = 88;

std::string wrapped(std::string_view text, size_t indent, size_t first_column) {
  std::string result;
  size_t column = first_column;
  while (!text.empty()) {
    auto end = std::min(text.find(' '), text.size());
    if (column > indent && column + end > kWidth) {
      result += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (!result.empty()) {
      result += ' ';
      ++column;
    }
    result += text.substr(0, end);
    column += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result + '\n';
}

std::string row(std::string_view left, std::string_view right, size_t width) {
  auto start = formatted("   {:<{}}  ", left, width);
  return start + wrapped(right, width + 5, start.size());
}

std::string described(const Option& option) {
  std::string text(option.help);
  if (!option.choices.empty()) {
    text += ": ";
    for (char character : option.choices.view())
      text += character == ' ' ? std::string(" or ") : std::string(1, character);
  }
  return text;
}

std::string option_rows(std::string_view title, std::span<const Option> options) {
  size_t width = 0;
  for (const auto& option : options) {
    if (!option.hidden) width = std::max(width, std::min<size_t>(option_label(option).size(), 32));
  }
  auto text = formatted("\n{}:\n", title);
  for (const auto& option : options) {
    if (!option.hidden) text += row(option_label(option), described(option), width);
  }
  return text;
}

}  // namespace

std::string option_label(const Option& option) {
  auto label = option.letter != 0 ? formatted("-{}, --{}", option.letter, option.name)
                                  : formatted("    --{}", option.name);
  return option.is_switch() ? label : formatted("{}={}", label, option.value);
}

std::string help_text() {
  auto text = formatted(
      "NAME:\n   {} - Open Container Initiative runtime\n\n"
      "USAGE:\n   {} [GLOBAL OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n\nCOMMANDS:\n",
      program_name(), program_name());
  for (const auto& command : all_commands()) {
    if (!command.hidden) text += row(command.name, command.summary, 8);
  }
  text += option_rows("GLOBAL OPTIONS", global_options());
  return text + formatted("\n\"{} COMMAND --help\" tells more of a command.\n", program_name());
}

std::string help_text(const Command& command) {
  auto words = command.words.empty() ? std::string() : formatted(" {}", command.words);
  auto text = formatted("NAME:\n   {} {} - {}\n\nUSAGE:\n   {} {} [OPTION...]{}\n", program_name(),
                        command.name, command.summary, program_name(), command.name, words);
  if (!command.details.empty()) {
    text += "\nDESCRIPTION:\n   " + wrapped(command.details, 3, 3);
  }
  return text + option_rows("OPTIONS", command.options);
}

}  // namespace berth::cli
