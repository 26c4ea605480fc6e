// SPDX-License-Identifier: Apache-2.0
// The library in a program with many threads: some of them create, exec and delete, the others
// allocate, lock and fill standard streams' buffers all the while. What a child of clone would
// allocate or lock, one of these holds.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "berth/factory.h"
#include "berth/try.h"

namespace berth {
namespace {

namespace fs = std::filesystem;

constexpr int kWorkers = 8;
constexpr int kRounds = 4;
constexpr int kDisturbers = 4;

class Threads : public testing::Test {
 protected:
  void SetUp() override {
    char place[] = "/tmp/berth-threads-XXXXXX";
    ASSERT_NE(::mkdtemp(place), nullptr);
    place_ = place;
    ::chmod(place, 0755);
    for (const char* folder : {"bin", "dev", "proc", "sys", "tmp"})
      fs::create_directories(place_ / "root" / folder);
    fs::copy_file("/bin/busybox", place_ / "root/bin/busybox");
    for (const char* applet : {"sh", "true", "echo"})
      fs::create_symlink("busybox", place_ / "root/bin" / applet);
  }
  void TearDown() override {
    Factory factory = open().value();
    const std::vector<ListEntry> left = factory.list().value();
    for (const ListEntry& entry : left) (void)factory.load(entry.state.id)->destroy(true);
    fs::remove_all(place_);
  }

  Result<Factory> open() const { return Factory::open({.state_root = place_ / "state"}); }

  // A hook that cannot be run, for those who must fail.
  CreateOptions options(bool fails) const {
    const std::string hooks =
        fails ? R"("createRuntime":[{"path":"/no/such/hook"}])"
              : R"("createRuntime":[{"path":"/bin/true"}],"poststop":[{"path":"/bin/true"}])";
    return {.bundle = place_,
            .config_json = R"({"ociVersion":"1.3.0","root":{"path":")" +
                           (place_ / "root").string() +
                           R"(","readonly":true},"hostname":"box","hooks":{)" + hooks +
                           R"(},"mounts":[{"destination":"/proc","type":"proc","source":"proc"}],
        "process":{"cwd":"/","env":["PATH=/bin"],"args":["sh","-c","read line; exit 6"]},
        "linux":{"namespaces":[{"type":"pid"},{"type":"mount"},{"type":"ipc"},{"type":"uts"},
        {"type":"network"}]}})"};
  }

  fs::path place_ = {};
};

