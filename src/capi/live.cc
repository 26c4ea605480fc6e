// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>

#include "berth/lxcfs.h"
#include "berth/try.h"
#include "capi/handles.h"

// Changes of containers that run.
namespace berth::capi {
namespace {

static_assert(static_cast<int>(LxcfsAction::Look) == BERTH_LXCFS_LOOK);
static_assert(static_cast<int>(LxcfsAction::Mount) == BERTH_LXCFS_MOUNT);
static_assert(static_cast<int>(LxcfsAction::Unmount) == BERTH_LXCFS_UNMOUNT);
static_assert(static_cast<int>(LxcfsAction::Remount) == BERTH_LXCFS_REMOUNT);

Result<std::vector<LiveMount>> read(const char* json) {
  Result<std::vector<LiveMount>> mounts = parse_mounts(text(json));
  if (!mounts) mounts.error().set_place("mounts");
  return mounts;
}

Result<std::string> add_mounts(Container& container, const char* json, const char* token) {
  return container.add_mounts(TRY(read(json)), text(token));
}

Result<std::string> replace_mounts(Container& container, const char* json, const char* token,
                                   bool force) {
  return container.replace_mounts(TRY(read(json)), text(token), force);
}

Result<> change_mounts(Container& container, const char* json, bool force) {
  std::vector<LiveMountChange> changes;
  for (LiveMount& mount : TRY(read(json)))
    changes.push_back({std::move(mount.destination), std::move(mount.options)});
  return container.change_mounts(changes, force);
}

Result<std::string> mounts(const Container& container) { return to_json(TRY(container.mounts())); }

Result<std::vector<LxcfsReport>> change_lxcfs(int action, const berth_lxcfs_options* given) {
  const berth_lxcfs_options known_options = TRY(known(given));
  if (action < BERTH_LXCFS_LOOK || action > BERTH_LXCFS_REMOUNT)
    return std::unexpected(Error(ErrorKind::InvalidUse, "there is no such action for lxcfs"));
  LxcfsOptions options{.directory = text(known_options.directory)};
  if (known_options.timeout_ms > 0)
    options.timeout = std::chrono::milliseconds(known_options.timeout_ms);
  return berth::change_lxcfs(static_cast<LxcfsAction>(action), TRY(find_containers()), options);
}

}  // namespace
}  // namespace berth::capi

using namespace berth;  // NOLINT(google-build-using-namespace): the functions of C are in none

extern "C" {

char* berth_container_add_mounts(berth_container* container, const char* mounts_json,
                                 const char* token, berth_error** error) {
  return capi::answer(capi::add_mounts(container->container, mounts_json, token), error);
}

char* berth_container_replace_mounts(berth_container* container, const char* mounts_json,
                                     const char* token, int force, berth_error** error) {
  return capi::answer(capi::replace_mounts(container->container, mounts_json, token, force != 0),
                      error);
}

int berth_container_change_mounts(berth_container* container, const char* mounts_json, int force,
                                  berth_error** error) {
  return capi::answer(capi::change_mounts(container->container, mounts_json, force != 0), error);
}

int berth_container_remove_mounts(berth_container* container, const char* name, int force,
                                  berth_error** error) {
  return capi::answer(container->container.remove_mounts({capi::text(name)}, force != 0), error);
}

char* berth_container_mounts(const berth_container* container, berth_error** error) {
  return capi::answer(capi::mounts(container->container), error);
}

int berth_lxcfs_change(int action, const berth_lxcfs_options* options, char** report_json,
                       berth_error** error) {
  Result<std::vector<LxcfsReport>> reports = capi::change_lxcfs(action, options);
  if (!reports) {
    capi::store(std::move(reports).error(), error);
    return -1;
  }
  if (report_json != nullptr) *report_json = capi::copy(to_json(*reports));
  return std::ranges::all_of(*reports, &LxcfsReport::is_right) ? 1 : 0;
}
}
