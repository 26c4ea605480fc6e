// SPDX-License-Identifier: Apache-2.0
#include "spec/annotations.h"

#include <algorithm>

#include "spec/seccomp_names.h"

namespace berth::spec {
namespace {

constexpr std::string_view kWithEffect[] = {kBox,
                                            kCoreScheduling,
                                            kInterfaces,
                                            kMergePages,
                                            kLandlockExecute,
                                            kLandlockRead,
                                            kLandlockWrite,
                                            kMemoryDenyWriteExecute,
                                            kHugePages,
                                            kFilterAnnotation,
                                            kUnitProperty};

}  // namespace

bool may_have_effect(std::string_view name) {
  return name.starts_with(kOwnAnnotations) ||
         std::ranges::any_of(kWithEffect, [name](auto each) { return name.starts_with(each); });
}

std::span<const std::string_view> annotations_with_effect() { return kWithEffect; }

}  // namespace berth::spec
