// SPDX-License-Identifier: Apache-2.0
#include "spec/annotations.h"

#include "spec/seccomp_names.h"

namespace berth::spec {
namespace {

constexpr std::string_view kWithEffect[] = {
    kCoreScheduling,         kMergePages, kLandlockExecute, kLandlockRead, kLandlockWrite,
    kMemoryDenyWriteExecute, kHugePages,  kFilterAnnotation};

}  // namespace

std::span<const std::string_view> annotations_with_effect() { return kWithEffect; }

}  // namespace berth::spec
