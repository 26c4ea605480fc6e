// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "berth/attachment.h"
#include "berth/container.h"
#include "berth/error.h"
#include "berth/factory.h"
#include "berth/network.h"
#include "berth/resources.h"

// Runs a command in a container from a short description, without a config.json: for engines, and
// for `berth box`. Docs: docs/driver.md.
namespace [[gnu::visibility("default")]] berth {

// How the standard streams of a box are given to it.
enum class Streams : unsigned char {
  Given,  // the three descriptors of RunOptions, as they are
  Pipes,  // three pipes, whose other ends the Box owns
  Kept,   // held by the box's keeper: Box::attach, also of another program. A terminal always is.
};
std::string_view to_string(Streams streams);

struct BoxMount {
  std::string source = {};       // of the caller's filesystem; for type "tmpfs" and such: its name
  std::string destination = {};  // absolute, in the box
  std::string type = "bind";
  std::vector<std::string> options = {};  // "ro", "size=64m": those of config.json
};

struct BoxDevice {
  std::string path = {};         // of the caller's: a device node
  std::string destination = {};  // empty: the same
  std::string access = "rwm";
};

// Ids of the box, and the caller's that they are.
struct IdRange {
  uint32_t inside = 0;
  uint32_t outside = 0;
  uint32_t count = 0;
};

// A network device of the caller's that the box has as long as it lives (linux.netDevices).
struct BoxNetDevice {
  std::string host_name = {};
  std::string name = {};  // in the box; empty: the same
};

struct BoxNetwork {
  enum class Kind : unsigned char {
    Own,     // a new network namespace: loopback, and `interfaces`
    Host,    // the caller's
    Joined,  // the one of `path`
  };
  Kind kind = Kind::Own;
  std::string path = {};  // /proc/PID/ns/net, or what a network namespace is mounted on
  std::vector<Interface> interfaces = {};  // made for the box; not with Host
  std::vector<BoxNetDevice> devices = {};  // moved into it; not with Host
};

// What to run and in what. What is left empty has a sensible value.
struct Command {
  std::string id = {};          // of the container; empty: "box-" and random digits
  std::string rootfs = {};      // directory; empty: the caller's root, copy-on-write
  bool copy_on_write = false;   // changes of the rootfs go to memory and end with the box
  bool read_only = false;       // the rootfs
  std::string entrypoint = {};  // with args, the command line: at least one word together
  std::vector<std::string> args = {};
  std::vector<std::string> env = {};  // "NAME=VALUE", over PATH, HOSTNAME, TERM of a terminal
  std::string cwd = "/";
  // "USER[:GROUP]", each a name of the rootfs's /etc/passwd and /etc/group or a number. Empty: 0.
  std::string user = {};
  std::vector<uint32_t> additional_gids = {};
  std::string hostname = {};  // empty: the id
  bool terminal = false;
  WindowSize window = {};
  // All capabilities, all devices of the caller's /dev, nothing masked or read-only, no filter.
  bool privileged = false;
  bool no_new_privileges = false;
  std::vector<std::string> add_capabilities = {};   // to those that Docker gives; "ALL"
  std::vector<std::string> drop_capabilities = {};  // "ALL"
  // A user namespace: root of the box is not root outside. Empty: none for root; for an ordinary
  // user his own id as root.
  std::vector<IdRange> remap = {};
  std::vector<BoxMount> mounts = {};
  std::vector<BoxDevice> devices = {};
  uint64_t shm_size = 64 << 20;  // bytes of /dev/shm
  BoxNetwork network = {};
  Resources resources = {};
  std::vector<Rlimit> rlimits = {};
  std::optional<int> oom_score_adj = {};
  std::string cgroup_path = {};  // linux.cgroupsPath; empty: of berth's own choice
  // Kept as the annotations of config.json, of which some act: docs/extensions.md.
  StringMap labels = {};
  bool remove_at_end = false;  // the keeper deletes the container once its end was told
};

// The config.json that the driver makes of a command; its bundle is the rootfs. InvalidUse names
// the member.
Result<std::string> command_config(const Command& command);

// What `berth try` runs: args in a throw-away container over the host's root.
Command try_command(const std::vector<std::string>& args, bool terminal);

struct RunOptions {
  Streams streams = Streams::Pipes;
  int given[3] = {0, 1, 2};  // for Streams::Given; stay the caller's
  // Streams::Kept: the first Box::attach is connected before the program starts, and sees all. It
  // must be called, or the program waits for its reader.
  bool attach = false;
  // Called once the program runs, before anything that it writes can be read.
  std::function<void(pid_t pid)> on_start = {};
};

// Whether the kernel has killed for want of memory: fires once, and closes when the box ends.
class OomChannel {
 public:
  enum class Signal : unsigned char { None, Fired, Closed };

