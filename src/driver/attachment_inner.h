// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "berth/attachment.h"
#include "os/fd.h"

namespace berth {

struct [[gnu::visibility("hidden")]] Attachment::Inner {
  os::UniqueFd socket = {};
};

namespace driver {

// WrongState: nobody listens there.
Result<Attachment> attach_at(const std::string& path, std::string_view id);

}  // namespace driver
}  // namespace berth
