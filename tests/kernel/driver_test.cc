// SPDX-License-Identifier: Apache-2.0
// The driver against the real kernel: the oldest promises of this field, each a test.
#include "berth/driver.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

#include "engine/record.h"
#include "os/fd.h"

namespace berth {
namespace {

constexpr size_t kGibibyte = size_t{1} << 30;

std::string berth_program() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "berth";
}

class DriverTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/berth-driver.XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    root_ = name;
  }
  void TearDown() override {
    auto left = open().restore();
    ASSERT_TRUE(left.has_value()) << left.error().message();
    for (Box& box : left->boxes) (void)box.container().destroy(true);
    EXPECT_TRUE(std::filesystem::is_empty(root_));
    std::filesystem::remove_all(root_);
  }

  Driver open() const {
    auto driver = Driver::open({.factory = {.state_root = root_}, .program = berth_program()});
    if (!driver) throw std::runtime_error(driver.error().message());
    return *std::move(driver);
  }
  Box start(const Command& command, const RunOptions& options = {}) const {
    auto box = open().run(command, options);
    if (!box) throw std::runtime_error(box.error().message());
    return *std::move(box);
  }
  static Command shell(const char* script) { return {.args = {"/bin/sh", "-c", script}}; }
  static ExitRecord wait(Box& box) {
    auto record = box.wait();
    if (!record) throw std::runtime_error(record.error().message());
    return *std::move(record);
  }

  std::string root_;
};

std::string read_all(int descriptor) {
  std::string text;
  char buffer[65536];
  ssize_t size = 0;
  while ((size = ::read(descriptor, buffer, sizeof buffer)) > 0)
    text.append(buffer, static_cast<size_t>(size));
  return text;
}

TEST_F(DriverTest, ExitCodeAndSignalAreToldApart) {
  Box coded = start(shell("exit 137"));
  const auto code = wait(coded).exit;
  ASSERT_TRUE(code.has_value());
  EXPECT_EQ(code->code, 137);
  EXPECT_EQ(code->signal, 0);
  Box killed = start(shell("read line; exit 0"));
  const auto end = killed.terminate();
  ASSERT_TRUE(end.has_value()) << end.error().message();
  ASSERT_TRUE(end->exit.has_value());
  EXPECT_EQ(end->exit->signal, SIGKILL);
  EXPECT_FALSE(end->oom.has_value());
}

TEST_F(DriverTest, PipesCarryEveryByteEachWay) {
  Box box = start(shell("tee /dev/stderr"));
  std::atomic<size_t> sent = 0;
  std::thread writer([&box, &sent] {
    const std::string piece(1 << 20, 'x');
    for (size_t size = 0; size < kGibibyte; size += piece.size()) {
      size_t done = 0;
      while (done < piece.size()) {
        const ssize_t count = ::write(box.input(), piece.data() + done, piece.size() - done);
        if (count <= 0) return;
        done += static_cast<size_t>(count);
      }
      sent += piece.size();
    }
    box.close_input();
  });
  const auto count = [](int descriptor) {
    std::string buffer(1 << 20, '\0');
    size_t total = 0;
    for (ssize_t size = 0; (size = ::read(descriptor, buffer.data(), buffer.size())) > 0;)
      total += static_cast<size_t>(size);
    return total;
  };
  size_t errors = 0;
  std::thread reader([&] { errors = count(box.error()); });
  const size_t output = count(box.output());
  writer.join();
  reader.join();
  EXPECT_EQ(sent, kGibibyte);
  EXPECT_EQ(output, kGibibyte);
  EXPECT_EQ(errors, kGibibyte);
  EXPECT_EQ(wait(box).exit->code, 0);
}

TEST_F(DriverTest, StartIsToldBeforeAnythingIsRead) {
  pid_t told = 0;
  Box box = start(shell("echo $$"), {.on_start = [&told](pid_t pid) { told = pid; }});
  EXPECT_GT(told, 0);
  EXPECT_EQ(told, box.pid());
  EXPECT_EQ(read_all(box.output()), "1\n");
  EXPECT_EQ(wait(box).exit->code, 0);
}

