// SPDX-License-Identifier: Apache-2.0
#include "cli/values.h"

#include <signal.h>

#include <charconv>
#include <limits>
#include <optional>
#include <string>

#include "berth/try.h"
#include "core/context.h"

namespace berth::cli {
namespace {

template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  Number value = 0;
  auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_digit(char character) { return character >= '0' && character <= '9'; }

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& character : result) {
    if (character >= 'a' && character <= 'z') character = static_cast<char>(character - 'a' + 'A');
  }
  return result;
}

// Takes "12.5" off the front and returns it times unit, once the unit is known.
struct Decimal {
  __int128 digits = 0;
  __int128 scale = 1;

  std::optional<int64_t> times(__int128 unit) const {
    __int128 value = digits * unit / scale;
    if (value > std::numeric_limits<int64_t>::max()) return std::nullopt;
    return static_cast<int64_t>(value);
  }
};

std::optional<Decimal> take_decimal(std::string_view& text) {
  constexpr size_t kMostDigits = 20;
  Decimal number;
  size_t used = 0, digits = 0;
  bool fraction = false;
  for (; used < text.size() && (is_digit(text[used]) || (text[used] == '.' && !fraction)); ++used) {
    if (text[used] == '.') {
      fraction = true;
      continue;
    }
    if (++digits > kMostDigits) return std::nullopt;
    number.digits = number.digits * 10 + (text[used] - '0');
    if (fraction) number.scale *= 10;
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(used);
  return number;
}

// The power of 1024 that "k", "KB", "kib" and so on stand for.
std::optional<int> size_power(std::string_view unit) {
  auto name = upper(unit);
  constexpr std::string_view kUnits = "BKMGTP";
  if (name.empty()) return 0;
  auto power = kUnits.find(name[0]);
  if (power == std::string_view::npos) return std::nullopt;
  auto rest = std::string_view(name).substr(1);
  if (rest.empty() || (power > 0 && (rest == "B" || rest == "IB"))) return static_cast<int>(power);
  return std::nullopt;
}

struct TimeUnit {
  std::string_view name;
  int64_t nanoseconds;
};
// Longer names first: "ms" before "m".
constexpr TimeUnit kTimeUnits[] = {{"ns", 1},           {"us", 1000},      {"µs", 1000},
                                   {"ms", 1000000},     {"s", 1000000000}, {"m", 60000000000},
                                   {"h", 3600000000000}};

const TimeUnit* take_time_unit(std::string_view& text) {
  for (const auto& unit : kTimeUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return &unit;
  }
  return nullptr;
}

std::optional<int> real_time_signal(std::string_view name) {
  int base = name.starts_with("RTMIN") ? SIGRTMIN : name.starts_with("RTMAX") ? SIGRTMAX : 0;
  if (base == 0) return std::nullopt;
  auto rest = name.substr(5);
  if (rest.empty()) return base;
  if (rest[0] != '+' && rest[0] != '-') return std::nullopt;
  auto distance = whole_number<int>(rest.substr(1));
  if (!distance || *distance < 0 || *distance > 64) return std::nullopt;
  int number = rest[0] == '+' ? base + *distance : base - *distance;
  if (number < SIGRTMIN || number > SIGRTMAX) return std::nullopt;
  return number;
}

std::optional<int> named_signal(std::string_view name) {
  if (name.starts_with("SIG")) name.remove_prefix(3);
  struct Alias {
    std::string_view name;
    int number;
  };
  for (auto [alias, number] : {Alias{"IOT", SIGIOT}, Alias{"CLD", SIGCHLD}, Alias{"IO", SIGIO}}) {
    if (name == alias) return number;
  }
  for (int number = 1; number < SIGSYS + 1; ++number) {
    const char* known = sigabbrev_np(number);
    if (known != nullptr && name == known) return number;
  }
  return real_time_signal(name);
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    parts.emplace_back(text.substr(0, text.find(separator)));
    text.remove_prefix(std::min(parts.back().size() + 1, text.size()));
  }
  return parts;
}

Result<int64_t> parse_integer(std::string_view text) {
  auto value = whole_number<int64_t>(text);
  if (!value) return fail(ErrorKind::InvalidUse, "\"{}\" is not a whole number", text);
  return *value;
}

Result<uint64_t> parse_unsigned(std::string_view text) {
  auto value = whole_number<uint64_t>(text);
  if (!value) return fail(ErrorKind::InvalidUse, "\"{}\" is not a whole number from 0 up", text);
  return *value;
}

Result<int64_t> parse_size(std::string_view text) {
  if (text == "-1") return -1;
  auto rest = text;
  auto number = take_decimal(rest);
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  auto power = size_power(rest);
  if (number && power) {
    auto bytes = number->times(static_cast<__int128>(1) << (10 * *power));
    if (bytes) return *bytes;
  }
  return fail(ErrorKind::InvalidUse,
              "invalid size \"{}\": give bytes, or a number with k, m, g or t", text);
}

Result<int64_t> parse_duration(std::string_view text) {
  auto rest = text;
  int64_t total = 0;
  while (!rest.empty()) {
    auto number = take_decimal(rest);
    const TimeUnit* unit = number ? take_time_unit(rest) : nullptr;
    auto part = unit != nullptr ? number->times(unit->nanoseconds) : std::nullopt;
    if (!part || __builtin_add_overflow(total, *part, &total)) {
      return fail(ErrorKind::InvalidUse, "invalid duration \"{}\": give it as 5s, 500ms or 1m30s",
                  text);
    }
  }
  if (text.empty()) return fail(ErrorKind::InvalidUse, "invalid duration \"\"");
  return total;
}

Result<int> parse_signal(std::string_view text) {
  auto number = whole_number<int>(text);
  if (!number) number = named_signal(upper(text));
  if (!number || *number < 0 || *number > SIGRTMAX) {
    return fail(ErrorKind::InvalidUse, "unknown signal \"{}\"", text);
  }
  return *number;
}

}  // namespace berth::cli
