// SPDX-License-Identifier: Apache-2.0
#include "init/passwd.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>

#include "os/fd.h"

namespace berth::init {
namespace {

constexpr size_t kMaxFile = 1 << 20;
constexpr int kUidField = 2;
constexpr int kHomeField = 5;

// name:password:uid:gid:comment:home:shell
class PasswdReader {
 public:
  PasswdReader(uid_t uid, char* home) : home_(home) {
    *std::to_chars(uid_, uid_ + sizeof uid_ - 1, uid).ptr = '\0';
  }

  // True when the line of the user has been read.
  bool feed(const char* text, size_t size) {
    for (size_t index = 0; index < size; ++index) {
      if (text[index] == '\n') {
        if (end_line()) return true;
      } else if (text[index] == ':') {
        ++field_;
        if (field_ == kUidField + 1) matches_ = matches_ && uid_length_ == strlen(uid_);
      } else {
        take(text[index]);
      }
    }
    return false;
  }
  bool end_line() {
    const bool found = field_ >= kHomeField && matches_ && home_length_ > 0;
    if (found) home_[home_length_] = '\0';
    field_ = 0;
    uid_length_ = home_length_ = 0;
    matches_ = true;
    return found;
  }

 private:
  void take(char letter) {
    if (field_ == kUidField) {
      matches_ = matches_ && uid_length_ < strlen(uid_) && uid_[uid_length_] == letter;
      ++uid_length_;
    } else if (field_ == kHomeField && home_length_ < PATH_MAX - 1) {
      home_[home_length_++] = letter;
    }
  }

  char uid_[16] = {};
  char* home_;
  int field_ = 0;
  size_t uid_length_ = 0, home_length_ = 0;
  bool matches_ = true;
};

}  // namespace

void read_home(uid_t uid, char* slot) {
  memcpy(slot, "HOME=/", 7);
  const os::UniqueFd file(::open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status;
  if (!file || ::fstat(file.get(), &status) < 0 || !S_ISREG(status.st_mode)) return;
  PasswdReader reader(uid, slot + 5);
  char text[4096];
  bool found = false;
  for (size_t total = 0; total < kMaxFile && !found;) {
    const ssize_t size = ::read(file.get(), text, sizeof text);
    if (size <= 0) {
      found = reader.end_line();
      break;
    }
    found = reader.feed(text, static_cast<size_t>(size));
    total += static_cast<size_t>(size);
  }
  if (!found) memcpy(slot, "HOME=/", 7);
}

}  // namespace berth::init
