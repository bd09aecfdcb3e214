#include "python/api/socket_mounts.h"

#include <utility>

#include <nanobind/nanobind.h>

#include "tercel/route/router_builder.h"

namespace nb = nanobind;

namespace tercel::python::api {

SocketMounts::SocketMounts(const std::vector<std::string>& paths, route::UserConverters* users,
                           http::Handler& application, http::Handler& mounts)
    : application_{application}, mounts_{mounts}, match_{decoded_, users} {
  route::RouterBuilder builder{users};
  route::RouteId next = 0;
  for (const std::string& path : paths) {
    const auto problem = builder.add({.method = "GET", .path = path, .route = next++, .name = ""});
    if (problem) throw nb::value_error(problem->c_str());
  }
  router_ = std::move(builder).compile();
}

void SocketMounts::handle(const http::Request& request, http::Exchange& exchange) noexcept {
  const bool routed = router_.find("GET", request.path, match_) == route::Outcome::kFound;
  (routed ? application_ : mounts_).handle(request, exchange);
}

}  // namespace tercel::python::api
