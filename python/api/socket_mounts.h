// Requests for WebSockets, where something is mounted that answers without Python: those that a
// route of the application has are its own, the others go to what is mounted.
//
// Resource: one an Instance. Thread: the loop's. Tested by test_proxy_websockets.py.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "tercel/api/limits.h"
#include "tercel/http/handler.h"
#include "tercel/route/match.h"
#include "tercel/route/router.h"

namespace tercel::python::api {

class SocketMounts final : public http::Handler {
 public:
  // `paths`: of the application's WebSockets, which it has checked. `users`: as of
  // tercel::api::App. All outlive it. Throws ValueError.
  SocketMounts(const std::vector<std::string>& paths, route::UserConverters* users,
               http::Handler& application, http::Handler& mounts);

  void handle(const http::Request& request, http::Exchange& exchange) noexcept override;

 private:
  http::Handler& application_;
  http::Handler& mounts_;
  route::Router router_;
  std::array<char, tercel::api::kPathBytesMax> decoded_{};
  route::Match match_;
};

}  // namespace tercel::python::api
