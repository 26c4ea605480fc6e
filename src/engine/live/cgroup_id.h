// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace berth::engine {

// The id of a container in /proc/PID/cgroup, as the engines of the field name cgroups: 64
// hexadecimal digits anywhere in a path (Docker, containerd, CRI-O, Podman, isulad), a unit
// "ENGINE-ID.scope", "lxc.payload.NAME", else the last folder of a path. Empty: in no cgroup of its
// own, or in one of a service or a session of systemd.
std::string id_in_cgroups(std::string_view text);

}  // namespace berth::engine
