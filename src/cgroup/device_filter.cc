// SPDX-License-Identifier: Apache-2.0
#include "cgroup/device_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "berth/try.h"
#include "core/context.h"
#include "os/fd.h"

namespace berth::cgroup {
namespace {

using Exception = DevicePolicy::Exception;

long bpf(int command, bpf_attr& attributes) {
  return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

class Program {
 public:
  void emit(uint8_t code, uint8_t destination, uint8_t source, int16_t offset, int32_t value) {
    bpf_insn instruction = {};
    instruction.code = code;
    instruction.dst_reg = destination & 15;
    instruction.src_reg = source & 15;
    instruction.off = offset;
    instruction.imm = value;
    code_.push_back(instruction);
  }

  // r2 type, r3 access, r4 major, r5 minor.
  void load_request() {
    constexpr uint8_t kLoad = BPF_LDX | BPF_MEM | BPF_W;
    emit(kLoad, BPF_REG_2, BPF_REG_1, 0, 0);
    emit(BPF_ALU | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_2, 0, 0);
    emit(BPF_ALU | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);
    emit(BPF_ALU | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16);
    emit(kLoad, BPF_REG_4, BPF_REG_1, 4, 0);
    emit(kLoad, BPF_REG_5, BPF_REG_1, 8, 0);
  }

  // An allowing exception must cover all that is asked, a denying one any part of it.
  void answer_if_matches(const Exception& exception, bool allow) {
    const size_t first = code_.size();
    skip_unless_equal(BPF_REG_2, exception.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
    if (exception.access != kAllAccess) {
      emit(BPF_ALU | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_3, 0, 0);
      emit(BPF_ALU | BPF_AND | BPF_K, BPF_REG_1, 0, 0,
           static_cast<int32_t>(allow ? kAllAccess & ~exception.access : exception.access));
      emit(allow ? BPF_JMP | BPF_JNE | BPF_K : BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_1, 0, kToEnd, 0);
    }
    if (exception.major >= 0) skip_unless_equal(BPF_REG_4, static_cast<int32_t>(exception.major));
    if (exception.minor >= 0) skip_unless_equal(BPF_REG_5, static_cast<int32_t>(exception.minor));
    answer(allow);
    for (size_t index = first; index < code_.size(); ++index) {
      if (code_[index].off == kToEnd)
        code_[index].off = static_cast<int16_t>(code_.size() - index - 1);
    }
  }

  void answer(bool allow) {
    emit(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, allow ? 1 : 0);
    emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  }

  std::vector<bpf_insn> take() { return std::move(code_); }

 private:
  static constexpr int16_t kToEnd = -1;
  void skip_unless_equal(uint8_t source, int32_t value) {
    emit(BPF_JMP | BPF_JNE | BPF_K, source, 0, kToEnd, value);
  }

  std::vector<bpf_insn> code_;
};

Result<os::UniqueFd> load(const std::vector<bpf_insn>& code) {
  static constexpr char kLicense[] = "Apache-2.0";
  bpf_attr attributes = {};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = reinterpret_cast<uintptr_t>(code.data());
  attributes.insn_cnt = static_cast<uint32_t>(code.size());
  attributes.license = reinterpret_cast<uintptr_t>(kLicense);
  long fd = bpf(BPF_PROG_LOAD, attributes);
  if (fd < 0 && errno == EPERM) {
    // Linux before 5.11 charges programs to RLIMIT_MEMLOCK.
    const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0)
      fd = bpf(BPF_PROG_LOAD, attributes);
    else
      errno = EPERM;
  }
  if (fd < 0) return system_error(errno, "load the device filter");
  return os::UniqueFd(static_cast<int>(fd));
}

constexpr uint32_t kMaxAttached = 64;  // the kernel's own bound

Result<std::vector<os::UniqueFd>> attached_to(int cgroup) {
  uint32_t ids[kMaxAttached] = {};
  bpf_attr query = {};
  query.query.target_fd = static_cast<uint32_t>(cgroup);
  query.query.attach_type = BPF_CGROUP_DEVICE;
  query.query.prog_ids = reinterpret_cast<uintptr_t>(ids);
  query.query.prog_cnt = kMaxAttached;
  if (bpf(BPF_PROG_QUERY, query) < 0) return system_error(errno, "list the device filters");
  std::vector<os::UniqueFd> programs;
  for (uint32_t index = 0; index < query.query.prog_cnt; ++index) {
    bpf_attr get = {};
    get.prog_id = ids[index];
    const long fd = bpf(BPF_PROG_GET_FD_BY_ID, get);
    if (fd < 0 && errno == ENOENT) continue;
    if (fd < 0) return system_error(errno, "open a device filter");
    programs.emplace_back(static_cast<int>(fd));
  }
  return programs;
}

Result<> attach(int cgroup, int program, int replaced) {
  bpf_attr attributes = {};
  attributes.target_fd = static_cast<uint32_t>(cgroup);
  attributes.attach_type = BPF_CGROUP_DEVICE;
  attributes.attach_bpf_fd = static_cast<uint32_t>(program);
  attributes.attach_flags = BPF_F_ALLOW_MULTI;
  if (replaced >= 0) {
    attributes.attach_flags |= BPF_F_REPLACE;
    attributes.replace_bpf_fd = static_cast<uint32_t>(replaced);
  }
  if (bpf(BPF_PROG_ATTACH, attributes) < 0) return system_error(errno, "attach the device filter");
  return {};
}

Result<> detach(int cgroup, int program) {
  bpf_attr attributes = {};
  attributes.target_fd = static_cast<uint32_t>(cgroup);
  attributes.attach_type = BPF_CGROUP_DEVICE;
  attributes.attach_bpf_fd = static_cast<uint32_t>(program);
  if (bpf(BPF_PROG_DETACH, attributes) < 0)
    return system_error(errno, "detach the old device filter");
  return {};
}

}  // namespace

std::vector<bpf_insn> device_program(const DevicePolicy& policy) {
  Program program;
  program.load_request();
  for (const Exception& exception : policy.exceptions)
    program.answer_if_matches(exception, !policy.default_allow);
  program.answer(policy.default_allow);
  return program.take();
}

Result<> apply_devices_v2(const Directory& directory, const DevicePolicy& policy, bool fresh) {
  const int cgroup = TRY(directory.fd());
  std::vector<os::UniqueFd> old;
  if (!fresh) old = TRY(attached_to(cgroup));
  if (policy.default_allow && policy.exceptions.empty() && old.empty()) return {};
  const os::UniqueFd program = TRY(load(device_program(policy)));
  if (old.size() == 1) return attach(cgroup, program.get(), old.front().get());
  // All that are attached must agree, so nothing is open in between.
  TRY(attach(cgroup, program.get(), -1));
  for (const os::UniqueFd& each : old) TRY(detach(cgroup, each.get()));
  return {};
}

Result<> apply_devices_v1(const Directory& directory, const DevicePolicy& policy) {
  const DevicePolicy now = TRY(parse_devices_list(TRY(directory.read("devices.list"))));
  os::UniqueFd files[2];
  for (const DeviceWrite& write : device_transition(now, policy)) {
    const char* name = write.allow ? "devices.allow" : "devices.deny";
    os::UniqueFd& file = files[write.allow];
    if (!file) file = TRY(directory.open_file(name, O_WRONLY));
    if (::write(file.get(), write.line.data(), write.line.size()) < 0) {
      return system_error(errno, "write {} to {}", write.line, name);
    }
  }
  return {};
}

}  // namespace berth::cgroup