TEST_F(DriverTest, GivenDescriptorsAreTheProgramsOwn) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  os::UniqueFd read(ends[0]), write(ends[1]);
  const os::UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  // Out of order on purpose.
  Box box = start(shell("echo error >&2"),
                  {.streams = Streams::Given, .given = {null.get(), null.get(), write.get()}});
  write.reset();
  EXPECT_EQ(read_all(read.get()), "error\n");
  EXPECT_EQ(wait(box).exit->code, 0);
  EXPECT_EQ(box.attach().error().kind(), ErrorKind::WrongState);
}

TEST_F(DriverTest, NothingOfTheCallersIsLeftOpen) {
  const os::UniqueFd secret(::open("/dev/zero", O_RDONLY));  // not close-on-exec
  Box box = start(shell("for each in /proc/self/fd/*; do readlink $each; done"));
  EXPECT_FALSE(read_all(box.output()).contains("/dev/zero"));
  (void)wait(box);
}

OomChannel::Signal next_signal(OomChannel& channel) {
  while (true) {
    const auto signal = channel.next();
    if (!signal) throw std::runtime_error(signal.error().message());
    if (*signal != OomChannel::Signal::None) return *signal;
    pollfd watched = {channel.fd(), POLLIN, 0};
    if (::poll(&watched, 1, 60'000) != 1) throw std::runtime_error("nothing was told");
  }
}

TEST_F(DriverTest, OomChannelClosesWithoutFiring) {
  Box box = start(shell("read line"));
  auto channel = box.oom_channel();
  ASSERT_TRUE(channel.has_value()) << channel.error().message();
  EXPECT_EQ(*channel->next(), OomChannel::Signal::None);
  box.close_input();
  EXPECT_EQ(next_signal(*channel), OomChannel::Signal::Closed);
  EXPECT_EQ(*channel->next(), OomChannel::Signal::Closed);
}

TEST_F(DriverTest, OomChannelFiresOnce) {
  if (::geteuid() != 0) GTEST_SKIP() << "an ordinary user may have no cgroup";
  Command command = shell("read line; for n in 1 2 3; do tail /dev/zero; done; exit 4");
  command.resources.memory = MemoryResources{.limit = 16 << 20, .swap = 16 << 20};
  Box box = start(command);
  auto channel = box.oom_channel();
  ASSERT_TRUE(channel.has_value()) << channel.error().message();
  box.close_input();
  EXPECT_EQ(next_signal(*channel), OomChannel::Signal::Fired);
  EXPECT_EQ(next_signal(*channel), OomChannel::Signal::Closed);
  const ExitRecord end = wait(box);
  EXPECT_EQ(end.exit->code, 4);
  ASSERT_TRUE(end.oom.has_value());
  EXPECT_GE(end.oom->kills, 3u);
}

TEST_F(DriverTest, AttachedFromTheStartSeesAll) {
  RunOptions options{.streams = Streams::Kept, .attach = true};
  Box box = start(shell("echo one; cat; exit 2"), options);
  auto attachment = box.attach();
  ASSERT_TRUE(attachment.has_value()) << attachment.error().message();
  ASSERT_EQ(*attachment->send("two\n"), 4u);
  ASSERT_TRUE(*attachment->end_input());
  std::string text;
  std::optional<ExitStatus> exit;
  while (!exit) {
    pollfd watched = {attachment->fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&watched, 1, 60'000), 1);
    auto event = attachment->receive();
    ASSERT_TRUE(event.has_value());
    if (!*event) continue;
    if (const auto* output = std::get_if<StreamOutput>(&**event)) text += output->bytes;
    if (const auto* status = std::get_if<ExitStatus>(&**event)) exit = *status;
  }
  EXPECT_EQ(text, "one\ntwo\n");
  EXPECT_EQ(exit->code, 2);
}

TEST_F(DriverTest, ExecInABox) {
  Box box = start(shell("read line"));
  auto process = box.container().exec({.args = {"/bin/sh", "-c", "exit 5"}});
  ASSERT_TRUE(process.has_value()) << process.error().message();
  EXPECT_EQ(process->wait()->code, 5);
}

TEST_F(DriverTest, RemovedOnceItsEndWasTold) {
  Command command = shell("exit 6");
  command.remove_at_end = true;
  Box box = start(command);
  EXPECT_EQ(wait(box).exit->code, 6);
  EXPECT_TRUE(std::filesystem::is_empty(root_));
}

TEST_F(DriverTest, FailureToStartIsTheKeepers) {
  auto box = open().run({.id = "x", .args = {"/no/such/program"}});
  ASSERT_FALSE(box.has_value());
  EXPECT_TRUE(box.error().message().contains("/no/such/program")) << box.error().message();
  EXPECT_EQ(open().run({}).error().kind(), ErrorKind::InvalidUse);
  auto terminal = open().run({.args = {"true"}, .terminal = true});
  EXPECT_EQ(terminal.error().kind(), ErrorKind::InvalidUse);
}

// An engine: starts two boxes, of which one ends, and is killed.
[[noreturn]] void be_engine(Driver& driver, int ready) {
  Box ends =
      *driver.run({.id = "ends", .args = {"/bin/sh", "-c", "exit 9"}}, {.streams = Streams::Kept});
  (void)ends.wait();
  Box stays = *driver.run({.id = "stays", .args = {"/bin/sh", "-c", "read line; exit 7"}},
                          {.streams = Streams::Kept});
  (void)!::write(ready, "x", 1);
  ::pause();
  ::_exit(0);
}

TEST_F(DriverTest, EngineThatIsKilledFindsItsBoxesAgain) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  os::UniqueFd read(ends[0]), write(ends[1]);
  Driver driver = open();
  const pid_t engine = ::fork();
  if (engine == 0) be_engine(driver, write.get());
  write.reset();
  char byte = 0;
  ASSERT_EQ(::read(read.get(), &byte, 1), 1);
  ::kill(engine, SIGKILL);
  ::waitpid(engine, nullptr, 0);

  auto restored = open().restore();
  ASSERT_TRUE(restored.has_value()) << restored.error().message();
  ASSERT_EQ(restored->boxes.size(), 2u);
  Box& ended = restored->boxes[0];
  Box& stays = restored->boxes[1];
  EXPECT_EQ(ended.id(), "ends");
  EXPECT_EQ(ended.pidfd(), -1);
  EXPECT_EQ(wait(ended).exit->code, 9);
  EXPECT_EQ(*stays.container().status(), Status::Running);
  EXPECT_GT(stays.pid(), 0);
  auto attachment = stays.attach();
  ASSERT_TRUE(attachment.has_value()) << attachment.error().message();
  ASSERT_TRUE(*attachment->end_input());
  EXPECT_EQ(wait(stays).exit->code, 7);
}

// What a keeper leaves that is killed while it makes the container.
TEST_F(DriverTest, HalfMadeBoxesAreRemoved) {
  Box box = start({.id = "half", .args = {"/bin/sh", "-c", "read line"}});
  const std::string record = root_ + "/half/state.json";
  ASSERT_TRUE(box.terminate().has_value());
  // As it is written first: without a process.
  const std::string head = engine::write_process({});
  const os::UniqueFd file(::open(record.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::write(file.get(), head.data(), head.size()), static_cast<ssize_t>(head.size()));
  auto restored = open().restore();
  ASSERT_TRUE(restored.has_value()) << restored.error().message();
  EXPECT_TRUE(restored->boxes.empty());
  EXPECT_EQ(restored->removed, std::vector<std::string>{"half"});
}

}  // namespace
}  // namespace berth
