#include "tercel/edge/mount_handler.h"

#include <algorithm>
#include <new>
#include <utility>

#include "tercel/base/percent.h"
#include "tercel/edge/file_path.h"

namespace tercel::edge {

bool has_dot_segment(std::string_view path) noexcept {
  constexpr std::size_t kDotsMax = 2;
  std::size_t dots = 0;  // Of the name so far, which is nothing else.
  bool only_dots = true;
  const auto is_one = [&] { return only_dots && dots > 0 && dots <= kDotsMax; };
  while (!path.empty()) {
    const char c = take_decoded(path);
    if (c == '.') {
      ++dots;
    } else if (c == '/' || c == '\\' || c == ';') {
      if (is_one()) return true;
      dots = 0;
      only_dots = c != ';';
    } else {
      only_dots = false;
    }
  }
  return is_one();
}

bool is_below(std::string_view path, std::string_view prefix) noexcept {
  const std::size_t behind = match_prefix(path, prefix);
  return behind != std::string_view::npos && !has_dot_segment(path.substr(behind));
}

MountHandler::MountHandler(http::Handler& inner, std::vector<Mount> mounts)
    : inner_{inner}, mounts_{std::move(mounts)} {
  std::ranges::stable_sort(mounts_, [](const Mount& one, const Mount& other) {
    return one.prefix.size() > other.prefix.size();
  });
}

void MountHandler::handle(const http::Request& request, http::Exchange& exchange) noexcept {
  for (const Mount& mount : mounts_) {
    const std::size_t behind = match_prefix(request.path, mount.prefix);
    if (behind == std::string_view::npos) continue;
    if (mount.handler == nullptr) break;
    const std::string_view rest = request.path.substr(behind);
    if (!has_dot_segment(rest)) return pass_on(mount, rest, request, exchange);
  }
  inner_.handle(request, exchange);
}

void MountHandler::pass_on(const Mount& mount, std::string_view rest, const http::Request& request,
                           http::Exchange& exchange) noexcept {
  if (mount.taken == Mount::Prefix::kStays || mount.prefix.empty()) {
    return mount.handler->handle(request, exchange);
  }
  http::Request below = request;
  below.path = rest.empty() ? "/" : rest;
  // From the rest on, as it came; without one, whoever needs a target makes it of path and query.
  const bool begins_target = request.target.data() == request.path.data();
  below.target = begins_target && !rest.empty()
                     ? request.target.substr(request.path.size() - rest.size())
                     : std::string_view{};
  below.root_path = mount.prefix;
  if (!request.root_path.empty()) {
    try {
      root_path_.assign(request.root_path).append(mount.prefix);
    } catch (const std::bad_alloc&) {
      return exchange.abort(Errc::kNoMemory);
    }
    below.root_path = root_path_;
  }
  mount.handler->handle(below, exchange);
}

}  // namespace tercel::edge
