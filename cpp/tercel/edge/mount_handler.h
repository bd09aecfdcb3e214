// A handler before a handler: the paths below a prefix are another handler's.
//
//   edge::MountHandler mounts{application, {{.prefix = "/old", .handler = &forward}}};
//
// Of several prefixes the longest counts. A prefix is compared with the path as it is decoded, name
// by name: "/%6Fld/a" is below "/old", "/older" and "/old%2Fa" are not. The prefix moves from the
// path to Request::root_path, unless that is not wished for; the handler is asked for what is left.
//
// A path that leads upwards, or may be taken for one that does ("..", "%2e%2e", "..%2F", "..\",
// "..;"), is below no prefix of a handler: whoever resolves it behind us could end up beside the
// prefix.
//
// Resource: one a handler; outlives the exchanges. Thread: the loop's. Cost: linear in the path and
// the prefixes; nothing is allocated, unless a trusted proxy took off a prefix, too. Tested by
// mount_handler_test.cc and tests/python/test_proxy_mount.py.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tercel/http/handler.h"

namespace tercel::edge {

struct Mount {
  enum class Prefix : bool { kStays, kTakenOff };

  std::string prefix;  // "/old", decoded, without a slash at its end; empty: every path.
  http::Handler* handler = nullptr;  // Outlives the mounts. Null: the inner one, as it came.
  Prefix taken = Prefix::kTakenOff;
};

class MountHandler final : public http::Handler {
 public:
  // `inner` outlives it.
  MountHandler(http::Handler& inner, std::vector<Mount> mounts);
  MountHandler(const MountHandler&) = delete;
  MountHandler& operator=(const MountHandler&) = delete;

  void handle(const http::Request& request, http::Exchange& exchange) noexcept override;

 private:
  void pass_on(const Mount& mount, std::string_view rest, const http::Request& request,
               http::Exchange& exchange) noexcept;

  http::Handler& inner_;
  std::vector<Mount> mounts_;  // The longest prefix first.
  std::string root_path_;      // Of the request that is being passed on.
};

// Whether a mount at `prefix` would get `path`: a handler's.
[[nodiscard]] bool is_below(std::string_view path, std::string_view prefix) noexcept;

// Whether somebody who decodes and resolves `path` could be led upwards, or stay where he is.
[[nodiscard]] bool has_dot_segment(std::string_view path) noexcept;

}  // namespace tercel::edge
