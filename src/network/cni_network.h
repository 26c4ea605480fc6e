// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "berth/error.h"
#include "json/value.h"

// Networks of CNI that root has set up: its specification, section 1.
namespace berth::network {

// A network configuration list, or what is older: the configuration of one plugin. Points into a
// document.
struct CniNetwork {
  std::string_view name = {};
  std::string_view version = {};
  std::span<const json::Value> plugins = {};  // objects with a "type" that is a plain file name

  // Whether a plugin says that it makes use of it ("portMappings", "ips", "mac").
  [[gnu::cold]] bool can(std::string_view capability) const;
};

[[gnu::cold]] bool can(const json::Value& plugin, std::string_view capability);
[[gnu::cold]] std::string_view type_of(const json::Value& plugin);

// InvalidConfig: what is missing or wrong in it.
[[gnu::cold]] Result<CniNetwork> read_cni_network(const json::Value& root);

struct CniFile {
  std::string path = {};
  std::string text = {};
};

// The file with the network of this name: *.conflist before *.conf and *.json, each in the order
// of their names, in $NETCONFPATH or /etc/cni/net.d.
[[gnu::cold]] Result<CniFile> find_cni_network(std::string_view name);

// A plugin's program in $CNI_PATH or /opt/cni/bin:/usr/lib/cni.
[[gnu::cold]] Result<std::string> find_cni_plugin(std::string_view type);
[[gnu::cold]] std::string cni_path();

}  // namespace berth::network
