// SPDX-License-Identifier: Apache-2.0
// The first instructions of the program, before the C library is set up. A command that enters
// containers must not run from the host's binary (engine/self_protect.cc): it is run again from a
// read-only mount that is in no namespace. Doing that here costs one execve; doing it in main()
// would set the C library up twice, which is most of what such a command costs.
//
// Nothing but system calls works yet: no relocated pointers, no thread-local storage, no libc.
// Whatever fails is left to main(), which tries again, has a second way, and can tell why.
#include <elf.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>

namespace {

constexpr int kTreeFlags = 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC;

// The arguments of a system call.
struct Words {
  long first = 0, second = 0, third = 0, fourth = 0, fifth = 0;
};

#if defined(__x86_64__)

// The kernel leaves the arguments on the stack, where _start of the C library will look for them.
asm(R"(
  .text
  .globl berth_entry
  .hidden berth_entry
  .type berth_entry, @function
berth_entry:
  xor %ebp, %ebp
  mov %rsp, %rdi
  call berth_protect_early
  xor %edx, %edx
  jmp _start
)");

long call(long number, const Words& words) {
  register long r10 asm("r10") = words.fourth;
  register long r8 asm("r8") = words.fifth;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(words.first), "S"(words.second), "d"(words.third), "r"(r10),
                 "r"(r8)
               : "rcx", "r11", "memory");
  return result;
}

#elif defined(__aarch64__)

asm(R"(
  .text
  .globl berth_entry
  .hidden berth_entry
  .type berth_entry, %function
berth_entry:
  mov x29, #0
  mov x30, #0
  mov x0, sp
  bl berth_protect_early
  mov x0, #0
  mov x30, #0
  b _start
)");

long call(long number, const Words& words) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = words.first;
  register long x1 asm("x1") = words.second;
  register long x2 asm("x2") = words.third;
  register long x3 asm("x3") = words.fourth;
  register long x4 asm("x4") = words.fifth;
  asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
}

#endif

template <typename T>
long address(const T* pointer) {
  return reinterpret_cast<long>(pointer);
}

bool equal(const char* left, const char* right) {
  while (*left != '\0' && *left == *right) {
    ++left;
    ++right;
  }
  return *left == *right;
}

// Any word will do, the command or another: to be protected too often costs nothing but time.
bool enters_containers(const char* const* words) {
  for (; *words != nullptr; ++words) {
    if (equal(*words, "create") || equal(*words, "exec")) return true;
  }
  return false;
}

// The kernel names a program that was run by descriptor after that: this one is the copy.
bool runs_by_descriptor(const Elf64_auxv_t* auxiliary) {
  constexpr char kPrefix[] = "/dev/fd/";
  for (; auxiliary->a_type != AT_NULL; ++auxiliary) {
    if (auxiliary->a_type != AT_EXECFN) continue;
    const char* name = reinterpret_cast<const char*>(auxiliary->a_un.a_val);
    for (unsigned at = 0; at + 1 < sizeof kPrefix; ++at) {
      if (name[at] != kPrefix[at]) return false;
    }
    return true;
  }
  return false;
}

}  // namespace

extern "C" [[gnu::visibility("hidden")]] void berth_protect_early(long* stack) {
  const long count = stack[0];
  const auto* words = reinterpret_cast<const char* const*>(stack + 1);
  if (count < 2 || !enters_containers(words + 1)) return;
  const auto* environment = words + count + 1;
  const auto* end = environment;
  while (*end != nullptr) ++end;
  if (runs_by_descriptor(reinterpret_cast<const Elf64_auxv_t*>(end + 1))) return;
  const char* self = "/proc/self/exe";
  const long tree = call(SYS_open_tree, {AT_FDCWD, address(self), kTreeFlags});
  if (tree < 0) return;
  struct mount_attr attributes;
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  attributes.attr_clr = 0;
  attributes.propagation = 0;
  attributes.userns_fd = 0;
  const long size = sizeof attributes;
  const Words readonly{tree, address(""), AT_EMPTY_PATH, address(&attributes), size};
  const Words again{tree, address(""), address(words), address(environment), AT_EMPTY_PATH};
  if (call(SYS_mount_setattr, readonly) == 0) call(SYS_execveat, again);
  call(SYS_close, {tree});
}
