// SPDX-License-Identifier: Apache-2.0
#include "network/cni_network.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "berth/try.h"
#include "core/context.h"
#include "os/directory_list.h"
#include "os/file.h"

namespace berth::network {
namespace {

using Kind = json::Value::Kind;

constexpr size_t kMaxFile = 1UL << 20;
constexpr const char* kDefaultNetworks = "/etc/cni/net.d";
constexpr const char* kDefaultPlugins = "/opt/cni/bin:/usr/lib/cni";  // upstream's, and Debian's

std::string environment_or(const char* name, const char* otherwise) {
  const char* const value = ::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

// Of an optional member.
std::string_view text_of(const json::Value& object, std::string_view name) {
  const json::Value* const value = object.find(name);
  return value != nullptr && value->kind == Kind::String ? value->string() : std::string_view();
}

Result<> check_plugin(const json::Value& plugin, size_t index) {
  const std::string_view type = type_of(plugin);
  if (!type.empty() && type.find('/') == type.npos) return {};
  return fail(ErrorKind::InvalidConfig, "/plugins/{}/type is not the name of a plugin", index);
}

// Those with one of the endings, sorted.
std::vector<std::string> list_files(const std::string& directory,
                                    std::initializer_list<std::string_view> endings) {
  std::vector<std::string> names;
  const os::DirectoryList list(::opendir(directory.c_str()));
  if (list == nullptr) return names;
  while (const dirent* const entry = ::readdir(list.get())) {
    const std::string name = entry->d_name;
    if (std::ranges::any_of(endings, [&](std::string_view end) { return name.ends_with(end); }))
      names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

struct NamedFile {
  std::string name;
  CniFile file;
};

Result<NamedFile> read_named(const std::string& path) {
  std::string text = TRY(os::read_file_at(AT_FDCWD, path.c_str(), kMaxFile));
  const json::Document document = TRY(json::parse(text));
  std::string name(TRY(read_cni_network(document.root())).name);
  return NamedFile{.name = std::move(name), .file = {.path = path, .text = std::move(text)}};
}

}  // namespace

std::string_view type_of(const json::Value& plugin) { return text_of(plugin, "type"); }

bool can(const json::Value& plugin, std::string_view capability) {
  const json::Value* const all = plugin.find("capabilities");
  const json::Value* const one = all == nullptr ? nullptr : all->find(capability);
  return one != nullptr && one->kind == Kind::Bool && one->boolean;
}

bool CniNetwork::can(std::string_view capability) const {
  return std::ranges::any_of(plugins, [capability](const json::Value& plugin) {
    return network::can(plugin, capability);
  });
}

Result<CniNetwork> read_cni_network(const json::Value& root) {
  CniNetwork network{.name = text_of(root, "name"), .version = text_of(root, "cniVersion")};
  if (network.name.empty()) return fail(ErrorKind::InvalidConfig, "/name is missing or no text");
  const json::Value* const list = root.find("plugins");
  if (list != nullptr && list->kind != Kind::Array)
    return fail(ErrorKind::InvalidConfig, "/plugins is no array");
  network.plugins = list == nullptr ? std::span(&root, 1) : list->array();
  if (network.plugins.empty()) return fail(ErrorKind::InvalidConfig, "/plugins is empty");
  for (size_t i = 0; i < network.plugins.size(); ++i) TRY(check_plugin(network.plugins[i], i));
  return network;
}

Result<CniFile> find_cni_network(std::string_view name) {
  const std::string directory = environment_or("NETCONFPATH", kDefaultNetworks);
  std::vector<std::string> files = list_files(directory, {".conflist"});
  std::ranges::copy(list_files(directory, {".conf", ".json"}), std::back_inserter(files));
  std::string broken;
  for (const std::string& file : files) {
    const Result<NamedFile> found = read_named(directory + "/" + file);
    if (!found) broken += formatted("; {}: {}", file, found.error().message());
    if (found && found->name == name) return found->file;
  }
  return fail(ErrorKind::NotFound, "there is no CNI network {} in {}{}", name, directory, broken);
}

std::string cni_path() { return environment_or("CNI_PATH", kDefaultPlugins); }

Result<std::string> find_cni_plugin(std::string_view type) {
  const std::string path = cni_path();
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find(':', begin), path.size());
    std::string program = formatted("{}/{}", path.substr(begin, end - begin), type);
    struct stat status{};
    if (end != begin && ::stat(program.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
        ::access(program.c_str(), X_OK) == 0)
      return program;
    begin = end + 1;
  }
  return fail(ErrorKind::Unsupported,
              "there is no CNI plugin {} in {} (package containernetworking-plugins; $CNI_PATH)",
              type, path);
}

}  // namespace berth::network
