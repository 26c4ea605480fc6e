// SPDX-License-Identifier: Apache-2.0
#include "os/kernel_log.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <string_view>

namespace berth::os {
namespace {

constexpr size_t kMostBytes = 8192;  // of one record, in the kernel too

// "6,1234,5140900,-;message\n KEY=value\n": the message.
std::string message_of(std::string_view record) {
  const size_t start = record.find(';');
  if (start == record.npos) return {};
  record.remove_prefix(start + 1);
  return std::string(record.substr(0, record.find('\n')));
}

}  // namespace

KernelLog KernelLog::open_at_end() {
  KernelLog log;
  log.file_.reset(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (log.file_ && ::lseek(log.file_.get(), 0, SEEK_END) < 0) log.file_.reset();
  return log;
}

std::vector<std::string> KernelLog::take() {
  std::vector<std::string> messages;
  char record[kMostBytes];
  while (file_) {
    const ssize_t size = ::read(file_.get(), record, sizeof record);
    if (size > 0) {
      messages.push_back(message_of({record, static_cast<size_t>(size)}));
    } else if (size == 0 || (errno != EPIPE && errno != EINTR)) {
      break;  // EPIPE: some were lost, the next read goes on behind them
    }
  }
  return messages;
}

}  // namespace berth::os
