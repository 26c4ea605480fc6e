// SPDX-License-Identifier: Apache-2.0
#include "spec/validate.h"

#include <algorithm>

#include "berth/try.h"
#include "spec/read_spec.h"

namespace berth::spec {
namespace {

bool take_number(std::string_view& text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || (digits > 1 && text.front() == '0')) return false;
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

bool is_semantic_version(std::string_view text) {
  const bool numbers = take_number(text) && take(text, '.') && take_number(text) &&
                       take(text, '.') && take_number(text);
  if (!numbers || (!text.empty() && text.front() != '-' && text.front() != '+')) return false;
  const std::string_view rest = text.empty() ? text : text.substr(1);
  return text.empty() || (!rest.empty() && std::ranges::all_of(rest, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  c == '-' || c == '.' || c == '+';
         }));
}

Result<> version_is_known(const Spec& spec) {
  if (!is_semantic_version(spec.oci_version)) {
    return invalid("/ociVersion", "\"{}\" is not a semantic version", spec.oci_version);
  }
  if (!spec.oci_version.starts_with("1.")) {
    return invalid("/ociVersion", "version {} is not supported, only 1.x", spec.oci_version);
  }
  return {};
}

Result<> root_is_given(const Spec& spec) {
  if (!spec.root) return invalid("/root", "required, but missing");
  if (spec.root->path.empty()) return invalid("/root/path", "must not be empty");
  return {};
}

Result<> name_fits(const Spec& spec, const std::string& name, std::string_view pointer) {
  if (name.empty()) return {};
  if (name.size() > 64) return invalid(pointer, "longer than 64 bytes");
  if (has_control_character(name)) return invalid(pointer, "has a control character");
  if (find_namespace(spec.platform, NamespaceType::Uts) == nullptr) {
    return invalid(pointer, "needs a uts namespace in /linux/namespaces");
  }
  return {};
}

Result<> hooks_are_callable(const std::vector<Hook>& hooks, std::string_view kind) {
  for (size_t i = 0; i < hooks.size(); ++i) {
    if (!hooks[i].path.starts_with('/')) {
      return invalid(formatted("/hooks/{}/{}/path", kind, i), "must be an absolute path");
    }
    if (hooks[i].timeout && *hooks[i].timeout <= 0) {
      return invalid(formatted("/hooks/{}/{}/timeout", kind, i), "must be greater than 0");
    }
  }
  return {};
}

Result<> all_hooks_are_callable(const Hooks& hooks) {
  TRY(hooks_are_callable(hooks.prestart, "prestart"));
  TRY(hooks_are_callable(hooks.create_runtime, "createRuntime"));
  TRY(hooks_are_callable(hooks.create_container, "createContainer"));
  TRY(hooks_are_callable(hooks.start_container, "startContainer"));
  TRY(hooks_are_callable(hooks.poststart, "poststart"));
  return hooks_are_callable(hooks.poststop, "poststop");
}

Result<> annotations_have_keys(const Spec& spec) {
  for (const auto& annotation : spec.annotations) {
    if (annotation.first.empty()) return invalid("/annotations/", "a key must not be empty");
  }
  return {};
}

}  // namespace

const Namespace* find_namespace(const Linux& platform, NamespaceType type) {
  const auto found = std::ranges::find(platform.namespaces, type, &Namespace::type);
  return found == platform.namespaces.end() ? nullptr : &*found;
}

std::string pointer_token(std::string_view name) {
  std::string token;
  for (const char c : name) {
    if (c == '~')
      token += "~0";
    else if (c == '/')
      token += "~1";
    else
      token += c;
  }
  return token;
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_interface_name(std::string_view name) {
  const bool bad = name.empty() || name.size() > 15 || name == "." || name == ".." ||
                   has_control_character(name);
  return !bad && name.find_first_of("/: ") == std::string_view::npos;
}

bool is_number_list(std::string_view text) {
  return text.find_first_not_of("0123456789,-") == std::string_view::npos;
}

bool climbs(std::string_view path) {
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    if (part == "..") return true;
    path.remove_prefix(std::min(part.size() + 1, path.size()));
  }
  return false;
}

Result<> validate(const Spec& spec) {
  TRY(version_is_known(spec));
  if (spec.process) TRY(validate_process(*spec.process, "/process"));
  TRY(root_is_given(spec));
  TRY(name_fits(spec, spec.hostname, "/hostname"));
  TRY(name_fits(spec, spec.domainname, "/domainname"));
  TRY(all_hooks_are_callable(spec.hooks));
  TRY(annotations_have_keys(spec));
  TRY(validate_mounts(spec));
  return validate_linux(spec);
}

}  // namespace berth::spec
