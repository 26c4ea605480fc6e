// SPDX-License-Identifier: Apache-2.0
// The one place where Boost.JSON is compiled (header-only: its parser and what that needs, no
// values, no streams).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/detail/impl/default_resource.ipp>
#include <boost/json/detail/impl/except.ipp>
#include <boost/json/detail/impl/shared_resource.ipp>
#include <boost/json/detail/impl/stack.ipp>
#include <boost/json/impl/error.ipp>
#pragma GCC diagnostic pop

#include <cstring>

#include "berth/try.h"
#include "core/context.h"
#include "json/build.h"
#include "json/position.h"
#include "json/value.h"

namespace berth::json {
namespace {

constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxText = size_t{64} << 20;

namespace bj = boost::json;

// What Boost's parser calls. It turns pieces into whole strings and hands them to the builder.
class Handler {
 public:
  static constexpr size_t max_array_size = SIZE_MAX;
  static constexpr size_t max_object_size = SIZE_MAX;
  static constexpr size_t max_string_size = SIZE_MAX;
  static constexpr size_t max_key_size = SIZE_MAX;

  explicit Handler(Builder& builder) : builder_(builder) {}

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_array_begin(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return true; }
  bool on_array_end(size_t count, bj::error_code&) { return builder_.array(count), true; }
  bool on_object_end(size_t count, bj::error_code& error) {
    return checked(builder_.object(count), error);
  }
  bool on_string_part(bj::string_view part, size_t, bj::error_code&) {
    return builder_.part(view(part)), true;
  }
  bool on_string(bj::string_view last, size_t, bj::error_code& error) {
    return checked(builder_.string(view(last)), error);
  }
  bool on_key_part(bj::string_view part, size_t, bj::error_code&) {
    return builder_.part(view(part)), true;
  }
  bool on_key(bj::string_view last, size_t, bj::error_code& error) {
    return checked(builder_.string(view(last)), error);
  }
  bool on_number_part(bj::string_view, bj::error_code&) { return true; }
  bool on_int64(int64_t number, bj::string_view, bj::error_code&) {
    return builder_.integer(number), true;
  }
  bool on_uint64(uint64_t number, bj::string_view, bj::error_code&) {
    return builder_.integer(number), true;
  }
  bool on_double(double number, bj::string_view, bj::error_code&) {
    return builder_.real(number), true;
  }
  bool on_bool(bool value, bj::error_code&) { return builder_.boolean(value), true; }
  bool on_null(bj::error_code&) { return builder_.null(), true; }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }

 private:
  static std::string_view view(bj::string_view text) { return {text.data(), text.size()}; }
  static bool checked(bool good, bj::error_code& error) {
    if (!good) error = bj::error::input_error;  // the builder knows what
    return good;
  }

  Builder& builder_;
};

std::unexpected<Error> syntax_error(std::string_view text, size_t offset, std::string_view what) {
  const Position place = position_of(text, offset);
  return fail(ErrorKind::InvalidConfig, "{}:{}: {}", place.line, place.column, what);
}

std::string_view explain(bj::error_code error) {
  switch (static_cast<bj::error>(error.value())) {
    case bj::error::too_deep: return "more than 64 levels of arrays and objects";
    case bj::error::exponent_overflow: return "exponent too large";
    case bj::error::illegal_leading_surrogate:
    case bj::error::illegal_trailing_surrogate: return "lone UTF-16 surrogate in a string";
    case bj::error::expected_hex_digit:
    case bj::error::expected_utf16_escape: return "bad \\u escape in a string";
    default: return "not JSON (syntax error, control character in a string or invalid UTF-8)";
  }
}

}  // namespace

Result<Document> parse(std::string_view text) {
  if (text.size() > kMaxText) return fail(ErrorKind::InvalidConfig, "1:1: text larger than 64 MiB");
  auto arena = std::make_unique<Document::Arena>(text.size());
  Builder builder(*arena, text);
  bj::parse_options options;
  options.max_depth = kMaxDepth;
  bj::basic_parser<Handler> parser(options, builder);
  bj::error_code error;
  const size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!builder.problem().empty())
    return syntax_error(text, builder.problem_offset(used), builder.problem());
  if (error && used >= text.size()) return syntax_error(text, used, "unexpected end of the text");
  if (error) return syntax_error(text, used, explain(error));
  const size_t rest = text.find_first_not_of(" \t\r\n", used);
  if (rest != std::string_view::npos)
    return syntax_error(text, rest, "text after the end of the document");
  builder.finish();
  return Document(std::move(arena));
}

}  // namespace berth::json
