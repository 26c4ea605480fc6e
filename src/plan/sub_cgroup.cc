// SPDX-License-Identifier: Apache-2.0
#include "plan/sub_cgroup.h"

#include <algorithm>

#include "berth/try.h"
#include "core/context.h"

namespace berth::plan {
namespace {

Result<std::string> clean_path(std::string_view text) {
  std::string clean;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, end);
    if (part == "..") {
      return fail(ErrorKind::InvalidUse, "bad sub cgroup path: {} is not a sub cgroup path", text);
    }
    if (!part.empty() && part != ".") clean += (clean.empty() ? "" : "/") + std::string(part);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return clean;
}

Result<> add(std::string_view controllers, const std::string& path, const std::string& text,
             std::vector<SubCgroup>& list) {
  for (bool more = true; more;) {
    const size_t end = controllers.find(',');
    more = end != controllers.npos;
    const std::string controller(controllers.substr(0, end));
    controllers.remove_prefix(more ? end + 1 : controllers.size());
    if (controller.empty()) {
      return fail(ErrorKind::InvalidUse,
                  "invalid --cgroup argument: {} (empty <controller> prefix)", text);
    }
    if (std::ranges::find(list, controller, &SubCgroup::controller) != list.end()) {
      return fail(ErrorKind::InvalidUse,
                  "invalid --cgroup argument(s): controller {} specified multiple times",
                  controller);
    }
    list.push_back({controller, path});
  }
  return {};
}

}  // namespace

Result<std::vector<SubCgroup>> read_sub_cgroups(const std::vector<std::string>& texts) {
  std::vector<SubCgroup> list;
  for (const std::string& text : texts) {
    const size_t colon = text.find(':');
    if (colon == text.npos) {
      if (texts.size() > 1) {
        return fail(ErrorKind::InvalidUse,
                    "invalid --cgroup argument: {} (missing <controller>: prefix)", text);
      }
      list.push_back({"", TRY(clean_path(text))});
      continue;
    }
    const std::string path = TRY(clean_path(std::string_view(text).substr(colon + 1)));
    TRY(add(std::string_view(text).substr(0, colon), path, text, list));
  }
  return list;
}

}  // namespace berth::plan
