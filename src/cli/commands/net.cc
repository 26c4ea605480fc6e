// SPDX-License-Identifier: Apache-2.0
#include "berth/network.h"

#include <algorithm>

#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/network_options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/table.h"
#include "core/context.h"

namespace berth::cli {
namespace {

Result<> attach(Container& container, const Arguments& arguments) {
  std::vector<Interface> wanted;
  for (const std::string& text : arguments.words_from(2)) wanted.push_back(TRY(parse_interface(text)));
  if (wanted.empty()) return fail(ErrorKind::InvalidUse, "net attach: no interface is named");
  const std::vector<std::string> made = TRY(container.attach_interfaces(wanted));
  std::string names;
  for (const std::string& name : made) names += name + "\n";
  Result<> told = print(names);
  // Nobody would know what they are called.
  if (!told) (void)container.detach_interfaces(made);
  return told;
}

Result<> detach(Container& container, const Arguments& arguments) {
  const std::vector<std::string> names = arguments.words_from(2);
  if (names.empty()) return fail(ErrorKind::InvalidUse, "net detach: no interface is named");
  return container.detach_interfaces(names);
}

std::string to_table(const std::vector<InterfaceState>& states) {
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "TYPE", "STATE", "MAC", "LINK", "HOST NAME", "ADDRESSES"}};
  for (const InterfaceState& state : states) {
    std::string addresses;
    for (const std::string& address : state.addresses)
      addresses += (addresses.empty() ? "" : ",") + address;
    rows.push_back({state.name, state.kind, state.is_up ? "up" : "down", state.mac, state.link,
                    state.host_name, addresses});
  }
  return table(rows);
}

Result<> list(Container& container, const Arguments& arguments) {
  const std::vector<InterfaceState> states = TRY(container.interfaces());
  return print(arguments.text("format") == "json" ? to_json(states) + "\n" : to_table(states));
}

// Of no container: those that are concerned are gone.
Result<int> prune(const Arguments& arguments) {
  if (!arguments.words_from(1).empty())
    return fail(ErrorKind::InvalidUse, "net prune: it is for all containers that are gone");
  std::string names;
  for (const std::string& name : TRY(remove_network_leftovers())) names += name + "\n";
  TRY(print(names));
  return 0;
}

struct Action {
  std::string_view name;
  Result<> (*run)(Container& container, const Arguments& arguments);
};

constexpr Action kActions[] = {{"attach", attach}, {"detach", detach}, {"list", list}};

}  // namespace

Result<int> run_net(const Invocation& invocation) {
  const Arguments& arguments = invocation.arguments;
  if (arguments.word(0) == "prune") return prune(arguments);
  const auto* action = std::ranges::find(kActions, arguments.word(0), &Action::name);
  if (action == std::end(kActions))
    return fail(ErrorKind::InvalidUse,
                "net: there is no \"{}\", but attach, detach, list and prune", arguments.word(0));
  if (arguments.word(1).empty())
    return fail(ErrorKind::InvalidUse, "net {}: no container is named", arguments.word(0));
  Container container = TRY(find_container(invocation, 1));
  TRY(action->run(container, arguments));
  return 0;
}

}  // namespace berth::cli
