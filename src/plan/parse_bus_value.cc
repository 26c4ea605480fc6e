// SPDX-License-Identifier: Apache-2.0
// GVariant's text format (developer.gnome.org, "GVariant Text Format") without dictionaries and
// byte strings, which no property of a scope takes.
#include <stdlib.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "berth/try.h"
#include "core/context.h"
#include "plan/plan_unit.h"

namespace berth::plan {
namespace {

struct Keyword {
  std::string_view word;
  char type;
};
constexpr Keyword kKeywords[] = {{"boolean", 'b'}, {"byte", 'y'},       {"int16", 'n'},
                                 {"uint16", 'q'},  {"int32", 'i'},      {"uint32", 'u'},
                                 {"int64", 'x'},   {"uint64", 't'},     {"double", 'd'},
                                 {"string", 's'},  {"objectpath", 'o'}, {"signature", 'g'}};

struct Range {
  char type;
  int64_t least;
  uint64_t most;
};
constexpr Range kRanges[] = {
    {'y', 0, UINT8_MAX},         {'n', INT16_MIN, INT16_MAX}, {'q', 0, UINT16_MAX},
    {'i', INT32_MIN, INT32_MAX}, {'u', 0, UINT32_MAX},        {'x', INT64_MIN, INT64_MAX},
    {'t', 0, UINT64_MAX},
};

constexpr int kMaxDepth = 16;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), rest_(text) {}

  Result<BusValue> whole() {
    BusValue value = TRY(this->value("", 0));
    skip_space();
    if (!rest_.empty()) return wrong("something follows the value");
    return value;
  }

 private:
  // `type`: what the value is to be; empty: what it looks like.
  Result<BusValue> value(std::string_view type, int depth) {
    if (depth > kMaxDepth) return wrong("it is nested too deeply");
    skip_space();
    if (take('@')) return typed(depth);
    if (take('[')) return array(type, depth);
    if (take('(')) return structure(type, depth);
    if (take('<')) {
      BusValue inner = TRY(value("", depth + 1));
      if (!take('>')) return wrong("a > is missing");
      return bus_variant(std::move(inner));
    }
    if (!rest_.empty() && (rest_.front() == '\'' || rest_.front() == '"')) return string(type);
    return word(type, depth);
  }

  // "@as []": the type is said.
  Result<BusValue> typed(int depth) {
    const std::string_view type = take_until(" \t\n");
    if (type.empty() || !std::ranges::all_of(type, [](char each) {
          return std::string_view("ybnqiuxtdsogav()").contains(each);
        }))
      return wrong("it has an unknown type");
    BusValue result = TRY(value(type, depth + 1));
    if (result.type != type) return wrong("it is not of the type that it names");
    return result;
  }

  Result<BusValue> array(std::string_view type, int depth) {
    std::string item_type(type.starts_with('a') ? type.substr(1) : std::string_view());
    std::vector<BusValue> items;
    while (!take(']')) {
      if (!items.empty() && !take(',')) return wrong("a comma or ] is missing");
      items.push_back(TRY(value(item_type, depth + 1)));
      if (item_type.empty()) item_type = items.front().type;
      if (items.back().type != item_type) return wrong("the items of an array differ in type");
    }
    if (item_type.empty()) return wrong("an empty array needs a type, as in @as []");
    return bus_array(item_type, std::move(items));
  }

  // The type of a member is not taken from the structure's: numbers in one say theirs.
  Result<BusValue> structure(std::string_view, int depth) {
    std::vector<BusValue> members;
    while (!take(')')) {
      if (!members.empty() && !take(',')) return wrong("a comma or ) is missing");
      if (!members.empty() && take(')')) break;  // "(1,)"
      members.push_back(TRY(value("", depth + 1)));
    }
    if (members.empty()) return wrong("a structure is empty");
    return bus_struct(std::move(members));
  }

  Result<BusValue> string(std::string_view type) {
    const char quote = rest_.front();
    rest_.remove_prefix(1);
    std::string text;
    while (!rest_.empty() && rest_.front() != quote) {
      const bool escaped = rest_.front() == '\\';
      if (escaped) rest_.remove_prefix(1);
      if (rest_.empty()) break;
      const char each = rest_.front();
      text += !escaped ? each : each == 'n' ? '\n' : each == 't' ? '\t' : each;
      rest_.remove_prefix(1);
    }
    if (rest_.empty()) return wrong("a quote is missing");
    rest_.remove_prefix(1);
    const bool other = type == "o" || type == "g";
    return BusValue{.type = other ? std::string(type) : "s", .text = std::move(text)};
  }

  // A number, true, false, or the name of a type before a value.
  Result<BusValue> word(std::string_view type, int depth) {
    const std::string_view word = take_until(" \t\n,])>");
    if (word == "true" || word == "false") return bus_boolean(word == "true");
    const auto keyword = std::ranges::find(kKeywords, word, &Keyword::word);
    if (keyword != std::end(kKeywords)) {
      const std::string said(1, keyword->type);
      BusValue result = TRY(value(said, depth + 1));
      if (result.type != said) return wrong("it is not of the type that it names");
      return result;
    }
    return number(word, type);
  }

  Result<BusValue> number(std::string_view word, std::string_view type) {
    if (word.empty()) return wrong("a value is missing");
    const bool is_real = word.find_first_of(".eE") != word.npos && !word.contains('x');
    if (type == "d" || (type.empty() && is_real)) {
      const std::string text(word);
      char* stop = nullptr;
      BusValue result = {.type = "d", .real = ::strtod(text.c_str(), &stop)};
      if (*stop != '\0' || text.find_first_not_of("0123456789.eE+-") != text.npos)
        return wrong("it has a wrong number");
      return result;
    }
    return integer(word, type.empty() ? 'i' : type.front());
  }

  Result<BusValue> integer(std::string_view word, char type) {
    const auto range = std::ranges::find(kRanges, type, &Range::type);
    if (range == std::end(kRanges)) return wrong("a number is where there should be none");
    const bool negative = word.starts_with('-');
    if (negative || word.starts_with('+')) word.remove_prefix(1);
    const int base = word.starts_with("0x") ? 16 : 10;
    if (base == 16) word.remove_prefix(2);
    uint64_t size = 0;
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), size, base);
    if (error != std::errc() || stop != word.data() + word.size() || word.empty())
      return wrong("it has a wrong number");
    const uint64_t most =
        negative ? uint64_t{0} - static_cast<uint64_t>(range->least) : range->most;
    if (size > most) return wrong("a number is too large for its type");
    return bus_number(type, negative ? uint64_t{0} - size : size);
  }

  bool take(char wanted) {
    skip_space();
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view take_until(std::string_view ends) {
    const std::string_view taken = rest_.substr(0, rest_.find_first_of(ends));
    rest_.remove_prefix(taken.size());
    return taken;
  }
  void skip_space() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n"), rest_.size()));
  }
  std::unexpected<Error> wrong(std::string_view why) const {
    return fail(ErrorKind::InvalidConfig,
                "{} is no value of GVariant's text format: {}; uint64 5, true, 'text' and "
                "['a', 'b'] are",
                text_, why);
  }

  std::string_view text_;
  std::string_view rest_;
};

}  // namespace

Result<BusValue> parse_bus_value(std::string_view text) { return Parser(text).whole(); }

}  // namespace berth::plan
