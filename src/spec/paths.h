// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace berth::spec {

// The path as seen from "/" without "", "." and ".." components; by its letters only, no file is
// looked at.
std::string cleaned_path(std::string_view path);

// "net.ipv4.conf.eth0/1.forwarding" or "net/ipv4/conf/eth0.1/forwarding" -> the path below
// /proc/sys. As sysctl(8): the first separator decides; the other one then is part of a name. Empty
// when a component is "", "." or "..".
std::string sysctl_path(std::string_view key);

}  // namespace berth::spec
