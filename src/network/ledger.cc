// SPDX-License-Identifier: Apache-2.0
#include "network/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "berth/try.h"
#include "core/context.h"
#include "network/namespace.h"
#include "os/directory_list.h"
#include "os/file.h"
#include "spec/interfaces.h"

namespace berth::network {
namespace {

using json::field;
using json::Field;

constexpr const char* kDirectory = "/run/berth-network";
constexpr const char* kLock = "/run/berth-network/lock";
constexpr size_t kMaxSize = 16UL << 20;

}  // namespace

std::span<const Field> fields(const Holding*) {
  static constexpr Field kFields[] = {
      field<&Holding::state>("state", json::Presence::Required),
      field<&Holding::interface>("interface", json::Presence::Required),
      field<&Holding::host_name>("hostName"),
      field<&Holding::link>("link"),
      field<&Holding::addresses>("addresses"),
      field<&Holding::ports>("ports"),
      field<&Holding::has_rules>("rules"),
      field<&Holding::routes_loopback>("routesLoopback"),
  };
  return kFields;
}

std::span<const Field> fields(const LedgerText*) {
  static constexpr Field kFields[] = {
      field<&LedgerText::interfaces>("interfaces"),
      field<&LedgerText::last>("last"),
  };
  return kFields;
}

namespace {

Result<os::UniqueFd> lock_all() {
  if (::mkdir(kDirectory, 0700) < 0 && errno != EEXIST)
    return system_error(errno, "make {}", kDirectory);
  os::UniqueFd lock = TRY(os::open_at(AT_FDCWD, kLock, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  while (::flock(lock.get(), LOCK_EX) < 0) {
    if (errno != EINTR) return system_error(errno, "lock {}", kLock);
  }
  return lock;
}

// Its cookie, which no other namespace gets until the next boot; the number of one that has ended
// is soon another's.
Result<std::string> path_of_own() {
  const os::UniqueFd socket = TRY(open_own_socket());
  uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0)
    return formatted("{}/{}.json", kDirectory, cookie);
  const os::UniqueFd own = TRY(open_own_namespace());  // Linux below 5.14
  struct stat status;
  if (::fstat(own.get(), &status) < 0) return system_error(errno, "stat the network namespace");
  return formatted("{}/inode-{}.json", kDirectory, status.st_ino);
}

Result<LedgerText> read_text(const std::string& path) {
  Result<std::string> text = os::read_file_at(AT_FDCWD, path.c_str(), kMaxSize);
  LedgerText read;
  if (!text && text.error().os_error() == ENOENT) return read;
  const std::string whole = TRY(std::move(text));
  const json::Document document = TRY(json::parse(whole));
  std::vector<json::UnknownMember> unknown;  // of a newer berth
  TRY(json::read_value(document.root(), read, json::Place{.unknown = &unknown}));
  return read;
}

bool is_of(const Holding& holding, const std::string& state, const std::string& interface) {
  return holding.state == state && holding.interface == interface;
}

}  // namespace

bool is_leftover(const Holding& holding) {
  struct stat status;
  return ::lstat(holding.state.c_str(), &status) < 0 && errno == ENOENT;
}

Result<Ledger> Ledger::open() {
  Ledger ledger;
  ledger.lock_ = TRY(lock_all());
  ledger.path_ = TRY(path_of_own());
  Result<LedgerText> text = read_text(ledger.path_);
  if (!text) text.error().set_place(ledger.path_);
  ledger.text_ = TRY(std::move(text));
  return ledger;
}

const Holding* Ledger::find(const std::string& state, const std::string& interface) const {
  const auto found = std::ranges::find_if(
      text_.interfaces, [&](const Holding& each) { return is_of(each, state, interface); });
  return found == text_.interfaces.end() ? nullptr : &*found;
}

void Ledger::put(Holding holding) {
  const auto held = std::ranges::find_if(text_.interfaces, [&](const Holding& each) {
    return is_of(each, holding.state, holding.interface);
  });
  if (held == text_.interfaces.end())
    text_.interfaces.push_back(std::move(holding));
  else
    *held = std::move(holding);
}

void Ledger::drop(const std::string& state, const std::string& interface) {
  std::erase_if(text_.interfaces,
                [&](const Holding& each) { return is_of(each, state, interface); });
  // Nobody is left who could have a neighbour. (The number of a namespace is used again, too.)
  if (text_.interfaces.empty()) text_.last.clear();
}

std::vector<Holding> Ledger::leftovers() const {
  std::vector<Holding> left;
  std::ranges::copy_if(text_.interfaces, std::back_inserter(left), is_leftover);
  return left;
}

const std::string* Ledger::last_of(const std::string& network) const {
  const auto found = std::ranges::find(text_.last, network, &json::StringPairs::value_type::first);
  return found == text_.last.end() ? nullptr : &found->second;
}

void Ledger::set_last(const std::string& network, const std::string& address) {
  const auto found = std::ranges::find(text_.last, network, &json::StringPairs::value_type::first);
  if (found == text_.last.end())
    text_.last.emplace_back(network, address);
  else
    found->second = address;
}

Result<> Ledger::sweep() const {
  const os::DirectoryList list(::opendir(kDirectory));
  if (!list) return system_error(errno, "read {}", kDirectory);
  while (const dirent* entry = ::readdir(list.get())) {
    const std::string path = formatted("{}/{}", kDirectory, entry->d_name);
    if (!path.ends_with(".json") || path == path_) continue;
    const Result<LedgerText> text = read_text(path);
    if (text && std::ranges::all_of(text->interfaces, is_leftover)) (void)::unlink(path.c_str());
  }
  return {};
}

Result<> Ledger::save() const {
  if (text_.interfaces.empty()) {
    if (::unlink(path_.c_str()) < 0 && errno != ENOENT)
      return system_error(errno, "remove {}", path_);
    return {};
  }
  json::Writer writer;
  json::write_value(writer, text_);
  return os::replace_file_at(AT_FDCWD, path_.c_str(), writer.text(), 0600);
}

}  // namespace berth::network
