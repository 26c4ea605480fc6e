// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"
#include "json/decode.h"
#include "json/value.h"
#include "spec/spec.h"

namespace berth::spec {

enum class Detail {
  All,
  Effects,  // no annotations but those that do something: they may be most of the text
};

// The text of a config.json as types. Fails with InvalidConfig: a syntax error names line and
// column, a wrong type, value or missing field names the JSON pointer and its line. Unknown members
// are ignored, as the spec says (config.md, "Extensibility"), except that a member equal to a known
// one but for case is refused.
Result<Spec> read_spec(std::string_view text, Detail detail = Detail::All);

// Its annotations alone.
Result<StringMap> read_annotations(std::string_view text);

// One object of it: `exec --process FILE` and `update --resources FILE`.
Result<Process> read_process(std::string_view text);
Result<Resources> read_resources(std::string_view text);
// The attributes of processes that `update` of the library takes.
Result<ProcessAttributes> read_attributes(std::string_view text);

// read_spec + validate, errors of both with line and column.
Result<Spec> read_valid_spec(std::string_view text);

// Adds "file:line:column" of the error's pointer in the text that it is about.
void set_place(Error& error, std::string_view text, std::string_view file);

// The rules that the types cannot say (config.md, config-linux.md): one function each in
// validate.cc. Fails with InvalidConfig and the pointer.
Result<> validate(const Spec& spec);
Result<> validate_process(const Process& process, std::string_view pointer);
// Of it what can be changed while it runs: rlimits, scheduler, ioPriority, oomScoreAdj, CPUs.
Result<> validate_attributes(const Process& process, std::string_view pointer);
Result<> validate_resources(const Resources& resources, std::string_view pointer);

// Back to JSON, complete: read_spec(write_spec(s)) == s. For the state record and `berth spec`.
// `indent` as json::Writer's.
std::string write_spec(const Spec& spec, int indent);
std::string write_process(const Process& process, int indent);
std::string write_resources(const Resources& resources, int indent);

// What `berth spec` prints: the field's usual template (runc's), rootless (this user as root) or
// not. A cgroup namespace is in it where the machine has cgroup v2 only.
Spec default_spec(bool rootless, bool cgroup_namespace = false);

// For `berth lint`: as much as can be read, beside what is wrong with it. Members that no table
// knows are no error here.
struct Reading {
  Spec spec = {};
  std::vector<json::UnknownMember> unknown = {};
  bool is_no_json = false;
  bool is_decoded = false;  // every member has the right type: spec is whole, and may break a rule
  std::optional<Error> error = {};  // of the syntax, a type or a rule of validate
};
Reading read_for_lint(std::string_view text);

}  // namespace berth::spec
