// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace berth::security {

// Columns of syscall_table.inc, in its order.
enum class Abi : uint8_t {
  X86,
  X86_64,
  X32,
  Arm,
  Aarch64,
  Mips,
  Mips64,
  Mips64N32,
  Parisc,
  Parisc64,
  Ppc,
  Ppc64,
  Riscv64,
  S390,
  S390X,
  None,  // a name of the specification for which there is no table
};

inline constexpr uint32_t kX32Bit = 0x40000000;
inline constexpr uint32_t kArmPrivate = 0x0f0000;  // numbers from here on are Arm's own

// One architecture of config.json.
struct Architecture {
  std::string_view name = {};  // "SCMP_ARCH_X86_64"
  uint32_t audit = 0;          // seccomp_data.arch: AUDIT_ARCH_*
  Abi abi = Abi::None;
  bool wide = false;  // compares 64 bits of an argument
  bool big_endian = false;
  bool multiplexed = false;  // has socketcall(2) and ipc(2)
};

const Architecture* find_architecture(std::string_view name);
const Architecture& native_architecture();

// A name of the table, or -1.
int find_syscall(std::string_view name);
// Its number there, or -1. With the x32 bit on x32.
int64_t syscall_number(int syscall, const Architecture& architecture);

// The first argument of socketcall(2) or ipc(2) that stands for this call.
struct Multiplexed {
  uint32_t number = 0;  // of socketcall or ipc
  uint32_t call = 0;
};
// call 0: not multiplexed on that architecture.
Multiplexed find_multiplexed(int syscall, const Architecture& architecture);

}  // namespace berth::security
