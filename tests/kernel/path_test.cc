// SPDX-License-Identifier: Apache-2.0
#include "os/path.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>

namespace berth::os {
namespace {

namespace fs = std::filesystem;

// A folder with root/ (the container's) and secret/ (the host's), gone at the end.
class Path : public testing::Test {
 protected:
  Path() {
    char name[] = "/tmp/berth-path-XXXXXX";
    folder_ = ::mkdtemp(name);
    fs::create_directories(in_root("dir/below"));
    fs::create_directory(folder_ / "secret");
    std::ofstream(in_root("file")) << "in";
    std::ofstream(folder_ / "secret/file") << "out";
    fd_.reset(::open(in_root("").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  ~Path() override { fs::remove_all(folder_); }

  fs::path in_root(const fs::path& path) const { return folder_ / "root" / path; }
  fs::path secret() const { return folder_ / "secret"; }
  RootDir root() const { return RootDir(fd_.get()); }
  void link(const fs::path& target, const char* name) const {
    fs::create_symlink(target, in_root(name));
  }

  // Where a descriptor is, below root/; its error when it is none.
  std::string place(int fd) const {
    const UniqueFd owned(fd);
    if (fd < 0) return strerror(-fd);
    const std::string path = fs::read_symlink("/proc/self/fd/" + std::to_string(fd));
    const std::string inside = folder_ / "root";
    return path.starts_with(inside) ? path.substr(inside.size()) : "OUTSIDE " + path;
  }
  // Nothing appeared where only the host may write.
  void expect_secret_untouched() const {
    EXPECT_EQ(std::distance(fs::directory_iterator(secret()), fs::directory_iterator()), 1);
  }

  fs::path folder_;
  UniqueFd fd_;
};

std::string what(int number) { return strerror(number); }

TEST_F(Path, OpensInside) {
  link("dir/below", "relative");
  link("/dir", "absolute");
  link("absolute/below", "dir/chain");
  link("../../../../../file", "dir/up");
  const std::pair<const char*, const char*> rows[] = {
      {"/", ""},
      {"dir/below", "/dir/below"},
      {"/dir//below/", "/dir/below"},
      {"relative", "/dir/below"},
      {"absolute/below", "/dir/below"},
      {"dir/up", "/file"},
      {"../../..", ""},
      {"/../../etc/../file", ""},  // there is no etc
      {"dir/../../../file", "/file"},
  };
  for (const auto& [path, expected] : rows) {
    if (std::string_view(path).find("etc") != std::string_view::npos)
      EXPECT_EQ(place(root().open(path)), what(ENOENT)) << path;
    else
      EXPECT_EQ(place(root().open(path)), expected) << path;
  }
  EXPECT_EQ(place(root().open_nofollow("relative")), "/relative");
  EXPECT_EQ(place(root().open("dir/chain")), what(ENOENT)) << "relative to the link's folder";
}

TEST_F(Path, LinksToTheHostEndInside) {
  link(secret(), "absolute");
  link("../secret", "relative");
  link("../secret/file", "dangling");
  EXPECT_EQ(place(root().open("absolute")), what(ENOENT));
  EXPECT_EQ(place(root().open("relative/file")), what(ENOENT));
  EXPECT_EQ(place(root().open("dangling")), what(ENOENT));
  link("/proc/self/root", "magic");
  EXPECT_EQ(place(root().open("magic")), what(ENOENT));
}

TEST_F(Path, LoopsEnd) {
  link("b", "a");
  link("a", "b");
  link("self/below", "self");
  for (const char* path : {"a", "b/c", "self", "self/x"}) {
    EXPECT_EQ(place(root().open(path)), what(ELOOP)) << path;
    EXPECT_EQ(place(root().make_directory(path)), what(ELOOP)) << path;
    EXPECT_EQ(place(root().make_file(path)), what(ELOOP)) << path;
  }
}

TEST_F(Path, MakesWhatIsMissing) {
  const mode_t mask = ::umask(0);
  EXPECT_EQ(place(root().make_directory("new/a/b", 0711)), "/new/a/b");
  EXPECT_EQ(place(root().make_file("new/c/file", 0600)), "/new/c/file");
  ::umask(mask);
  EXPECT_EQ(fs::status(in_root("new/a")).permissions(), fs::perms(0755));
  EXPECT_EQ(fs::status(in_root("new/a/b")).permissions(), fs::perms(0711));
  EXPECT_EQ(fs::status(in_root("new/c/file")).permissions(), fs::perms(0600));
  EXPECT_TRUE(fs::is_empty(in_root("new/c/file")));
}

TEST_F(Path, TakesWhatIsThere) {
  link("/dir", "link");
  EXPECT_EQ(place(root().make_directory("dir/below")), "/dir/below");
  EXPECT_EQ(place(root().make_directory("link/below")), "/dir/below");
  EXPECT_EQ(place(root().make_file("file")), "/file");
  EXPECT_EQ(place(root().make_directory("file")), "/file") << "the caller looks at the kind";
  EXPECT_EQ(place(root().make_directory("file/x")), what(ENOTDIR));
  EXPECT_EQ(fs::file_size(in_root("file")), 2U);
}

TEST_F(Path, MakesTheTargetsOfDanglingLinksInside) {
  link("/var/new", "absolute");
  link("made/later", "dir/relative");
  link("../../../secret/up", "dir/up");
  link(secret() / "sub", "host");
  EXPECT_EQ(place(root().make_directory("absolute")), "/var/new");
  EXPECT_EQ(place(root().make_directory("dir/relative/x")), "/dir/made/later/x");
  EXPECT_EQ(place(root().make_file("dir/up")), "/secret/up");
  EXPECT_EQ(place(root().make_directory("host/x")), secret().string() + "/sub/x");
  expect_secret_untouched();
}

TEST_F(Path, NeverMakesAboveTheRoot) {
  EXPECT_EQ(place(root().make_directory("../secret/new")), "/secret/new");
  EXPECT_EQ(place(root().make_file("dir/../../../secret/file2")), "/secret/file2");
  expect_secret_untouched();
}

TEST_F(Path, MakesParents) {
  const char* name = nullptr;
  EXPECT_EQ(place(root().make_parent("/dev/net/tun", &name)), "/dev/net");
  EXPECT_STREQ(name, "tun");
  EXPECT_EQ(place(root().make_parent("/null", &name)), "");
  EXPECT_STREQ(name, "null");
  EXPECT_EQ(place(root().make_parent("plain", &name)), "");
  EXPECT_STREQ(name, "plain");
}

TEST_F(Path, RefusesWhatIsTooLong) {
  const std::string path = std::string(PATH_MAX, 'a');
  EXPECT_EQ(place(root().open(path.c_str())), what(ENAMETOOLONG));
  EXPECT_EQ(place(root().make_directory(path.c_str())), what(ENAMETOOLONG));
}

// A process that exchanges two names for as long as this lives.
class Flipper {
 public:
  Flipper(const fs::path& one, const fs::path& other) : pid_(::fork()) {
    if (pid_ != 0) return;
    for (;;) {
      if (::syscall(SYS_renameat2, AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(),
                    RENAME_EXCHANGE) != 0)
        ::_exit(1);
    }
  }
  // Still exchanging: the test saw a race.
  bool end() {
    const bool alive = ::waitpid(pid_, nullptr, WNOHANG) == 0;
    if (alive) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    pid_ = -1;
    return alive;
  }
  ~Flipper() {
    if (pid_ > 0) end();
  }

 private:
  pid_t pid_;
};

void for_a_second(const std::function<void()>& body) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(800);
  while (std::chrono::steady_clock::now() < end && !testing::Test::HasFailure())
    for (int i = 0; i < 100; ++i) body();
}

TEST_F(Path, StaysInsideWhileADirectoryBecomesALink) {
  fs::create_directory(in_root("flip"));
  link("../../secret", "flop");
  Flipper flipper(in_root("flip"), in_root("flop"));
  int number = 0;
  for_a_second([&] {
    const std::string name = "flip/x" + std::to_string(++number % 64);
    const std::string made = place(root().make_directory(name.c_str()));
    EXPECT_FALSE(made.starts_with("OUTSIDE")) << made;
    const std::string file = place(root().make_file((name + ".file").c_str()));
    EXPECT_FALSE(file.starts_with("OUTSIDE")) << file;
    EXPECT_NE(place(root().open("flip/file")), what(0));
  });
  EXPECT_TRUE(flipper.end());
  expect_secret_untouched();
}

TEST_F(Path, StaysInsideWhileADirectoryMovesBelowDotDot) {
  fs::create_directory(in_root("other"));
  fs::create_directories(folder_ / "outside/below");
  // dir/below/.. : below is moved out of the root and back while it is walked.
  Flipper flipper(in_root("dir/below"), folder_ / "outside/below");
  for_a_second([&] {
    const std::string found = place(root().open("dir/below/../../../file"));
    EXPECT_TRUE(found == "/file" || found == what(EAGAIN) || found == what(ENOENT) ||
                found == what(EXDEV))
        << found;
  });
  EXPECT_TRUE(flipper.end());
}

}  // namespace
}  // namespace berth::os
