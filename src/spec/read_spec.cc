// SPDX-License-Identifier: Apache-2.0
#include "spec/read_spec.h"

#include "core/context.h"
#include "core/format.h"
#include "spec/fields.h"

namespace berth::spec {
namespace {

template <typename T>
Result<T> read_text(std::string_view text, std::string_view file, bool brief = false) {
  T object;
  const auto document = TRY(json::parse(text) | context("parse {}", file));
  if (auto read = json::read_value(document.root(), object, json::Place{.brief = brief}); !read) {
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

Result<Spec> read_spec(std::string_view text, Detail detail) {
  return read_text<Spec>(text, "config.json", detail == Detail::Effects);
}

Result<StringMap> read_annotations(std::string_view text) {
  StringMap annotations;
  const auto document = TRY(json::parse(text) | context("parse config.json"));
  if (const json::Value* value = document.root().find("annotations"))
    TRY(json::read_strings(*value, annotations, json::Place{}));
  return annotations;
}

Result<Process> read_process(std::string_view text) { return read_text<Process>(text, "process"); }
Result<Resources> read_resources(std::string_view text) {
  return read_text<Resources>(text, "resources");
}
Result<ProcessAttributes> read_attributes(std::string_view text) {
  return read_text<ProcessAttributes>(text, "process");
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
  reading.is_decoded = read.has_value();
  if (read) read = validate(reading.spec);
  if (!read) reading.error = std::move(read).error();
  return reading;
}

}  // namespace berth::spec
