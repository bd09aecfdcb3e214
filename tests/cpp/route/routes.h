// Makes routers of short texts, and texts of what they find.
#pragma once

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>

#include "tercel/route/router_builder.h"

namespace tercel::test {

// Registers "GET /path" texts; routes are numbered from 0. The first problem, or nothing.
inline route::Problem add_all(route::RouterBuilder& builder,
                              std::initializer_list<std::string_view> routes) {
  route::RouteId route = 0;
  for (const std::string_view text : routes) {
    const std::size_t space = text.find(' ');
    if (auto problem = builder.add(
            {.method = text.substr(0, space), .path = text.substr(space + 1), .route = route++})) {
      return problem;
    }
  }
  return std::nullopt;
}

// "/a/{x} x=1", with the text of each field; "404", "405" or "414".
inline std::string found(const route::Router& router, std::string_view method,
                         std::string_view path, route::UserConverters* users = nullptr) {
  std::array<char, 4096> decoded;
  route::Match match{decoded, users};
  switch (router.find(method, path, match)) {
    case route::Outcome::kNotFound:
      return "404";
    case route::Outcome::kMethodNotAllowed:
      return "405";
    case route::Outcome::kTooLong:
      return "414";
    case route::Outcome::kFound:
      break;
  }
  std::string out = match.endpoint()->path();
  for (std::size_t i = 0; i < match.captures().size(); ++i) {
    const auto& field = match.endpoint()->fields()[i];
    (out += ' ').append(field.name).append("=").append(match.captures()[i].text);
  }
  return out;
}

}  // namespace tercel::test