std::string all_of(int file) {
  std::string text;
  char buffer[256];
  ssize_t size;
  while ((size = ::read(file, buffer, sizeof buffer)) > 0)
    text.append(buffer, static_cast<size_t>(size));
  return text;
}

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() { EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0); }
  ~Pipe() {
    close_writer();
    ::close(ends[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_writer() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }
};

Result<std::string> output_of(Container& container, const std::string& word) {
  Pipe pipe;
  const StandardStreams streams = {-1, pipe.ends[1], pipe.ends[1]};
  Process process = TRY(container.exec({.args = {"echo", word}, .streams = streams}));
  pipe.close_writer();
  std::string text = all_of(pipe.ends[0]);
  if (const ExitStatus status = TRY(process.wait()); status.shell_code() != 0)
    text += "exit " + std::to_string(status.shell_code());
  return text;
}

// One container's life; what each program says must reach the thread that started it.
Result<> live(Factory& factory, const std::string& id, CreateOptions options) {
  Pipe input;
  options.streams = {input.ends[0], -1, -1};
  Started started = TRY(factory.run(id, options));
  for (int count = 0; count < 3; ++count) {
    const std::string word = id + "-" + std::to_string(count);
    EXPECT_EQ(TRY(output_of(started.container, word)), word + "\n");
  }
  EventStream events = TRY(started.container.events());
  TRY(started.container.pause());
  TRY(started.container.resume());
  EXPECT_GE(TRY(started.container.stats()).cpu.total_ns, 1U);
  EXPECT_EQ(TRY(started.container.processes()).size(), 1U);
  input.close_writer();
  pollfd end{.fd = events.fd(), .events = POLLIN, .revents = 0};
  while (!TRY(events.next())) ::poll(&end, 1, -1);
  EXPECT_EQ(TRY(started.process.wait()).code, 6);
  return started.container.destroy();
}

// The start gate, and an end by a signal. What create has made is the caller's child, to be reaped.
Result<> wait_and_end(Factory& factory, const std::string& id, CreateOptions options) {
  Pipe input;
  options.streams = {input.ends[0], -1, -1};
  Container container = TRY(factory.create(id, options));
  const pid_t pid = TRY(container.state()).pid;
  TRY(container.start());
  TRY(container.signal(SIGKILL));
  const ExitRecord record = TRY(container.wait());
  EXPECT_EQ(TRY(container.status()), Status::Stopped);
  EXPECT_EQ(record.id, id);
  EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
  return container.destroy();
}

void disturb(const std::atomic<bool>& done, std::mutex& lock) {
  while (!done) {
    const std::scoped_lock<std::mutex> held(lock);
    const std::vector<std::string> garbage(100, std::string(100, 'x'));
    FILE* file = std::fopen("/dev/null", "w");
    std::fprintf(file, "%s %g\n", garbage.back().c_str(), 1.5);
    std::fclose(file);
  }
}

size_t open_descriptors() {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

// The process and each thread's own: namespaces, signal mask.
std::string places() {
  std::string text = fs::current_path();
  for (const char* name : {"net", "ipc", "uts", "pid_for_children", "mnt", "cgroup"})
    text += " " + fs::read_symlink(std::string("/proc/thread-self/ns/") + name).string();
  std::ifstream status("/proc/thread-self/status");
  for (std::string line; std::getline(status, line);) {
    if ((line.starts_with("Sig") && !line.starts_with("SigQ")) || line.starts_with("Cap") ||
        line.starts_with("Umask"))
      text += " " + line;
  }
  return text;
}

void work(Factory& factory, const std::string& name, const CreateOptions& good,
          const CreateOptions& bad) {
  const std::string before = places();
  for (int round = 0; round < kRounds; ++round) {
    const std::string id = name + "-" + std::to_string(round);
    const Result<> lived = live(factory, id, good);
    EXPECT_TRUE(lived) << lived.error().message();
    const Result<> ended = wait_and_end(factory, id, good);
    EXPECT_TRUE(ended) << ended.error().message();
    const Result<Container> failed = factory.create(id, bad);
    ASSERT_FALSE(failed);
    EXPECT_TRUE(failed.error().message().contains("cannot be run")) << failed.error().message();
  }
  EXPECT_EQ(places(), before);
}

TEST_F(Threads, CreateExecAndDeleteAtOnceWhileOthersAllocateAndLock) {
  Factory factory = open().value();
  std::thread([] {}).join();  // the C library takes a signal for its own use with the first one
  const std::string before = places();
  const size_t descriptors = open_descriptors();
  const CreateOptions good = options(false), bad = options(true);
  std::atomic<bool> done = false;
  std::mutex lock;
  std::vector<std::thread> disturbers, workers;
  for (int count = 0; count < kDisturbers; ++count)
    disturbers.emplace_back([&] { disturb(done, lock); });
  for (int count = 0; count < kWorkers; ++count)
    workers.emplace_back(
        [&, count] { work(factory, "threads-" + std::to_string(count), good, bad); });
  for (std::thread& worker : workers) worker.join();
  done = true;
  for (std::thread& disturber : disturbers) disturber.join();
  EXPECT_EQ(factory.list()->size(), 0U);
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_EQ(places(), before);
}

// Ten further processes at once, by ten threads with handles of their own, of one container.
TEST_F(Threads, ExecAtOnceIntoOneContainer) {
  Factory factory = open().value();
  Pipe input;
  CreateOptions good = options(false);
  good.streams = {input.ends[0], -1, -1};
  Result<Started> started = factory.run("threads-one", good);
  ASSERT_TRUE(started) << started.error().message();
  std::vector<std::thread> workers;
  for (int count = 0; count < 10; ++count) {
    workers.emplace_back([&factory, count] {
      Container container = factory.load("threads-one").value();
      const Result<std::string> text = output_of(container, std::to_string(count));
      EXPECT_EQ(text.value_or("failed"), std::to_string(count) + "\n");
    });
  }
  for (std::thread& worker : workers) worker.join();
  input.close_writer();
  EXPECT_EQ(started->process.wait()->code, 6);
  EXPECT_TRUE(started->container.destroy());
}

// Standard output and error exchanged, and what is not open refused.
TEST_F(Threads, StreamsOfTheCallerMayBeExchanged) {
  Factory factory = open().value();
  Pipe input;
  CreateOptions good = options(false);
  good.streams = {input.ends[0], 2, 1};
  Result<Started> started = factory.run("threads-one", good);
  ASSERT_TRUE(started) << started.error().message();
  const std::string of = "/proc/" + std::to_string(started->process.pid()) + "/fd/";
  EXPECT_EQ(fs::read_symlink(of + "1"), fs::read_symlink("/proc/self/fd/2"));
  EXPECT_EQ(fs::read_symlink(of + "2"), fs::read_symlink("/proc/self/fd/1"));
  const Result<Process> refused =
      started->container.exec({.args = {"true"}, .streams = {-1, 1000, -1}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::InvalidUse);
  input.close_writer();
  (void)started->process.wait();
  EXPECT_TRUE(started->container.destroy());
}

}  // namespace
}  // namespace berth
