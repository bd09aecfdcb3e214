// The routes of one tercel.App, compiled for one server, or for requests without one.
//
// What is to be compiled comes from Python: App._specification() (src/tercel/api/app.py) returns a
// dict, whose keys read_specification() names. Thread: one that holds the interpreter lock.
// Tested by test_api_app.py.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>

#include "python/api/converters.h"
#include "python/api/encoder.h"
#include "python/api/endpoint.h"
#include "python/api/media.h"
#include "python/api/socket_mounts.h"
#include "python/asgi/door.h"
#include "tercel/api/app.h"
#include "tercel/edge/cors.h"
#include "tercel/edge/file_handler.h"
#include "tercel/edge/mount_handler.h"

namespace tercel::python::api {

// Resource: outlives the exchanges of its server.
class Instance {
 public:
  // Throws what the specification makes wrong: a fault of tercel's own Python code.
  explicit Instance(nanobind::object app);
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // From now on requests come from a server. `owner` keeps this; tasks hold it, and may outlive the
  // server. `mounts`: what answers by itself below prefixes, as long as requests come.
  void serve(asgi::AsgiHandler& inner, PyObject* owner, std::vector<edge::Mount> mounts);
  // What is mounted: prefixes and applications.
  using MountedApp = std::pair<std::string, nanobind::object>;
  [[nodiscard]] const std::vector<MountedApp>& mounted() const noexcept { return mounted_; }
  [[nodiscard]] http::Handler& handler() noexcept { return *handler_; }

  // A request without a server. Returns (status, headers, body) when it is answered;
  // (route, values), the number of the route and the values of its arguments, when its function is
  // to be called, or -1 - route: that which finds out who asks first; True when it needs the body,
  // which is None so far; and None when no route has its path. (function,): it is called, and
  // raises what refuses the request. `client`: the IP address of who asks, or None. `again`: it
  // came before, without its body. Throws what nobody answers, as KeyboardInterrupt.
  [[nodiscard]] nanobind::object begin(const nanobind::bytes& method, const nanobind::bytes& path,
                                       const nanobind::bytes& query, const nanobind::list& headers,
                                       const std::optional<nanobind::bytes>& body,
                                       const std::optional<std::string>& client, bool again);
  // The number of the route of a request; None: it has none.
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view method, std::string_view path);
  int traverse(visitproc visit, void* arg) const;

 private:
  // Notes the requests that no route has.
  class Unrouted final : public http::Handler {
   public:
    [[nodiscard]] bool came() const noexcept { return came_; }
    void forget() noexcept { came_ = false; }
    void handle(const http::Request&, http::Exchange&) noexcept override { came_ = true; }

   private:
    bool came_ = false;
  };
  // Answers 404, as tercel::api::App does.
  class Nothing final : public http::Handler {
   public:
    void handle(const http::Request& request, http::Exchange& exchange) noexcept override;
  };

  // Who answers for paths that no route has. `inner`: who answers what this does not.
  [[nodiscard]] http::Handler* unrouted(http::Handler& inner, std::vector<edge::Mount> mounts);
  // What stands before `inner` for paths that no route has: the folders of App.static(), if there
  // are any. `inner` is the same at each call, and outlives this.
  [[nodiscard]] http::Handler* files_before(http::Handler& inner);
  void read_specification(const nanobind::dict& specification);
  void add(const nanobind::tuple& route);
  // What asks for the credentials that `demands` name, each (Credentials, function or None,
  // whether that is a coroutine function).
  [[nodiscard]] std::vector<tercel::api::Demand> read_demands(const nanobind::list& demands);
  // (parameters, names, function, is_async), and its endpoint, for the route that is added next.
  [[nodiscard]] std::pair<tercel::api::Authenticator, PyEndpoint*> read_authenticator(
      const nanobind::tuple& authenticator);

  nanobind::object owner_;
  nanobind::object encoder_;
  nanobind::object request_type_;
  nanobind::object upload_type_;
  nanobind::object spool_type_;
  nanobind::object refusal_type_;
  nanobind::object answer_raised_;
  nanobind::object failed_;
  nanobind::object cors_object_;         // Of tercel.CORS, or None.
  std::vector<nanobind::object> rules_;  // Those of the routes, of credentials and media types.
  bool all_through_python_ = false;
  bool unrouted_through_python_ = false;
  Surroundings around_{};
  std::vector<PyEndpoint*> endpoints_;  // Those of app_, by route.
  std::vector<PyEndpoint*> refusals_;   // Those of its demands, and its authenticators.
  Portable portable_;
  Converters converters_;
  std::vector<edge::FileMount> folders_;
  std::vector<MountedApp> mounted_;
  std::vector<std::string> socket_paths_;  // Of WebSockets.
  Unrouted unrouted_;
  Nothing nothing_;
  std::optional<edge::MountHandler> mounts_;
  std::optional<SocketMounts> sockets_;
  std::optional<edge::FileHandler> files_;
  Media media_;
  tercel::api::App app_{&converters_};
  std::optional<edge::Cors> cors_;
  http::Handler* handler_ = &app_;  // Or the ASGI handler, where hooks are to be called; cors_.
};

// The table that the core module has for this one. False with a Python exception set.
[[nodiscard]] bool init_door() noexcept;

// Whether an application, once it is mounted, answers by itself: its requests do not come to
// Python.
[[nodiscard]] bool answers_by_itself(const nanobind::object& app);

// tercel.front (asgi/door.h): an Instance as what stands before an ASGI application.
[[nodiscard]] nanobind::object make_front();

}  // namespace tercel::python::api
