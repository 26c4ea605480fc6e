// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"
#include "engine/record.h"
#include "os/fd.h"

namespace berth::engine {

inline constexpr const char* kGateFile = "gate";
inline constexpr const char* kNotifySocket = "notify/notify.sock";

// Letters, digits, '_', '+', '-', '.'; not "." or ".."; at most 1024 bytes.
Result<> check_id(std::string_view id);

// What state.json holds: the first process, the time of its start and the record in a line each,
// then the config as it was read, or as an update has left it.
struct SavedState {
  Record record = {};
  std::string config = {};
};

// The directory of one container below the state root: state.json, the start gate, exit.json.
// Its lock is a flock on the directory itself: held by who changes the container.
class StateDir {
 public:
  StateDir() = default;

  // AlreadyExists when the id is taken. Locked.
  static Result<StateDir> create(const std::string& root, std::string_view id);
  // NotFound when there is none. Not locked.
  static Result<StateDir> open(const std::string& root, std::string_view id);

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }
  explicit operator bool() const { return static_cast<bool>(fd_); }

  // Waits for the lock. NotFound when the directory was removed meanwhile.
  Result<> lock() const;
  Result<bool> is_locked() const;  // by somebody, now
  void unlock() const;

  // state.json, without a process: it is being made.
  Result<> write_intent(const Record& record, std::string_view config);
  // Adds the first process: the container was made. Only by who wrote the intent.
  Result<> write_process(const Record& record) const;
  // Record and config anew, in one step: readers see the old ones or the new. Must be locked.
  Result<> replace(const Record& record, std::string_view config) const;
  // Its program was let go. Must be locked.
  Result<> write_started(int64_t nanoseconds) const;
  Result<SavedState> read() const;
  // The record's annotations, which have to be parsed out of the config, are left out.
  Result<SavedState> read_without_annotations() const;
  Result<std::string> read_config() const;

  // FIFO opened O_RDWR: init inherits it and waits for one byte.
  Result<os::UniqueFd> make_gate(const std::string& name = kGateFile) const;
  Result<> rename_gate(const std::string& from, const std::string& to) const;
  bool has_gate() const;
  Result<os::UniqueFd> open_gate(const std::string& name = kGateFile) const;
  void remove_gate(const std::string& name = kGateFile) const;

  // exit.json: how the first process ended. Empty: nobody has written it. Must be locked to write.
  Result<std::string> read_exit() const;
  Result<> write_exit(std::string_view text) const;

  // Removes the directory and its files. Must be locked.
  Result<> remove() const;

 private:
  Result<std::string> read_state() const;
  StateDir(os::UniqueFd root, os::UniqueFd fd, std::string id, std::string path);
  os::UniqueFd root_;
  os::UniqueFd fd_;
  os::UniqueFd state_file_;  // of who wrote the intent
  std::string id_;
  std::string path_;
};

// The names in the state root, sorted; none when there is none yet.
Result<std::vector<std::string>> list_ids(const std::string& root);

// /proc/sys/kernel/random/boot_id
std::string boot_id();

}  // namespace berth::engine
