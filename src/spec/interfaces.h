// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "berth/network.h"
#include "json/decode.h"

namespace berth {

std::span<const json::Field> fields(const Route*);
std::span<const json::Field> fields(const PublishedPort*);
std::span<const json::Field> fields(const Interface*);
std::span<const json::Name> names(const PublishedPort::Protocol*);
std::span<const json::Name> names(const Interface::Kind*);

}  // namespace berth

// Interfaces as a JSON array: the value of the annotation run.berth.interfaces.
namespace berth::spec {

// InvalidConfig with the pointer into the text. A member that no interface has is one, too.
[[gnu::cold]] Result<std::vector<Interface>> read_interfaces(std::string_view text);
// The same with the pointer into config.json, as if the annotation's value were a part of it.
[[gnu::cold]] Result<std::vector<Interface>> read_annotated_interfaces(std::string_view text);
[[gnu::cold]] std::string write_interfaces(const std::vector<Interface>& interfaces);

}  // namespace berth::spec
