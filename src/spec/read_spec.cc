// SPDX-License-Identifier: Apache-2.0
#include "spec/read_spec.h"

#include "core/context.h"
#include "core/format.h"
#include "spec/fields.h"

namespace berth::spec {
namespace {

template <typename T>
Result<T> read_text(std::string_view text, std::string_view file) {
  T object;
  const auto document = TRY(json::parse(text) | context("parse {}", file));
  if (auto read = json::read_value(document.root(), object, json::Place{}); !read) {
    set_place(read.error(), text, file);
    return std::unexpected(std::move(read).error());
  }
  return object;
}

}  // namespace

void set_place(Error& error, std::string_view text, std::string_view file) {
  std::string_view pointer = error.pointer();
  json::Position place = json::locate(text, pointer);
  while (place.line == 0 &&
         !pointer.empty()) {  // a missing member is shown where its object begins
    pointer = pointer.substr(0, pointer.rfind('/'));
    place = json::locate(text, pointer);
  }
  if (place.line != 0) error.set_place(formatted("{}:{}:{}", file, place.line, place.column));
}

Result<Spec> read_spec(std::string_view text) { return read_text<Spec>(text, "config.json"); }
Result<Process> read_process(std::string_view text) { return read_text<Process>(text, "process"); }
Result<Resources> read_resources(std::string_view text) {
  return read_text<Resources>(text, "resources");
}

Result<Spec> read_valid_spec(std::string_view text) {
  auto spec = TRY(read_spec(text));
  if (auto valid = validate(spec); !valid) {
    set_place(valid.error(), text, "config.json");
    return std::unexpected(std::move(valid).error());
  }
  return spec;
}

Reading read_for_lint(std::string_view text) {
  Reading reading;
  const auto document = json::parse(text);
  if (!document) {
    reading.is_no_json = true;
    reading.error = Error(document.error().kind(), document.error().cause());
    return reading;
  }
  Result<> read =
      json::read_value(document->root(), reading.spec, json::Place{.unknown = &reading.unknown});
  if (read) read = validate(reading.spec);
  if (!read) reading.error = std::move(read).error();
  return reading;
}

}  // namespace berth::spec
