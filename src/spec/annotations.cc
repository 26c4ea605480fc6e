// SPDX-License-Identifier: Apache-2.0
#include "spec/annotations.h"

namespace berth::spec {

std::span<const std::string_view> annotations_with_effect() { return {}; }

}  // namespace berth::spec
