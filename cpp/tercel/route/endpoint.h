// What a template leads to: its methods, each with the route that answers it.
//
// Told apart from a route: "/users/{id}" is one endpoint; its GET and its PUT are two routes. A
// value, filled by RouterBuilder. Tested by router_test.cc.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/route/method.h"
#include "tercel/route/template.h"

namespace tercel::route {

// A number of the caller's: what it knows of a route by.
using RouteId = std::uint32_t;

// One method of an endpoint.
struct Verb {
  std::string method;
  std::string name;  // Of the route, for messages.
  RouteId route = 0;
};

class Endpoint {
 public:
  explicit Endpoint(Template parsed);

  // As it was written first.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  // In the order of the path: the order of Match::captures().
  [[nodiscard]] std::span<const Field> fields() const noexcept { return fields_; }
  // In the order of registration.
  [[nodiscard]] std::span<const Verb> verbs() const noexcept { return verbs_; }

  // The known ones. Others are in verbs() only.
  [[nodiscard]] MethodSet methods() const noexcept { return methods_; }
  // Cost: one comparison for a known method, else linear in verbs().
  [[nodiscard]] std::optional<RouteId> route(std::string_view method) const noexcept;
  [[nodiscard]] std::optional<RouteId> route(Method method) const noexcept;

  // The value of Allow: the known methods, with those of `implied`, then the others. A caller that
  // answers HEAD or OPTIONS by itself implies them. Allocates: meant for the start.
  [[nodiscard]] std::string allow(MethodSet implied = {}) const;

  // REQUIRES: it has no such method yet.
  void add(Verb verb);

 private:
  std::string path_;
  std::vector<Field> fields_;
  std::vector<Verb> verbs_;
  std::array<RouteId, kMethodNames.size()> known_{};  // Of those in methods_.
  MethodSet methods_;
};

}  // namespace tercel::route
