// SPDX-License-Identifier: Apache-2.0
#include "security/seccomp_names.h"

#include <linux/audit.h>

#include <algorithm>
#include <array>

namespace berth::security {
namespace {

constexpr size_t kAbis = static_cast<size_t>(Abi::None);

constexpr int16_t kNumbers[][kAbis] = {
#define BERTH_SYSCALL(name, ...) {__VA_ARGS__},
#include "security/syscall_table.inc"
#undef BERTH_SYSCALL
};
constexpr size_t kCount = std::size(kNumbers);

// One text and the ends of the names in it: a list of pointers would have to be relocated at each
// start, two pages of it.
constexpr char kText[] =
#define BERTH_SYSCALL(name, ...) name
#include "security/syscall_table.inc"
#undef BERTH_SYSCALL
    ;
constexpr auto kEnds = [] {
  std::array<uint16_t, kCount + 1> ends{};
  size_t at = 0;
#define BERTH_SYSCALL(name, ...)                                    \
  ends[at + 1] = static_cast<uint16_t>(ends[at] + sizeof name - 1); \
  ++at;
#include "security/syscall_table.inc"
#undef BERTH_SYSCALL
  return ends;
}();

constexpr std::string_view name_at(size_t syscall) {
  return {kText + kEnds[syscall], static_cast<size_t>(kEnds[syscall + 1] - kEnds[syscall])};
}

// -1000 - n stands for kArmPrivate + n, see scripts/gen_syscall_tables.py.
constexpr int kPrivateMark = -1000;

constexpr size_t kSlots = 2048;

constexpr size_t slot_of(std::string_view name) {
  uint32_t hash = 2166136261U;
  for (const char letter : name) hash = (hash ^ static_cast<uint8_t>(letter)) * 16777619U;
  return (hash ^ (hash >> 15)) % kSlots;
}

// Open addressing; a slot holds the index plus one.
constexpr auto kIndex = [] {
  std::array<uint16_t, kSlots> index{};
  for (size_t i = 0; i < kCount; ++i) {
    size_t slot = slot_of(name_at(i));
    while (index[slot] != 0) slot = (slot + 1) % kSlots;
    index[slot] = static_cast<uint16_t>(i + 1);
  }
  return index;
}();

#ifndef AUDIT_ARCH_LOONGARCH64
#define AUDIT_ARCH_LOONGARCH64 0xC0000102
#endif

constexpr uint32_t kN32 = 0x20000000;  // __AUDIT_ARCH_CONVENTION_MIPS64_N32

// LoongArch has the generic numbers, as RISC-V; those that it left out do not exist there.
constexpr Architecture kArchitectures[] = {
    {"SCMP_ARCH_X86", AUDIT_ARCH_I386, Abi::X86, false, false, true},
    {"SCMP_ARCH_X86_64", AUDIT_ARCH_X86_64, Abi::X86_64, true, false, false},
    {"SCMP_ARCH_X32", AUDIT_ARCH_X86_64, Abi::X32, false, false, false},
    {"SCMP_ARCH_ARM", AUDIT_ARCH_ARM, Abi::Arm, false, false, false},
    {"SCMP_ARCH_AARCH64", AUDIT_ARCH_AARCH64, Abi::Aarch64, true, false, false},
    {"SCMP_ARCH_MIPS", AUDIT_ARCH_MIPS, Abi::Mips, false, true, true},
    {"SCMP_ARCH_MIPS64", AUDIT_ARCH_MIPS64, Abi::Mips64, true, true, false},
    {"SCMP_ARCH_MIPS64N32", AUDIT_ARCH_MIPS64 | kN32, Abi::Mips64N32, false, true, false},
    {"SCMP_ARCH_MIPSEL", AUDIT_ARCH_MIPSEL, Abi::Mips, false, false, true},
    {"SCMP_ARCH_MIPSEL64", AUDIT_ARCH_MIPSEL64, Abi::Mips64, true, false, false},
    {"SCMP_ARCH_MIPSEL64N32", AUDIT_ARCH_MIPSEL64 | kN32, Abi::Mips64N32, false, false, false},
    {"SCMP_ARCH_PPC", AUDIT_ARCH_PPC, Abi::Ppc, false, true, true},
    {"SCMP_ARCH_PPC64", AUDIT_ARCH_PPC64, Abi::Ppc64, true, true, true},
    {"SCMP_ARCH_PPC64LE", AUDIT_ARCH_PPC64LE, Abi::Ppc64, true, false, true},
    {"SCMP_ARCH_S390", AUDIT_ARCH_S390, Abi::S390, false, true, true},
    {"SCMP_ARCH_S390X", AUDIT_ARCH_S390X, Abi::S390X, true, true, true},
    {"SCMP_ARCH_PARISC", AUDIT_ARCH_PARISC, Abi::Parisc, false, true, false},
    {"SCMP_ARCH_PARISC64", AUDIT_ARCH_PARISC64, Abi::Parisc64, true, true, false},
    {"SCMP_ARCH_RISCV64", AUDIT_ARCH_RISCV64, Abi::Riscv64, true, false, false},
    {"SCMP_ARCH_LOONGARCH64", AUDIT_ARCH_LOONGARCH64, Abi::Riscv64, true, false, false},
    {"SCMP_ARCH_M68K", AUDIT_ARCH_M68K, Abi::None, false, true, true},
    {"SCMP_ARCH_SH", AUDIT_ARCH_SHEL, Abi::None, false, false, true},
    {"SCMP_ARCH_SHEB", AUDIT_ARCH_SH, Abi::None, false, true, true},
};

#if defined(__x86_64__)
constexpr std::string_view kNative = "SCMP_ARCH_X86_64";
#elif defined(__aarch64__)
constexpr std::string_view kNative = "SCMP_ARCH_AARCH64";
#elif defined(__riscv) && __riscv_xlen == 64
constexpr std::string_view kNative = "SCMP_ARCH_RISCV64";
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
constexpr std::string_view kNative = "SCMP_ARCH_PPC64LE";
#elif defined(__s390x__)
constexpr std::string_view kNative = "SCMP_ARCH_S390X";
#elif defined(__loongarch64)
constexpr std::string_view kNative = "SCMP_ARCH_LOONGARCH64";
#else
#error "seccomp: name this architecture"
#endif

struct Call {
  std::string_view name;
  uint8_t call;
};

// linux/net.h and linux/ipc.h.
constexpr Call kSocketCalls[] = {
    {"socket", 1},    {"bind", 2},        {"connect", 3},     {"listen", 4},
    {"accept", 5},    {"getsockname", 6}, {"getpeername", 7}, {"socketpair", 8},
    {"send", 9},      {"recv", 10},       {"sendto", 11},     {"recvfrom", 12},
    {"shutdown", 13}, {"setsockopt", 14}, {"getsockopt", 15}, {"sendmsg", 16},
    {"recvmsg", 17},  {"accept4", 18},    {"recvmmsg", 19},   {"sendmmsg", 20},
};
constexpr Call kIpcCalls[] = {
    {"semop", 1},   {"semget", 2},  {"semctl", 3},  {"semtimedop", 4},
    {"msgsnd", 11}, {"msgrcv", 12}, {"msgget", 13}, {"msgctl", 14},
    {"shmat", 21},  {"shmdt", 22},  {"shmget", 23}, {"shmctl", 24},
};

constexpr int index_of(std::string_view name) {
  for (size_t slot = slot_of(name); kIndex[slot] != 0; slot = (slot + 1) % kSlots) {
    const int found = kIndex[slot] - 1;
    if (name_at(static_cast<size_t>(found)) == name) return found;
  }
  return -1;
}

// Per name: 0, its socketcall number, or 100 plus its ipc number.
constexpr uint8_t kIpcMark = 100;
constexpr auto kMultiplexed = [] {
  std::array<uint8_t, kCount> calls{};
  for (const Call& call : kSocketCalls) calls[index_of(call.name)] = call.call;
  for (const Call& call : kIpcCalls)
    calls[index_of(call.name)] = static_cast<uint8_t>(kIpcMark + call.call);
  return calls;
}();

}  // namespace

const Architecture* find_architecture(std::string_view name) {
  const auto* found = std::ranges::find(kArchitectures, name, &Architecture::name);
  return found == std::end(kArchitectures) ? nullptr : found;
}

const Architecture& native_architecture() { return *find_architecture(kNative); }

int find_syscall(std::string_view name) { return index_of(name); }

int64_t syscall_number(int syscall, const Architecture& architecture) {
  if (architecture.abi == Abi::None) return -1;
  const int number = kNumbers[syscall][static_cast<size_t>(architecture.abi)];
  if (number <= kPrivateMark) return kArmPrivate + static_cast<uint32_t>(kPrivateMark - number);
  if (number < 0) return -1;
  return architecture.abi == Abi::X32 ? number | kX32Bit : number;
}

Multiplexed find_multiplexed(int syscall, const Architecture& architecture) {
  const uint32_t call = kMultiplexed[syscall];
  if (call == 0 || !architecture.multiplexed) return {};
  constexpr int kSocketcall = index_of("socketcall");
  constexpr int kIpc = index_of("ipc");
  const bool is_ipc = call > kIpcMark;
  const int64_t number = syscall_number(is_ipc ? kIpc : kSocketcall, architecture);
  if (number < 0) return {};
  return {static_cast<uint32_t>(number), is_ipc ? call - kIpcMark : call};
}

}  // namespace berth::security
