// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "floor.h"

enum { kAny = -1, kMaxInstructions = 128 };

struct rule {
  char type;
  int major, minor, access;
};

enum {
  kMknod = BPF_DEVCG_ACC_MKNOD,
  kAll = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE
};

static const struct rule kRules[] = {
    {'c', kAny, kAny, kMknod}, {'b', kAny, kAny, kMknod}, {'c', 1, 3, kAll}, {'c', 1, 8, kAll},
    {'c', 1, 7, kAll},         {'c', 5, 0, kAll},         {'c', 1, 5, kAll}, {'c', 1, 9, kAll},
    {'c', 5, 2, kAll},         {'c', 136, kAny, kAll},
};

struct program {
  struct bpf_insn code[kMaxInstructions];
  int size;
};

static void emit(struct program* program, struct bpf_insn instruction) {
  if (program->size == kMaxInstructions) die("device program too long");
  program->code[program->size++] = instruction;
}

static void emit_compare(struct program* program, unsigned reg, int value) {
  if (value == kAny) return;
  emit(program,
       (struct bpf_insn){.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = reg & 15, .imm = value});
}

static void emit_return(struct program* program, int value) {
  emit(program,
       (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = value});
  emit(program, (struct bpf_insn){.code = BPF_JMP | BPF_EXIT});
}

// r2 type, r3 access, r4 major, r5 minor.
static void emit_prologue(struct program* program) {
  const uint8_t load = BPF_LDX | BPF_MEM | BPF_W;
  emit(program,
       (struct bpf_insn){.code = load, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_1, .off = 0});
  emit(program, (struct bpf_insn){
                    .code = BPF_ALU | BPF_MOV | BPF_X, .dst_reg = BPF_REG_3, .src_reg = BPF_REG_2});
  emit(program,
       (struct bpf_insn){.code = BPF_ALU | BPF_AND | BPF_K, .dst_reg = BPF_REG_2, .imm = 0xffff});
  emit(program,
       (struct bpf_insn){.code = BPF_ALU | BPF_RSH | BPF_K, .dst_reg = BPF_REG_3, .imm = 16});
  emit(program,
       (struct bpf_insn){.code = load, .dst_reg = BPF_REG_4, .src_reg = BPF_REG_1, .off = 4});
  emit(program,
       (struct bpf_insn){.code = load, .dst_reg = BPF_REG_5, .src_reg = BPF_REG_1, .off = 8});
}

static void emit_rule(struct program* program, const struct rule* rule) {
  const int first = program->size;
  emit_compare(program, BPF_REG_2, rule->type == 'c' ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK);
  if (rule->access != kAll) {
    emit(program,
         (struct bpf_insn){
             .code = BPF_ALU | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_3});
    emit(program,
         (struct bpf_insn){
             .code = BPF_ALU | BPF_AND | BPF_K, .dst_reg = BPF_REG_1, .imm = ~rule->access});
    emit_compare(program, BPF_REG_1, 0);
  }
  emit_compare(program, BPF_REG_4, rule->major);
  emit_compare(program, BPF_REG_5, rule->minor);
  emit_return(program, 1);
  for (int i = first; i < program->size; ++i) {
    struct bpf_insn* instruction = &program->code[i];
    if (instruction->code == (BPF_JMP | BPF_JNE | BPF_K))
      instruction->off = (int16_t)(program->size - i - 1);
  }
}

void device_rules_attach_v2(int cgroup) {
  struct program program = {.size = 0};
  emit_prologue(&program);
  for (size_t i = 0; i < sizeof kRules / sizeof *kRules; ++i) emit_rule(&program, &kRules[i]);
  emit_return(&program, 0);

  union bpf_attr load = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE};
  load.insns = (uintptr_t)program.code;
  load.insn_cnt = (uint32_t)program.size;
  load.license = (uintptr_t)"Apache-2.0";
  int loaded = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
  must(loaded, "load the device program");

  union bpf_attr attach = {.attach_type = BPF_CGROUP_DEVICE};
  attach.target_fd = (uint32_t)cgroup;
  attach.attach_bpf_fd = (uint32_t)loaded;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  must(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach), "attach the device program");
  close(loaded);
}

static int print_number(char* out, size_t size, int number) {
  return number == kAny ? snprintf(out, size, "*") : snprintf(out, size, "%d", number);
}

void device_rules_write_v1(const char* directory) {
  char path[256], text[64], major[16], minor[16];
  snprintf(path, sizeof path, "%s/devices.deny", directory);
  write_file(path, "a");
  snprintf(path, sizeof path, "%s/devices.allow", directory);
  int allow = open_or_die(path, O_WRONLY);
  for (size_t i = 0; i < sizeof kRules / sizeof *kRules; ++i) {
    print_number(major, sizeof major, kRules[i].major);
    print_number(minor, sizeof minor, kRules[i].minor);
    int size = snprintf(text, sizeof text, "%c %s:%s %s", kRules[i].type, major, minor,
                        kRules[i].access == kAll ? "rwm" : "m");
    must(write(allow, text, (size_t)size), "write devices.allow");
  }
  close(allow);
}
