// SPDX-License-Identifier: Apache-2.0
#include "engine/live/lxcfs_visit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "berth/try.h"
#include "core/context.h"
#include "init/mounted.h"
#include "os/file.h"
#include "os/mount.h"
#include "os/process.h"

namespace berth::engine {
namespace {

constexpr const char* kLocked = "over a dead one that the container's namespace holds fast";

bool same_file(int one, const char* other) {
  struct stat a;
  struct stat b;
  return ::fstat(one, &a) == 0 && ::stat(other, &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

// Nothing of it can be changed, nothing follows from the host, no device, no program.
Result<os::UniqueFd> clone_file(const OfferedFile& offered) {
  constexpr uint64_t kAttributes =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  os::UniqueFd made(os::clone_mount(offered.file.get(), "", false));
  int result = made ? 0 : made.get();
  if (result == 0) result = os::make_private(made.get(), kAttributes);
  if (result == 0) return made;
  return system_error(-result, "open {} of lxcfs", offered.path);
}

}  // namespace

Result<> LxcfsVisit::open() {
  process_ = TRY(os::open_pidfd(container_.pid));
  const std::string folder = formatted("/proc/{}/", container_.pid);
  os::UniqueFd mounts = TRY(os::open_at(AT_FDCWD, (folder + "ns/mnt").c_str(), O_RDONLY));
  root_ = TRY(os::open_at(AT_FDCWD, (folder + "root").c_str(), O_PATH | O_DIRECTORY));
  if (same_file(mounts.get(), "/proc/self/ns/mnt"))
    return fail(ErrorKind::WrongState, "its mounts are those of the host");
  mount_namespace_ = std::move(mounts);
  return {};
}

Result<std::vector<os::MountEntry>> LxcfsVisit::read_mounts() {
  if (!mount_namespace_) TRY(open());
  return os::mounts_of(formatted("{}", container_.pid));
}

// What fails is told when it is looked at again.
void LxcfsVisit::look_ahead() {
  if (auto mounts = read_mounts()) seen_ = std::move(*mounts);
}

Result<> LxcfsVisit::look() {
  const std::vector<os::MountEntry> mounts =
      seen_ ? std::exchange(seen_, {}).value() : TRY(read_mounts());
  std::vector<std::string> wanted;
  if (action_ == LxcfsAction::Mount) {
    for (const OfferedFile& file : source_.files) wanted.push_back(file.path);
  }
  places_ = find_places(mounts, container_.rootfs, wanted);
  // The pid may have become another's while it was looked at.
  if (TRY(os::wait_exit(process_.get(), 0))) return fail(ErrorKind::WrongState, "it has ended");
  const auto offered = [&](const std::string& path) {
    const auto found = std::ranges::find(source_.files, path, &OfferedFile::path);
    return found == source_.files.end() ? nullptr : &*found;
  };
  for (const LxcfsPlace& place : places_) plan(place.path, &place, offered(place.path));
  for (const std::string& path : wanted) {
    if (std::ranges::find(places_, path, &LxcfsPlace::path) == places_.end())
      plan(path, nullptr, offered(path));
  }
  return {};
}

void LxcfsVisit::plan(const std::string& path, const LxcfsPlace* place,
                      const OfferedFile* offered) {
  const bool is_current = place != nullptr && place->layers.size() == 1 &&
                          !source_.device.empty() && place->device == source_.device;
  if (place != nullptr && place->is_covered)
    return add(path, LxcfsResult::Skipped, "something else is mounted there");
  if (is_current && action_ != LxcfsAction::Unmount) {
    // Whoever mounted it may have been killed before it was recorded.
    if (action_ != LxcfsAction::Look)
      changed_.push_back({.path = path, .id = place->layers[0], .device = place->device});
    return add(path, LxcfsResult::Current);
  }
  if (place != nullptr && place->layers.size() > init::kMaxLayers)
    return add(path, LxcfsResult::Failed, "too many mounts lie on one another");
  const bool offers = action_ == LxcfsAction::Mount || action_ == LxcfsAction::Remount;
  tasks_.push_back(
      {.place = place, .offered = offers ? offered : nullptr, .file = report_.files.size()});
  add(path, LxcfsResult::Failed);
}

void LxcfsVisit::add(const std::string& path, LxcfsResult result, std::string reason) {
  report_.files.push_back({.path = path, .result = result, .reason = std::move(reason)});
}

Result<> LxcfsVisit::prepare() {
  work_ = TRY(Work::make(tasks_.size()));
  work_->container = process_.get();
  work_->lock = mount_namespace_.get();
  work_->root = root_.get();
  if (!container_.rootfs.empty()) work_->rootfs = container_.rootfs.c_str();
  texts_.resize(tasks_.size() * 2);
  for (size_t i = 0; i < tasks_.size(); ++i) {
    const Task& task = tasks_[i];
    const std::string& path = report_.files[task.file].path;
    const size_t slash = path.rfind('/');
    texts_[2 * i] = path.substr(0, slash);
    texts_[2 * i + 1] = path.substr(slash + 1);
    init::LxcfsItem& item = work_->items[i];
    item.changes = action_ != LxcfsAction::Look;
    item.directory = texts_[2 * i].c_str();
    item.name = texts_[2 * i + 1].c_str();
    if (task.place != nullptr) {
      std::ranges::copy(task.place->layers, item.layers);
      item.count = task.place->layers.size();
      // What lies under one of ours is dead; another's may be one of an lxcfs of its own.
      item.asks = action_ != LxcfsAction::Unmount && task.place->device != source_.device;
    }
    if (task.offered == nullptr) continue;
    made_.push_back(TRY(clone_file(*task.offered)));
    item.mount = made_.back().get();
  }
  return {};
}

init::LxcfsWork* LxcfsVisit::begin() {
  if (!must_look_) return nullptr;
  must_look_ = false;
  report_.files.clear();
  changed_.clear();
  tasks_.clear();
  made_.clear();
  work_ = Work();
  Result<> done = look();
  if (done && !tasks_.empty()) done = prepare();
  if (done) return work_ ? &*work_ : nullptr;
  work_ = Work();
  report_.error = done.error().message();
  // Also when its files in /proc went while they were looked at.
  report_.has_ended =
      report_.has_ended || !process_ || os::wait_exit(process_.get(), 0).value_or(true);
  return nullptr;
}

void LxcfsVisit::take_outcome(const Task& task, const init::LxcfsItem& item) {
  LxcfsFile& file = report_.files[task.file];
  const bool was_there = task.place != nullptr;
  const auto told = [&](LxcfsResult result, std::string reason = {}) {
    file.result = result;
    file.reason = std::move(reason);
  };
  switch (item.step) {
    case init::LxcfsStep::Kept:
    case init::LxcfsStep::Alive: return told(LxcfsResult::Current);
    case init::LxcfsStep::Dead: return told(LxcfsResult::Stale);
    case init::LxcfsStep::Attached:
    case init::LxcfsStep::Replaced:
      return told(was_there ? LxcfsResult::Healed : LxcfsResult::Mounted);
    case init::LxcfsStep::Covered: return told(LxcfsResult::Healed, kLocked);
    case init::LxcfsStep::Removed:
      return told(LxcfsResult::Unmounted,
                  action_ == LxcfsAction::Remount ? "lxcfs has it no longer" : "");
    case init::LxcfsStep::Absent:
      return told(LxcfsResult::Skipped, "the container has no such file");
    case init::LxcfsStep::Foreign:
      return told(LxcfsResult::Skipped, "its directory is not the kernel's");
    case init::LxcfsStep::Changed:
      must_look_ = true;
      return told(LxcfsResult::Failed, "its mounts change all the time");
    case init::LxcfsStep::Failed:
      return told(LxcfsResult::Failed, Error::system(item.error, "mount or unmount").message());
  }
}

// For the record.
void LxcfsVisit::note(const LxcfsFile& file, const init::LxcfsItem& item) {
  switch (file.result) {
    case LxcfsResult::Mounted:
    case LxcfsResult::Healed:
      changed_.push_back({.path = file.path,
                          .id = init::id_of_mount(item.mount),
                          .device = source_.device,
                          .is_new = file.result == LxcfsResult::Mounted});
      return;
    case LxcfsResult::Unmounted: changed_.push_back({.path = file.path}); return;
    default: return;
  }
}

void LxcfsVisit::end() {
  if (!work_) return;
  mount_namespace_.reset();  // and its lock, if the process could not give it back
  if (!work_->is_done) {
    report_.error = Error::system(ETIMEDOUT, "a filesystem of it hangs").message();
  } else if (work_->error != 0) {
    report_.error = Error::system(work_->error, "enter its mount namespace").message();
  } else {
    for (size_t i = 0; i < tasks_.size(); ++i) {
      take_outcome(tasks_[i], work_->items[i]);
      note(report_.files[tasks_[i].file], work_->items[i]);
    }
  }
  work_ = Work();
  if (!report_.error.empty()) report_.files.clear();
}

LxcfsReport LxcfsVisit::report() && {
  if (!container_.state_root.empty() && !changed_.empty()) {
    const Result<> written = record_lxcfs(container_, changed_, source_);
    if (!written) report_.error = written.error().message();
  }
  return std::move(report_);
}

}  // namespace berth::engine
