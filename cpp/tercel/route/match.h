// The answer of a lookup, and the room that it needs: about 1.5 KiB, used again and again.
//
// A resource: one a thread. Tested by router_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/route/endpoint.h"
#include "tercel/route/template.h"
#include "tercel/route/value.h"

namespace tercel::route {

enum class Outcome : std::uint8_t {
  kFound,
  kMethodNotAllowed,  // 405, or 501: Router::knows_method() tells.
  kNotFound,          // 404
  kTooLong            // 414; the path does not fit into the room for decoding.
};

class Match {
 public:
  // `decoded`: room for what is percent-encoded, and so the longest path that is looked up; below
  // 4 GiB. `users`: those that the router's builder had. Both must outlive the match.
  explicit Match(std::span<char> decoded, UserConverters* users = nullptr) noexcept
      : decoded_{decoded}, users_{users} {}
  Match(const Match&) = delete;
  Match& operator=(const Match&) = delete;

  // All are those of the last lookup. Views are valid until the next one, as long as its path is.

  // Null unless kFound or kMethodNotAllowed. Valid as long as the router.
  [[nodiscard]] const Endpoint* endpoint() const noexcept { return endpoint_; }
  // REQUIRES: kFound.
  [[nodiscard]] RouteId route() const noexcept { return route_; }
  // One for each of endpoint()->fields(), in that order.
  [[nodiscard]] std::span<const Capture> captures() const noexcept {
    return {captures_.data(), capture_count_};
  }
  // Where in the path, not yet decoded, the `path` field begins; the path's size if there is none.
  // What is mounted there is behind the '/' before it.
  [[nodiscard]] std::size_t rest_offset() const noexcept { return rest_offset_; }
  // The work that was done: nodes of the tree that were entered, mixed segments that were tried,
  // and comparisons of bytes in those.
  [[nodiscard]] std::uint32_t steps() const noexcept { return steps_; }

 private:
  friend class Router;

  std::span<char> decoded_;
  UserConverters* users_;
  const Endpoint* endpoint_ = nullptr;
  RouteId route_ = 0;
  std::uint32_t steps_ = 0;
  std::size_t rest_offset_ = 0;
  std::size_t capture_count_ = 0;
  std::array<Capture, kFieldsMax> captures_;
};

static_assert(sizeof(Match) <= 1536);

}  // namespace tercel::route
