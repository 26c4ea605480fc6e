// SPDX-License-Identifier: Apache-2.0
#include "berth/container.h"

#include "berth/try.h"
#include "core/context.h"
#include "engine/container_inner.h"
#include "engine/creation.h"
#include "spec/read_spec.h"

namespace berth {

Container::Container(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
Container::Container(Container&&) noexcept = default;
Container& Container::operator=(Container&&) noexcept = default;
Container::~Container() = default;

const std::string& Container::id() const { return inner_->id; }

Result<ContainerState> Container::state() const {
  const engine::StateDir directory = TRY(inner_->open());
  const engine::Snapshot snapshot = TRY(engine::look(directory));
  ContainerState state = engine::state_of(snapshot.record, snapshot.status);
  return state;
}

Result<Status> Container::status() const {
  const engine::StateDir directory = TRY(inner_->open());
  return TRY(engine::look(directory)).status;
}

Result<Resources> parse_resources(std::string_view json) { return spec::read_resources(json); }

Result<ProcessAttributes> parse_process_attributes(std::string_view json) {
  return spec::read_attributes(json);
}

}  // namespace berth
