// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

// Copying one file to another filesystem, by descriptor and without following a link. Usable after
// clone. Returns 0 or -errno.
namespace berth::os {

// Contents of a regular file: at most size bytes, holes stay holes.
int copy_content(int from, int to, off_t size);

// A name in a directory; "." is the directory itself. Never followed when it is a link.
struct EntryName {
  int directory;
  const char* name;
};

// Memory for extended attributes: what the kernel gives at most (XATTR_LIST_MAX, XATTR_SIZE_MAX).
struct AttributeBuffer {
  char names[65536];
  char value[65536];
};

// Extended attributes, access control lists and capabilities of files among them. What the other
// filesystem or the caller's user namespace does not allow is left out.
int copy_extended_attributes(EntryName from, EntryName to, AttributeBuffer& buffer);

}  // namespace berth::os
