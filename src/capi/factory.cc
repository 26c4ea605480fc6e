// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "capi/handles.h"
#include "core/format.h"

namespace berth::capi {
namespace {

Result<FactoryOptions> factory_options(const berth_factory_options* given) {
  const berth_factory_options from = TRY(known(given));
  if (from.cgroup_manager < BERTH_CGROUP_FILESYSTEM || from.cgroup_manager > BERTH_CGROUP_DISABLED)
    return std::unexpected(Error(ErrorKind::InvalidUse, "there is no such cgroup_manager"));
  FactoryOptions options{
      .state_root = text(from.state_root),
      .cgroup_manager = static_cast<CgroupManagerKind>(from.cgroup_manager),
  };
  if (from.on_warning != nullptr) {
    options.on_warning = [call = from.on_warning, data = from.data](const std::string& warning) {
      call(data, warning.c_str());
    };
  }
  return options;
}

Result<Factory> open(const berth_factory_options* given) {
  return Factory::open(TRY(factory_options(given)));
}

Result<Container> create(Factory& factory, const char* id, const berth_create_options* given) {
  return factory.create(text(id), TRY(create_options(given)));
}

Result<Started> run(Factory& factory, const char* id, const berth_create_options* given) {
  return factory.run(text(id), TRY(create_options(given)));
}

Result<std::string> plan(const Factory& factory, const char* id,
                         const berth_create_options* given) {
  return factory.plan(text(id), TRY(create_options(given)));
}

std::string quoted(std::string_view text) {
  std::string json = "\"";
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x20 || byte == 0x7f) {
      json += formatted("\\u{:04x}", byte);
      continue;
    }
    if (letter == '"' || letter == '\\') json += '\\';
    json += letter;
  }
  return json + '"';
}

Result<std::string> list(const Factory& factory) {
  std::string json;
  for (const ListEntry& entry : TRY(factory.list())) {
    json += json.empty() ? "[" : ",";
    json += entry.error.empty() ? entry.state.to_json(0)
                                : formatted(R"({{"id":{},"error":{}}})", quoted(entry.state.id),
                                            quoted(entry.error));
  }
  return json.empty() ? "[]" : json + "]";
}

static_assert(static_cast<int>(CgroupManagerKind::Filesystem) == BERTH_CGROUP_FILESYSTEM);
static_assert(static_cast<int>(CgroupManagerKind::Systemd) == BERTH_CGROUP_SYSTEMD);
static_assert(static_cast<int>(CgroupManagerKind::Disabled) == BERTH_CGROUP_DISABLED);

}  // namespace
}  // namespace berth::capi

using namespace berth;  // NOLINT(google-build-using-namespace): the functions of C are in none

extern "C" {

berth_factory* berth_factory_open(const berth_factory_options* options, berth_error** error) {
  return capi::answer<berth_factory>(capi::open(options), error);
}

void berth_factory_close(berth_factory* factory) { delete factory; }

berth_container* berth_factory_create(berth_factory* factory, const char* id,
                                      const berth_create_options* options, berth_error** error) {
  return capi::answer<berth_container>(capi::create(factory->factory, id, options), error);
}

berth_container* berth_factory_run(berth_factory* factory, const char* id,
                                   const berth_create_options* options, berth_process** process,
                                   berth_error** error) {
  Result<Started> started = capi::run(factory->factory, id, options);
  if (!started) {
    capi::store(std::move(started).error(), error);
    return nullptr;
  }
  *process = new berth_process{std::move(started->process)};
  return new berth_container{std::move(started->container)};
}

berth_container* berth_factory_load(const berth_factory* factory, const char* id,
                                    berth_error** error) {
  return capi::answer<berth_container>(factory->factory.load(capi::text(id)), error);
}

char* berth_factory_list(const berth_factory* factory, berth_error** error) {
  return capi::answer(capi::list(factory->factory), error);
}

char* berth_factory_plan(const berth_factory* factory, const char* id,
                         const berth_create_options* options, berth_error** error) {
  return capi::answer(capi::plan(factory->factory, id, options), error);
}
}
