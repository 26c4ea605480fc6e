// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace berth::test {

// The program's answer for one system call, as the kernel's check and machine would have it (the
// instructions that seccomp(2) accepts and compilers emit); nullopt: a jump outside, no RET, or one
// unknown.
inline std::optional<uint32_t> run_bpf(std::span<const sock_filter> code,
                                       const seccomp_data& data) {
  uint32_t a = 0;
  for (size_t at = 0; at < code.size(); ++at) {
    const sock_filter& step = code[at];
    const auto jump = [&](bool holds) { at += holds ? step.jt : step.jf; };
    switch (step.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (step.k % 4 != 0 || step.k + 4 > sizeof data) return {};
        std::memcpy(&a, reinterpret_cast<const char*>(&data) + step.k, 4);
        break;
      case BPF_ALU | BPF_AND | BPF_K: a &= step.k; break;
      case BPF_JMP | BPF_JA: at += step.k; break;
      case BPF_JMP | BPF_JEQ | BPF_K: jump(a == step.k); break;
      case BPF_JMP | BPF_JGT | BPF_K: jump(a > step.k); break;
      case BPF_JMP | BPF_JGE | BPF_K: jump(a >= step.k); break;
      case BPF_JMP | BPF_JSET | BPF_K: jump((a & step.k) != 0); break;
      case BPF_RET | BPF_K: return step.k;
      default: return {};
    }
  }
  return {};
}

}  // namespace berth::test
