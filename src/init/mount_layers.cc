// SPDX-License-Identifier: Apache-2.0
// An overlay of more layers than one option of fsconfig(2) holds, on Linux before 6.8, which does
// not take them one by one: mount(2) has a page for all options, and a layer that is open has a
// short name, its number in /proc/self/fd.
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <charconv>

#include "init/mount_item.h"
#include "os/mount.h"

namespace berth::init {
namespace {

class Page {
 public:
  void add(std::string_view text) {
    is_full_ = is_full_ || text.size() >= sizeof text_ - size_;
    if (!is_full_) size_ += text.copy(text_ + size_, text.size());
  }
  void add(int number) {
    char digits[12];
    add(std::string_view(digits, std::to_chars(digits, digits + sizeof digits, number).ptr));
  }
  bool is_full() const { return is_full_; }
  const char* text() const { return text_; }

 private:
  char text_[4096] = {};
  size_t size_ = 0;
  bool is_full_ = false;
};

int add_layer(const plan::FilesystemOption& option, bool first, Page& page) {
  const ChildFd layer(::open(option.value->c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!layer) return -errno;
  page.add(first ? ",lowerdir=" : option.key == "datadir+" ? "::" : ":");
  page.add(layer.get());
  return 0;
}

// ",lowerdir=10:11::12,upperdir=/a": plan_overlay() has left the layers beside each other.
int add_options(const plan::MountItem& item, Page& page) {
  bool first = true;
  for (const plan::FilesystemOption& option : item.options) {
    if (option.key == "lowerdir+" || option.key == "datadir+") {
      const int result = add_layer(option, first, page);
      if (result < 0) return result;
      first = false;
      continue;
    }
    if (option.value && option.value->contains(',')) return -EINVAL;
    page.add(",");
    page.add(option.key);
    if (!option.value) continue;
    page.add("=");
    page.add(*option.value);
  }
  return page.is_full() ? -E2BIG : 0;
}

int mount_by_numbers(const plan::MountItem& item, int target) {
  Page options;
  const int result = add_options(item, options);
  if (result < 0) return result;
  Page place;
  place.add(target);
  if (::chdir("/proc/self/fd") < 0) return -errno;
  const char* source = item.source.empty() ? nullptr : item.source.c_str();
  return os::mount_here(source, place.text(), item.fs_type.c_str(), 0, options.text());
}

}  // namespace

StepResult mount_layers(const MountContext& mount, int target, const Failure& refused) {
  const plan::MountItem& item = mount.item;
  mount.init.working = -1;
  if (mount_by_numbers(item, target) < 0) return std::unexpected(refused);
  const ChildFd made(os::RootDir(mount.init.root).open(item.target.c_str()));
  struct statfs filesystem;
  const bool is_there =
      made && ::fstatfs(made.get(), &filesystem) == 0 && filesystem.f_type == OVERLAYFS_SUPER_MAGIC;
  if (!is_there) return mount.failed(Action::Attach, made ? EXDEV : made.get());
  if (item.readonly_late) mount.init.prepared.late_mounts[mount.index] = made.get();
  const uint64_t late = item.readonly_late ? uint64_t{MOUNT_ATTR_RDONLY} : 0;
  const int result =
      os::set_attached_attributes(made.get(), item.attr_set & ~late, item.attr_clear);
  if (result < 0) return mount.failed(Action::SetAttributes, result);
  return set_propagations(mount, made.get());
}

}  // namespace berth::init
