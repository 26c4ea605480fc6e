// SPDX-License-Identifier: Apache-2.0
#include "os/copy.h"

#include <errno.h>
#include <limits.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

namespace berth::os {
namespace {

int send_range(int from, int to, off_t start, off_t end) {
  if (::lseek(to, start, SEEK_SET) < 0) return -errno;
  while (start < end) {
    const ssize_t sent = ::sendfile(to, from, &start, static_cast<size_t>(end - start));
    if (sent < 0) return -errno;
    if (sent == 0) return 0;  // it became shorter
  }
  return 0;
}

// "/proc/self/fd/N/name": there are no *xattrat calls before Linux 6.13. The magic link leads to
// the directory, and the l-forms of the calls do not follow the name.
struct EntryPath {
  explicit EntryPath(EntryName entry) {
    memcpy(text, "/proc/self/fd/", 14);
    char* end = std::to_chars(text + 14, text + 26, entry.directory).ptr;
    *end++ = '/';
    const size_t length = strlen(entry.name);
    fits = length <= NAME_MAX;
    memcpy(end, entry.name, fits ? length + 1 : 0);
  }
  char text[26 + NAME_MAX + 2];
  bool fits = false;
};

bool is_refused(int error) { return error == EOPNOTSUPP || error == EPERM; }

}  // namespace

int copy_content(int from, int to, off_t size) {
  for (off_t position = 0; position < size;) {
    off_t start = ::lseek(from, position, SEEK_DATA);
    if (start < 0 && errno == ENXIO) break;  // only a hole is left
    if (start < 0) start = position;         // a filesystem that does not know its holes
    off_t end = ::lseek(from, start, SEEK_HOLE);
    if (end <= start || end > size) end = size;
    const int result = send_range(from, to, start, end);
    if (result < 0) return result;
    position = end;
  }
  return ::ftruncate(to, size) < 0 ? -errno : 0;
}

int copy_extended_attributes(EntryName from, EntryName to, AttributeBuffer& buffer) {
  const EntryPath source(from);
  const EntryPath target(to);
  if (!source.fits || !target.fits) return -ENAMETOOLONG;
  const ssize_t size = ::llistxattr(source.text, buffer.names, sizeof buffer.names);
  if (size < 0) return is_refused(errno) ? 0 : -errno;
  for (const char* name = buffer.names; name < buffer.names + size; name += strlen(name) + 1) {
    const ssize_t length = ::lgetxattr(source.text, name, buffer.value, sizeof buffer.value);
    if (length < 0) {
      if (errno == ENODATA || is_refused(errno)) continue;
      return -errno;
    }
    if (::lsetxattr(target.text, name, buffer.value, static_cast<size_t>(length), 0) < 0 &&
        !is_refused(errno))
      return -errno;
  }
  return 0;
}

}  // namespace berth::os
