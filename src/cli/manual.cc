// SPDX-License-Identifier: Apache-2.0
#include "cli/command_table.h"
#include "cli/help.h"
#include "core/context.h"

namespace berth::cli {
namespace {

// scdoc gives these characters a meaning.
std::string plain(std::string_view text) {
  std::string result;
  for (char character : text) {
    if (std::string_view("\\*_#").contains(character)) result += '\\';
    result += character;
  }
  return result;
}

std::string option_entry(const Option& option) {
  std::string text;
  if (option.letter != 0) text += formatted("*-{}*, ", option.letter);
  text += formatted("*--{}*", option.name);
  if (!option.is_switch()) text += formatted("=_{}_", plain(option.value));
  text += formatted("\n\t{}", plain(option.help));
  if (!option.choices.empty()) text += formatted(" (one of: {})", plain(option.choices));
  return text + ".\n\n";
}

std::string option_entries(std::string_view title, std::span<const Option> options) {
  auto text = formatted("# {}\n\n", title);
  for (const auto& option : options) {
    if (!option.hidden) text += option_entry(option);
  }
  return text;
}

constexpr std::string_view kExitStatus =
    "# EXIT STATUS\n\n"
    "0 on success, 1 when the command failed. *berth run*, *berth exec* and *berth try* in the "
    "foreground "
    "exit with the code of the program, or with 128 and the number of the signal that killed it. "
    "*berth "
    "exec* exits with 255 when the program could not be executed.\n\n";

std::string overview() {
  std::string text =
      "berth(8)\n\n# NAME\n\nberth - Open Container Initiative runtime\n\n# SYNOPSIS\n\n"
      "*berth* [_GLOBAL OPTION_...] _COMMAND_ [_OPTION_...] [_ARGUMENT_...]\n\n# DESCRIPTION\n\n"
      "berth runs containers as the OCI runtime specification describes them: a directory with a "
      "config.json and a root filesystem. An option may be written *--name=value*, *--name value* "
      "or with "
      "one dash; global options come before the command.\n\n# COMMANDS\n\n";
  for (const auto& command : all_commands()) {
    if (!command.hidden) text += formatted("*{}*\n\t{}.\n\n", command.name, plain(command.summary));
  }
  text += option_entries("GLOBAL OPTIONS", global_options());
  text += kExitStatus;
  text += "# SEE ALSO\n\n";
  std::string pages;
  for (const auto& command : all_commands()) {
    if (command.hidden || command.name.view() == "help") continue;
    pages += formatted("{}*berth-{}*(8)", pages.empty() ? "" : ", ", command.name);
  }
  return text + pages + "\n";
}

std::string command_page(const Command& command) {
  auto words = command.words.empty() ? std::string() : formatted(" {}", plain(command.words));
  auto text = formatted("berth-{}(8)\n\n# NAME\n\nberth-{} - {}\n\n", command.name, command.name,
                        plain(command.summary));
  text += formatted("# SYNOPSIS\n\n*berth {}* [_OPTION_...]{}\n\n", command.name, words);
  if (!command.details.empty())
    text += formatted("# DESCRIPTION\n\n{}\n\n", plain(command.details));
  text += option_entries("OPTIONS", command.options);
  text += kExitStatus;
  return text + "# SEE ALSO\n\n*berth*(8)\n";
}

}  // namespace

Result<std::string> manual_page(std::string_view page) {
  if (page == "berth") return overview();
  const Command* command = page.starts_with("berth-") ? find_command(page.substr(6)) : nullptr;
  if (command != nullptr && !command->hidden) return command_page(*command);
  return fail(ErrorKind::InvalidUse, "no manual page {}", page);
}

}  // namespace berth::cli
