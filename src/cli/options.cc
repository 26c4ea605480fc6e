// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <algorithm>
#include <cstdlib>

#include "berth/try.h"
#include "cli/command_table.h"
#include "core/context.h"

namespace berth::cli {
namespace {

// "berth kill --help", or "berth --help" before a command is known.
std::string help_command(const Command* command) {
  return command == nullptr ? "berth --help" : formatted("berth {} --help", command->name);
}

std::optional<bool> parse_switch(std::string_view text) {
  for (auto word : {"true", "1", "t", "T", "TRUE", "True"}) {
    if (text == word) return true;
  }
  for (auto word : {"false", "0", "f", "F", "FALSE", "False"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

bool has_choice(std::string_view choices, std::string_view value) {
  while (!choices.empty()) {
    auto end = std::min(choices.find(' '), choices.size());
    if (choices.substr(0, end) == value) return true;
    choices.remove_prefix(std::min(end + 1, choices.size()));
  }
  return false;
}

// Reads the words of one level: the global options, or those of a command.
class Reader {
 public:
  Reader(std::span<const char* const> words, std::span<const Option> options,
         const Command* command)
      : words_(words), options_(options), command_(command) {}

  // Up to the first word that is no option (when stop), or to the end. Returns how many were read.
  Result<size_t> read(Arguments& into, bool stop) {
    while (next_ < words_.size()) {
      std::string_view word = words_[next_];
      if (word == "--") {
        ++next_;
        break;
      }
      if (word.size() < 2 || word[0] != '-') {
        if (stop) break;
        into.add_word(std::string(word));
        ++next_;
        continue;
      }
      ++next_;
      TRY(read_option(word, into));
    }
    return next_;
  }

 private:
  const Option* find(std::string_view name) const {
    for (const auto& option : options_) {
      if (option.name == name) return &option;
      if (name.size() == 1 && option.letter == name[0]) return &option;
    }
    return nullptr;
  }

  Result<> read_option(std::string_view word, Arguments& into) {
    auto bare = word.substr(word.starts_with("--") ? 2 : 1);
    auto equals = bare.find('=');
    auto name = bare.substr(0, equals);
    const Option* option = find(name);
    if (option == nullptr) {
      return fail(ErrorKind::InvalidUse, "unknown option {}: \"{}\" lists what there is",
                  word.substr(0, word.find('=')), help_command(command_));
    }
    std::optional<std::string> value;
    if (equals != std::string_view::npos) value = std::string(bare.substr(equals + 1));
    return option->is_switch() ? take_switch(*option, value, into)
                               : take_value(*option, value, into);
  }

  Result<> take_switch(const Option& option, const std::optional<std::string>& value,
                       Arguments& into) {
    auto state = parse_switch(value.value_or("true"));
    if (!state) {
      return fail(ErrorKind::InvalidUse, "option --{} takes true or false, not \"{}\"", option.name,
                  *value);
    }
    into.add(option, *state ? "true" : "false");
    return {};
  }

  Result<> take_value(const Option& option, std::optional<std::string> value, Arguments& into) {
    if (!value) {
      if (next_ == words_.size()) {
        return fail(ErrorKind::InvalidUse, "option --{} needs a value ({}): see \"{}\"",
                    option.name, option.value, help_command(command_));
      }
      value = words_[next_++];
    }
    if (!option.choices.empty() && !has_choice(option.choices, *value)) {
      return fail(ErrorKind::InvalidUse, "invalid {} option \"{}\": it is one of {}", option.name,
                  *value, option.choices);
    }
    into.add(option, *std::move(value));
    return {};
  }

  std::span<const char* const> words_;
  std::span<const Option> options_;
  const Command* command_;
  size_t next_ = 0;
};

Result<> check_words(const Command& command, const Arguments& arguments) {
  auto count = static_cast<int>(arguments.words().size());
  if (arguments.on("help")) return {};
  if (count < command.min_words) {
    return fail(ErrorKind::InvalidUse,
                "\"berth {}\" requires {} argument(s), {} given: usage: berth {} [OPTION...] {}",
                command.name, command.min_words, count, command.name, command.words);
  }
  if (command.max_words >= 0 && count > command.max_words) {
    return fail(
        ErrorKind::InvalidUse,
        "\"berth {}\" takes at most {} argument(s), {} given: usage: berth {} [OPTION...] {}",
        command.name, command.max_words, count, command.name, command.words);
  }
  return {};
}

Result<> parse(std::span<const char* const> words, Invocation& invocation) {
  invocation.globals = Arguments(global_options());
  auto read = TRY(Reader(words, global_options(), nullptr).read(invocation.globals, true));
  words = words.subspan(read);
  if (words.empty()) return {};
  invocation.command = find_command(words[0]);
  if (invocation.command == nullptr) {
    return fail(ErrorKind::InvalidUse,
                "No help topic for '{}': there is no such command; \"berth --help\" lists them",
                words[0]);
  }
  const Command& command = *invocation.command;
  invocation.arguments = Arguments(command.options);
  words = words.subspan(1);
  read = TRY(
      Reader(words, command.options, &command).read(invocation.arguments, command.stops_at_word));
  for (const char* word : words.subspan(read)) invocation.arguments.add_word(word);
  return check_words(command, invocation.arguments);
}

}  // namespace

const Option& Arguments::option(std::string_view name) const {
  auto found =
      std::ranges::find(options_, name, [](const Option& each) { return each.name.view(); });
  if (found == options_.end()) std::abort();
  return *found;
}

bool Arguments::given(std::string_view name) const {
  const Option* wanted = &option(name);
  return std::ranges::any_of(values_, [&](const auto& value) { return value.first == wanted; });
}

bool Arguments::on(std::string_view switch_name) const { return text(switch_name) == "true"; }

std::string Arguments::text(std::string_view name) const {
  auto all = texts(name);
  return all.empty() ? std::string() : all.back();
}

std::vector<std::string> Arguments::texts(std::string_view name) const {
  const Option* wanted = &option(name);
  std::vector<std::string> found;
  for (const auto& [option, value] : values_) {
    if (option == wanted) found.push_back(value);
  }
  return found;
}

std::string Arguments::word(size_t index) const {
  return index < words_.size() ? words_[index] : std::string();
}

std::vector<std::string> Arguments::words_from(size_t index) const {
  if (index >= words_.size()) return {};
  return {words_.begin() + static_cast<std::ptrdiff_t>(index), words_.end()};
}

Parsed parse_command_line(std::span<const char* const> words) {
  Parsed parsed;
  if (auto result = parse(words, parsed.invocation); !result) {
    parsed.error = std::move(result).error();
  }
  return parsed;
}

}  // namespace berth::cli
