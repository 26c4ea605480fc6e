// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/context.h"
#include "spec/spec.h"

// The rules of config.json by part. Each fails with InvalidConfig and the pointer of what is wrong.
namespace berth::spec {

Result<> validate_mounts(const Spec& spec);
Result<> validate_linux(const Spec& spec);
Result<> validate_sysctl(const Spec& spec);
Result<> validate_devices(const Linux& platform);
Result<> validate_seccomp(const Seccomp& seccomp);
Result<> validate_mappings(std::span<const IdMapping> mappings, std::string_view pointer);

template <typename... Args>
[[gnu::cold]] std::unexpected<Error> invalid(std::string_view pointer,
                                             fmt::format_string<const Args&...> text,
                                             const Args&... args) {
  Error error(ErrorKind::InvalidConfig, formatted(text, args...));
  error.set_pointer(pointer);
  return std::unexpected(std::move(error));
}

const Namespace* find_namespace(const Linux& platform, NamespaceType type);
// A member's name as part of a JSON pointer.
std::string pointer_token(std::string_view name);
bool has_control_character(std::string_view text);
bool is_interface_name(std::string_view name);
// "0-3,7": digits, commas and hyphens.
bool is_number_list(std::string_view text);
// Whether a component of the path is "..".
bool climbs(std::string_view path);

// (uid_t)-1 means "unchanged" to the kernel, never an identity.
inline constexpr uint32_t kNoId = UINT32_MAX;

}  // namespace berth::spec
