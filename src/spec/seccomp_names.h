// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "json/decode.h"
#include "spec/spec.h"

namespace berth::spec {

// A filter of the kernel's own form, beside linux.seccomp: base64 of its instructions.
inline constexpr const char* kFilterAnnotation = "run.oci.seccomp_bpf_data";
// nullptr: there is none.
const std::string* added_filter(const Spec& spec);

// The names that runtime-spec 1.3.0 knows, sorted.
std::span<const std::string_view> seccomp_architectures();
// Their values are the kernel's.
std::span<const json::Name> seccomp_flags();

}  // namespace berth::spec
