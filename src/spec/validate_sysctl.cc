// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "berth/try.h"
#include "spec/paths.h"
#include "spec/validate.h"

namespace berth::spec {
namespace {

struct Rule {
  std::string_view path;  // ends in '/': all below it
  NamespaceType space;
  std::string_view space_name;
};

// The settings that belong to a namespace; any other would change the host.
constexpr Rule kRules[] = {
    {"fs/mqueue/", NamespaceType::Ipc, "ipc"},
    {"kernel/domainname", NamespaceType::Uts, "uts"},
    {"kernel/msgmax", NamespaceType::Ipc, "ipc"},
    {"kernel/msgmnb", NamespaceType::Ipc, "ipc"},
    {"kernel/msgmni", NamespaceType::Ipc, "ipc"},
    {"kernel/sem", NamespaceType::Ipc, "ipc"},
    {"kernel/shm_rmid_forced", NamespaceType::Ipc, "ipc"},
    {"kernel/shmall", NamespaceType::Ipc, "ipc"},
    {"kernel/shmmax", NamespaceType::Ipc, "ipc"},
    {"kernel/shmmni", NamespaceType::Ipc, "ipc"},
    {"net/", NamespaceType::Network, "network"},
    {"user/", NamespaceType::User, "user"},
};

const Rule* rule_for(std::string_view path) {
  const auto* rule = std::ranges::find_if(kRules, [path](const Rule& each) {
    return each.path.ends_with('/') ? path.starts_with(each.path) : path == each.path;
  });
  return rule == std::end(kRules) ? nullptr : rule;
}

std::string pointer_of_key(std::string_view key) { return "/linux/sysctl/" + pointer_token(key); }

Result<> setting_is_the_containers(const Spec& spec, const std::string& key) {
  const std::string path = sysctl_path(key);
  if (path.empty() || has_control_character(key))
    return invalid(pointer_of_key(key), "not the name of a sysctl");
  if (path == "kernel/hostname") return invalid(pointer_of_key(key), "use /hostname");
  if (path == "kernel/domainname" && !spec.domainname.empty()) {
    return invalid(pointer_of_key(key), "contradicts /domainname");
  }
  const Rule* rule = rule_for(path);
  if (rule == nullptr)
    return invalid(pointer_of_key(key), "not in a namespace: it would change the host");
  if (find_namespace(spec.platform, rule->space) == nullptr) {
    return invalid(pointer_of_key(key), "needs a {} namespace in /linux/namespaces",
                   rule->space_name);
  }
  return {};
}

}  // namespace

Result<> validate_sysctl(const Spec& spec) {
  for (const auto& setting : spec.platform.sysctl)
    TRY(setting_is_the_containers(spec, setting.first));
  return {};
}

}  // namespace berth::spec
