// SPDX-License-Identifier: Apache-2.0
// The first instructions of the program, before the C library is set up. A command that enters
// containers must not run from the host's binary (engine/self_protect.cc): it is run again from a
// read-only mount that is in no namespace. Doing that here costs one execve; doing it in main()
// would set the C library up twice, which is most of what such a command costs.
//
// Nothing but system calls works yet: no relocated pointers, no thread-local storage, no libc.
// Whatever fails is left to main(), which tries again, has a second way, and can tell why.
//
// The pages that every command touches are asked for here, too: docs/decisions/0025-pages-ahead.md.
#include <elf.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <sys/syscall.h>

extern "C" {
// Of the linker, and of cmake/text_order.ld.
[[gnu::visibility("hidden")]] extern const Elf64_Ehdr __ehdr_start;
#ifdef BERTH_ORDERED
[[gnu::visibility("hidden")]] extern const char berth_text_first[], berth_text_first_end[],
    berth_constants[], berth_constants_end[];
#endif
}

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
  call berth_begin
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
  bl berth_begin
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

// Beside the text: each page of constants that is touched here is another fault.
#define BERTH_WORD [[gnu::section(".entry_words")]] constexpr char
BERTH_WORD kCreate[] = "create";
BERTH_WORD kExec[] = "exec";
BERTH_WORD kByDescriptor[] = "/dev/fd/";
BERTH_WORD kSelf[] = "/proc/self/exe";
BERTH_WORD kNothing[] = "";

// Any word will do, the command or another: to be protected too often costs nothing but time.
bool enters_containers(const char* const* words) {
  for (; *words != nullptr; ++words) {
    if (equal(*words, kCreate) || equal(*words, kExec)) return true;
  }
  return false;
}

// What the kernel tells the program at its start: getauxval(3).
long auxiliary_value(const Elf64_auxv_t* auxiliary, unsigned long type) {
  for (; auxiliary->a_type != AT_NULL; ++auxiliary) {
    if (auxiliary->a_type == type) return static_cast<long>(auxiliary->a_un.a_val);
  }
  return 0;
}

// The kernel names a program that was run by descriptor after that: this one is the copy.
bool runs_by_descriptor(const Elf64_auxv_t* auxiliary) {
  const auto* name = reinterpret_cast<const char*>(auxiliary_value(auxiliary, AT_EXECFN));
  if (name == nullptr) return false;
  for (unsigned at = 0; at + 1 < sizeof kByDescriptor; ++at) {
    if (name[at] != kByDescriptor[at]) return false;
  }
  return true;
}

// Comes back if it has not worked.
void run_again_protected(const char* const* words, const char* const* environment) {
  const long tree = call(SYS_open_tree, {AT_FDCWD, address(kSelf), kTreeFlags});
  if (tree < 0) return;
  struct mount_attr attributes;
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  attributes.attr_clr = 0;
  attributes.propagation = 0;
  attributes.userns_fd = 0;
  const long size = sizeof attributes;
  const Words readonly{tree, address(kNothing), AT_EMPTY_PATH, address(&attributes), size};
  const Words again{tree, address(kNothing), address(words), address(environment), AT_EMPTY_PATH};
  if (call(SYS_mount_setattr, readonly) == 0) call(SYS_execveat, again);
  call(SYS_close, {tree});
}

// Pages between two addresses, all in one call. An older kernel than 5.14 knows no such advice.
void populate(long begin, long end, long page, long advice) {
  begin &= -page;
  call(SYS_madvise, {begin, end - begin, advice});
}

// Data that the C library relocates at once, what runs first, and the stack that main() needs.
void populate_pages(const long* stack, long page) {
  constexpr long kStack = 8;  // pages
  const long base = address(&__ehdr_start);
  const auto* const segments = reinterpret_cast<const Elf64_Phdr*>(base + __ehdr_start.e_phoff);
  for (int i = 0; i < __ehdr_start.e_phnum; ++i) {
    const Elf64_Phdr& segment = segments[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) == 0) continue;
    const long begin = base + static_cast<long>(segment.p_vaddr);
    populate(begin, begin + static_cast<long>(segment.p_memsz), page, MADV_POPULATE_WRITE);
  }
#ifdef BERTH_ORDERED
  populate(address(berth_text_first), address(berth_text_first_end), page, MADV_POPULATE_READ);
  populate(address(berth_constants), address(berth_constants_end), page, MADV_POPULATE_READ);
#endif
  populate(address(stack) - kStack * page, address(stack), page, MADV_POPULATE_WRITE);
}

}  // namespace

extern "C" [[gnu::visibility("hidden")]] void berth_begin(long* stack) {
  const long count = stack[0];
  const auto* const words = reinterpret_cast<const char* const*>(stack + 1);
  const auto* const environment = words + count + 1;
  const auto* end = environment;
  while (*end != nullptr) ++end;
  const auto* const auxiliary = reinterpret_cast<const Elf64_auxv_t*>(end + 1);
  if (count >= 2 && enters_containers(words + 1) && !runs_by_descriptor(auxiliary))
    run_again_protected(words, environment);
  const long page = auxiliary_value(auxiliary, AT_PAGESZ);
  if (page > 0) populate_pages(stack, page);
}
