// SPDX-License-Identifier: Apache-2.0
#include "berth/mounts.h"

#include <algorithm>
#include <iterator>

#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/output.h"
#include "cli/running.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/values.h"
#include "core/context.h"

namespace berth::cli {
namespace {

bool is_file(std::string_view word) { return word == "-" || word.ends_with(".json"); }

// "SOURCE:DEST[:OPTION,...]" or "TYPE::DEST[:OPTION,...]"
Result<LiveMount> parse_mount(std::string_view text) {
  const size_t colon = text.find(':');
  const bool makes = colon != text.npos && text.substr(colon).starts_with("::");
  const std::vector<std::string> parts = colon == text.npos
                                             ? std::vector<std::string>()
                                             : split(text.substr(colon + (makes ? 2 : 1)), ':');
  if (colon == 0 || parts.empty() || parts.size() > 2 || parts[0].empty())
    return fail(ErrorKind::InvalidUse,
                "\"{}\" is none of SOURCE:DEST[:OPTION,...], TYPE::DEST[:OPTION,...] and FILE.json",
                text);
  LiveMount mount{.destination = parts[0]};
  if (parts.size() == 2) mount.options = split(parts[1], ',');
  const std::string first(text.substr(0, colon));
  if (makes) {
    mount.type = mount.source = first;
    return mount;
  }
  mount.type = "bind";
  mount.source = first;
  const bool binds = std::ranges::any_of(mount.options, [](const std::string& option) {
    return option == "bind" || option == "rbind";
  });
  if (!binds) mount.options.insert(mount.options.begin(), "rbind");
  return mount;
}

Result<std::vector<LiveMount>> read_mounts(std::string_view word) {
  if (!is_file(word)) return std::vector{TRY(parse_mount(word))};
  Result<std::vector<LiveMount>> mounts = parse_mounts(TRY(read_text(std::string(word))));
  if (!mounts) mounts.error().set_place(word);
  return mounts;
}

// The words after the action and the container.
std::vector<std::string> words_of(const Arguments& arguments) {
  return arguments.words_from(arguments.given("pid") ? 1 : 2);
}

Result<std::vector<LiveMount>> wanted_mounts(const Arguments& arguments) {
  std::vector<LiveMount> wanted;
  for (const std::string& word : words_of(arguments))
    std::ranges::copy(TRY(read_mounts(word)), std::back_inserter(wanted));
  return wanted;
}

template <typename Target>
Result<> add(Target& container, const Arguments& arguments) {
  const std::string token =
      TRY(container.add_mounts(TRY(wanted_mounts(arguments)), arguments.text("token")));
  return print(token + "\n");
}

template <typename Target>
Result<> replace(Target& container, const Arguments& arguments) {
  const std::string token = TRY(container.replace_mounts(
      TRY(wanted_mounts(arguments)), arguments.text("token"), arguments.on("force")));
  return print(token + "\n");
}

// "DEST:OPTION[,OPTION...]"
template <typename Target>
Result<> change(Target& container, const Arguments& arguments) {
  std::vector<LiveMountChange> wanted;
  for (const std::string& word : words_of(arguments)) {
    const size_t colon = word.rfind(':');
    if (colon == word.npos || colon == 0 || colon + 1 == word.size())
      return fail(ErrorKind::InvalidUse, "\"{}\" is no DEST:OPTION[,OPTION...]", word);
    wanted.push_back({.destination = word.substr(0, colon),
                      .options = split(std::string_view(word).substr(colon + 1), ',')});
  }
  return container.change_mounts(wanted, arguments.on("force"));
}

template <typename Target>
Result<> remove(Target& container, const Arguments& arguments) {
  std::vector<std::string> names;
  for (const std::string& word : words_of(arguments)) {
    if (!is_file(word)) {
      names.push_back(word);
      continue;
    }
    for (const LiveMount& mount : TRY(read_mounts(word))) names.push_back(mount.destination);
  }
  if (names.empty()) return fail(ErrorKind::InvalidUse, "mounts remove: no mount is named");
  return container.remove_mounts(names, arguments.on("force"));
}

std::string to_table(const std::vector<LiveMountState>& states) {
  std::vector<std::vector<std::string>> rows = {
      {"TOKEN", "DESTINATION", "TYPE", "SOURCE", "STATE", "OPTIONS"}};
  for (const LiveMountState& state : states) {
    std::string options;
    for (const std::string& option : state.mount.options)
      options += (options.empty() ? "" : ",") + option;
    rows.push_back({state.token, state.mount.destination, state.mount.type, state.mount.source,
                    state.is_there ? "there" : "gone", options});
  }
  return table(rows);
}

template <typename Target>
Result<> list(Target& container, const Arguments& arguments) {
  const std::vector<LiveMountState> states = TRY(container.mounts());
  return print(arguments.text("format") == "json" ? to_json(states) + "\n" : to_table(states));
}

template <typename Target>
struct Action {
  std::string_view name;
  Result<> (*run)(Target& container, const Arguments& arguments);
};

template <typename Target>
constexpr Action<Target> kActions[] = {{"add", add<Target>},
                                       {"remove", remove<Target>},
                                       {"replace", replace<Target>},
                                       {"change", change<Target>},
                                       {"list", list<Target>}};

template <typename Target>
const Action<Target>* find_action(const Arguments& arguments) {
  const auto& actions = kActions<Target>;
  const auto* action = std::ranges::find(actions, arguments.word(0), &Action<Target>::name);
  return action == std::end(actions) ? nullptr : action;
}

template <typename Target>
Result<int> act(Target container, const Arguments& arguments) {
  TRY(find_action<Target>(arguments)->run(container, arguments));
  return 0;
}

}  // namespace

Result<int> run_mounts(const Invocation& invocation) {
  const Arguments& arguments = invocation.arguments;
  if (find_action<Container>(arguments) == nullptr)
    return fail(ErrorKind::InvalidUse,
                "mounts: there is no \"{}\", but add, remove, replace, change and list",
                arguments.word(0));
  if (arguments.given("pid")) {
    const pid_t pid = TRY(parse_pid(arguments.text("pid")));
    return act(TRY(ForeignContainer::open({.pid = pid})), arguments);
  }
  if (arguments.word(1).empty())
    return fail(ErrorKind::InvalidUse, "mounts {}: no container is named", arguments.word(0));
  if (!arguments.on("engine-scan")) return act(TRY(find_container(invocation, 1)), arguments);
  const RunningContainer found =
      TRY(choose(TRY(all_containers(invocation)), arguments.word(1), true));
  if (!found.state_root.empty()) return act(TRY(find_container(invocation, 1)), arguments);
  return act(TRY(ForeignContainer::open(found)), arguments);
}

}  // namespace berth::cli