  OomChannel(OomChannel&&) noexcept;
  OomChannel& operator=(OomChannel&&) noexcept;
  ~OomChannel();

  // Readable when there may be something to tell. Owned by the channel.
  int fd() const;
  Result<Signal> next();

  struct Inner;
  explicit OomChannel(std::unique_ptr<Inner> inner);

 private:
  std::unique_ptr<Inner> inner_;
};

// A container that the driver runs. Closing the handle does not end it: a keeper, a small process
// of its own, is its parent, and keeps its exit status.
class Box {
 public:
  Box(Box&&) noexcept;
  Box& operator=(Box&&) noexcept;
  ~Box();

  const std::string& id() const;
  pid_t pid() const;  // 0: it had ended when the handle was made
  // Readable once the program has ended; -1 when it had ended before. Owned by the handle.
  int pidfd() const;
  Streams streams() const;
  bool terminal() const;

  // With Streams::Pipes, of a box that this handle has started: the caller's ends, else -1. Owned
  // by the handle; closing one early is to release and close it.
  int input() const;
  int output() const;
  int error() const;
  void close_input();

  // Streams::Kept: else WrongState. Of any program, as long as the box runs.
  Result<Attachment> attach();
  Result<OomChannel> oom_channel() const;

  // Blocks until the program has ended. The record tells an exit code from a signal, and both from
  // an end by the kernel for want of memory. The one of Container::exit_record once it was kept.
  Result<ExitRecord> wait();
  // SIGKILL to all of its processes, and wait.
  Result<ExitRecord> terminate();

  // exec, signal, pause, resume, update, processes, stats, state, destroy.
  Container& container();

  struct Inner;
  explicit Box(std::unique_ptr<Inner> inner);
  Inner& inner();

 private:
  std::unique_ptr<Inner> inner_;
};

struct DriverOptions {
  FactoryOptions factory = {};
  // The berth command, of which each box's keeper is a process. Empty: /proc/self/exe when the
  // caller is that command, else the installed one, else the first of $PATH.
  std::string program = {};
};

// What Driver::restore found.
struct Restored {
  std::vector<Box> boxes = {};            // running or ended, by id
  std::vector<std::string> removed = {};  // ids of half-made ones, whose maker is dead
  std::vector<std::string> damaged = {};  // "id: why": their records can not be read
};

// No state of its own: another program, or the same after a restart, sees the same boxes.
class Driver {
 public:
  static Result<Driver> open(DriverOptions options);

  // Returns when the program runs. Its errors are those of Factory::run; nothing is left behind.
  Result<Box> run(const Command& command, const RunOptions& options = {});
  // NotFound when there is none, or when it is none of the driver's.
  Result<Box> find(std::string_view id) const;
  // To a program of any container of which a keeper holds the terminal: a box's, or one of `berth
  // run` or `berth exec` with --detach-keys. process: of exec; 0: the first. WrongState: there is
  // none.
  Result<Attachment> attach(std::string_view id, pid_t process = 0) const;
  // After a restart of the engine: all boxes, and away with what a dead engine has left.
  Result<Restored> restore() const;

 private:
  Driver(DriverOptions options, Factory factory)
      : options_(std::move(options)), factory_(std::move(factory)) {}
  DriverOptions options_;
  Factory factory_;
};

}  // namespace berth
