// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

// The annotations of config.json that make berth do something (docs/extensions.md). An engine must
// not let its users set them: `berth features` lists them as unsafe.
namespace berth::spec {

// All of berth's own begin so, and one that does and is not known is an error: what was meant to
// confine must not be passed over for a wrong letter.
inline constexpr std::string_view kOwnAnnotations = "run.berth.";

inline constexpr std::string_view kBox = "run.berth.box";
inline constexpr std::string_view kCoreScheduling = "run.berth.core-sched";
inline constexpr std::string_view kInterfaces = "run.berth.interfaces";
inline constexpr std::string_view kMergePages = "run.berth.ksm";
inline constexpr std::string_view kLandlockExecute = "run.berth.landlock.execute";
inline constexpr std::string_view kLandlockRead = "run.berth.landlock.read";
inline constexpr std::string_view kLandlockWrite = "run.berth.landlock.write";
inline constexpr std::string_view kMemoryDenyWriteExecute = "run.berth.mdwe";
inline constexpr std::string_view kHugePages = "run.berth.thp";

// The peers': "org.systemd.property.TimeoutStopUSec" is a property of the container's unit.
inline constexpr std::string_view kUnitProperty = "org.systemd.property.";

// Whether an annotation of that name is one of them, or one of berth's own that is not known.
bool may_have_effect(std::string_view name);

// All of them.
std::span<const std::string_view> annotations_with_effect();

}  // namespace berth::spec
