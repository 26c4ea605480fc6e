// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "berth/error.h"

namespace berth::cli {

// A text of the tables: half a string_view, because each start fixes up every one (decision 13).
class Text {
 public:
  constexpr Text() = default;
  constexpr Text(const char* text) : text_(text) {}  // NOLINT(google-explicit-constructor): a table
  constexpr operator std::string_view() const {      // NOLINT(google-explicit-constructor)
    return text_ == nullptr ? std::string_view() : std::string_view(text_);
  }
  constexpr std::string_view view() const { return *this; }
  constexpr bool empty() const { return text_ == nullptr; }

 private:
  const char* text_ = nullptr;
};

// What one option is. Parser, help, completions and manual pages all read this.
struct Option {
  Text name;        // without dashes
  char letter = 0;  // 0: none
  Text value = {};  // what the value is called in help ("DIR"); empty: a switch
  Text help = {};
  Text choices = {};    // "table json": the only values
  bool hidden = false;  // accepted for the sake of callers, not shown

  bool is_switch() const { return value.empty(); }
};

// The options and words of a command line, after parsing. Asking for an option that the command
// does not have is a bug and ends the program.
class Arguments {
 public:
  explicit Arguments(std::span<const Option> options = {}) : options_(options) {}

  bool on(std::string_view switch_name) const;  // false unless given
  bool given(std::string_view name) const;
  std::string text(std::string_view name) const;  // the last value, or empty
  std::vector<std::string> texts(std::string_view name) const;
  const std::vector<std::string>& words() const { return words_; }
  std::string word(size_t index) const;  // empty when there are fewer
  std::vector<std::string> words_from(size_t index) const;

  void add(const Option& option, std::string value) {
    values_.emplace_back(&option, std::move(value));
  }
  void add_word(std::string word) { words_.push_back(std::move(word)); }

 private:
  const Option& option(std::string_view name) const;

  std::span<const Option> options_;
  std::vector<std::pair<const Option*, std::string>> values_;
  std::vector<std::string> words_;
};

struct Command;

struct Invocation {
  const Command* command = nullptr;  // nullptr: none was named
  char** argv = nullptr;             // as the program was called
  Arguments globals;
  Arguments arguments;
};

struct Command {
  Text name;
  Text words = {};    // "CONTAINER [SIGNAL]"
  Text summary = {};  // one line
  Text details = {};  // a paragraph for help and manual
  std::span<const Option> options = {};
  int min_words = 0;
  int max_words = -1;                               // -1: any number
  Result<int> (*run)(const Invocation&) = nullptr;  // the exit code
  bool stops_at_word = false;                       // options must come before the first word
  bool enters_containers = false;  // runs from a protected copy of the program from the start
  int failure_code = 1;
  bool hidden = false;
};

// Where a command line went wrong, with what could be read before it, so that --log is known when
// the error is told.
struct Parsed {
  Invocation invocation;
  std::optional<Error> error;
};

Parsed parse_command_line(std::span<const char* const> words);

}  // namespace berth::cli
