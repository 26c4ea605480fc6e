// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>

#include "os/fd.h"
#include "os/socket.h"
#include "security/seccomp_compiler.h"

namespace berth::security {
namespace {

using spec::SeccompAction;

SeccompProgram compiled(const spec::Seccomp& profile) {
  auto program = compile_seccomp(profile);
  EXPECT_TRUE(program) << program.error().message();
  return program ? *std::move(program) : SeccompProgram{};
}

// seccomp(2) in the calling process: the listener or 0, or -errno.
int load(const SeccompProgram& program) {
  sock_fprog filter{static_cast<unsigned short>(program.code.size()),
                    const_cast<sock_filter*>(program.code.data())};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -errno;
  const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, program.flags, &filter);
  return result < 0 ? -errno : static_cast<int>(result);
}

// The child's exit code, or minus the signal that ended it.
int in_child(const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid == 0) _exit(body());
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// 0 when the call fails with this errno.
int expect_errno(long result, int number) { return result == -1 && errno == number ? 0 : 1; }

TEST(SeccompKernel, RefusesTheCallAndNoOther) {
  spec::Seccomp profile;
  profile.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  profile.rules = {{{"mkdir", "mkdirat"}, SeccompAction::Errno, EXDEV, {}},
                   {{"getpriority"}, SeccompAction::Errno, EBUSY, {{0, 0x100000002}}}};
  const SeccompProgram program = compiled(profile);
  const int result = in_child([&] {
    if (load(program) != 0) return 10;
    const int at_two = expect_errno(syscall(SYS_getpriority, 0x100000002, 0), EBUSY);
    const bool low_word_only = syscall(SYS_getpriority, 2, 0) >= 0;
    return expect_errno(mkdir("/tmp/berth-never", 0700), EXDEV) + 2 * at_two +
           (low_word_only ? 0 : 4) + (access("/", F_OK) == 0 ? 0 : 8);
  });
  EXPECT_EQ(result, 0);
}

#if defined(__x86_64__)
TEST(SeccompKernel, RefusesOtherDoorsToTheSameCall) {
  spec::Seccomp profile;
  profile.rules = {{{"mkdir", "mkdirat"}, SeccompAction::Errno, {}, {}}};
  const SeccompProgram program = compiled(profile);
  const auto by_number = [&](long number) {
    return in_child([&] { return load(program) == 0 ? (syscall(number, "/tmp/x", 0), 0) : 10; });
  };
  EXPECT_EQ(by_number(SYS_mkdir), 0);
  EXPECT_EQ(by_number(83 | 0x40000000), -SIGSYS);
}

int narrow_getpid() {
  int answer = 20;  // of i386
  __asm__ volatile("int $0x80" : "+a"(answer)::"memory");
  return answer;
}

TEST(SeccompKernel, KillsThirtyTwoBitCallsThatAreNotListed) {
  if (in_child([] { return narrow_getpid() == ::getpid() ? 0 : 1; }) != 0)
    GTEST_SKIP() << "this kernel has no 32-bit calls";
  const SeccompProgram program = compiled({});
  const int result = in_child([&] {
    if (load(program) != 0) return 10;
    (void)narrow_getpid();
    return 11;
  });
  EXPECT_EQ(result, -SIGSYS);
}
#endif

TEST(SeccompKernel, TakesEveryActionAndFlag) {
  spec::Seccomp profile;
  profile.default_action = SeccompAction::Allow;
  profile.flags = {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                   "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
  profile.listener_path = "/nowhere";
  profile.rules = {{{"acct"}, SeccompAction::KillThread, {}, {}},
                   {{"swapon"}, SeccompAction::KillProcess, {}, {}},
                   {{"swapoff"}, SeccompAction::Trap, {}, {}},
                   {{"reboot"}, SeccompAction::Trace, 7, {}},
                   {{"syslog"}, SeccompAction::Log, {}, {}},
                   {{"chroot"}, SeccompAction::Notify, {}, {}}};
  const SeccompProgram program = compiled(profile);
  EXPECT_EQ(in_child([&] { return load(program) > 0 ? 0 : 10; }), 0);
  EXPECT_EQ(in_child([&] { return load(program) > 0 ? (syscall(SYS_swapon, 0, 0), 0) : 10; }),
            -SIGSYS);
}

// A socket that an agent would listen on, gone with its owner.
class Agent {
 public:
  Agent() : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    path_ = "/tmp/berth-seccomp-" + std::to_string(getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    const auto* plain = reinterpret_cast<const sockaddr*>(&address);
    if (bind(socket_.get(), plain, sizeof address) != 0 || listen(socket_.get(), 1) != 0)
      ADD_FAILURE() << std::strerror(errno);
  }
  ~Agent() { unlink(path_.c_str()); }

  const std::string& path() const { return path_; }

  // What was sent, to its end, and the descriptor that came with it.
  std::string receive(os::UniqueFd& descriptor) {
    pollfd coming{socket_.get(), POLLIN, 0};
    if (poll(&coming, 1, 5000) != 1) return "nobody came";
    const os::UniqueFd connection(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::string text;
    for (;;) {
      char buffer[512];
      char control[64];
      iovec part{buffer, sizeof buffer};
      msghdr message{};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      const ssize_t size = recvmsg(connection.get(), &message, MSG_CMSG_CLOEXEC);
      if (size <= 0) return text;
      text.append(buffer, static_cast<size_t>(size));
      if (const cmsghdr* header = CMSG_FIRSTHDR(&message))
        descriptor.reset(*reinterpret_cast<const int*>(CMSG_DATA(header)));
    }
  }

 private:
  os::UniqueFd socket_;
  std::string path_;
};

TEST(SeccompKernel, SendsAListenerThatAnswers) {
  Agent agent;
  spec::Seccomp profile;
  profile.listener_path = agent.path();
  profile.rules = {{{"mkdir"}, SeccompAction::Notify, {}, {}}};
  const SeccompProgram program = compiled(profile);
  ASSERT_TRUE(program.wants_listener);
  const pid_t child = fork();
  if (child == 0) {
    const int listener = load(program);
    if (listener < 0 || !os::send_descriptor(profile.listener_path, listener, "who")) _exit(10);
    _exit(expect_errno(mkdir("/tmp/berth-never", 0700), EDOM));
  }
  os::UniqueFd listener;
  EXPECT_EQ(agent.receive(listener), "who");
  seccomp_notif asked{};
  ASSERT_EQ(ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_RECV, &asked), 0) << std::strerror(errno);
  EXPECT_EQ(asked.data.nr, SYS_mkdir);
  seccomp_notif_resp answer{asked.id, 0, -EDOM, 0};
  EXPECT_EQ(ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer), 0) << std::strerror(errno);
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(SeccompKernel, SaysWhichAgentIsMissing) {
  const auto sent = os::send_descriptor("/nowhere/agent", 0, "who");
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().os_error(), ENOENT);
  EXPECT_NE(sent.error().message().find("/nowhere/agent"), std::string::npos);
}

}  // namespace
}  // namespace berth::security
