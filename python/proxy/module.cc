// The module tercel._proxy: the half of tercel.proxy.Forward that is C++. Private. Loaded by the
// first import of tercel.proxy, so that a process without a proxy has neither it nor what it is
// linked with.
#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>

#include "python/asgi/open_door.h"
#include "python/errors.h"
#include "python/proxy/options.h"
#include "tercel/base/log.h"
#include "tercel/net/resolver.h"
#include "tercel/proxy/forward.h"
#include "tercel/proxy/pool.h"

namespace nb = nanobind;

namespace tercel::python::proxy {
namespace {

const asgi::Door* door = nullptr;

// What the engine says in this module goes where it goes in the other one; and the loops of the
// applications turn, since the interpreter fetches it when it runs next: where all requests go past
// it, that could be never.
class ToDoor final : public LogSink {
 public:
  void log(LogLevel level, std::string_view text) noexcept override {
    door->log(level, text);
    const std::scoped_lock lock{mutex_};
    for (net::Loop* const loop : loops_) loop->wake();
  }
  // One for each call of remove(). `loop` outlives that.
  void add(net::Loop& loop) {
    const std::scoped_lock lock{mutex_};
    loops_.push_back(&loop);
  }
  void remove(net::Loop& loop) noexcept {
    const std::scoped_lock lock{mutex_};
    loops_.erase(std::ranges::find(loops_, &loop));
  }

 private:
  std::mutex mutex_;
  std::vector<net::Loop*> loops_;
};
constinit ToDoor to_door;

void init_door() {
  door = asgi::open_door();
  if (door == nullptr) throw_python_error();
  set_log_sink(&to_door);
}

// What Forward() was given, for every loop that it is on.
class PyForward {
 public:
  explicit PyForward(const nb::dict& given) : options_{to_options(given)} {}
  [[nodiscard]] const ProxyOptions& options() const noexcept { return options_; }

 private:
  ProxyOptions options_;
};

// What it takes on a loop: names, connections, and the handler that uses them.
class ReverseProxy final : public http::Handler {
 public:
  ReverseProxy(net::Loop& loop, const ProxyOptions& given, tercel::proxy::Refuse refuse)
      : resolver_{loop},
        pool_{loop, resolver_, given.origin, given.limits},
        forward_{loop, pool_, with(given.forward, refuse)} {}

  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    forward_.handle(request, exchange);
  }

 private:
  static tercel::proxy::ForwardOptions with(tercel::proxy::ForwardOptions options,
                                            tercel::proxy::Refuse refuse) {
    options.refuse = refuse;
    return options;
  }

  net::Resolver resolver_;
  tercel::proxy::Pool pool_;
  tercel::proxy::Forward forward_;
};

const ProxyOptions& options_of(const nb::object& native) {
  return nb::inst_ptr<PyForward>(native)->options();
}

// Calls `function`; what it throws becomes a Python exception that is set, and `otherwise` the
// result.
template <typename Function, typename Value>
Value caught(Function function, Value otherwise) noexcept {
  try {
    return function();
  } catch (nb::python_error& error) {
    error.restore();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return otherwise;
}

// A proxy on the loops of one server.
class Fronts final : public asgi::LoopFronts {
 public:
  Fronts(nb::object native, net::Loop& app_loop) : native_{std::move(native)}, app_loop_{app_loop} {
    to_door.add(app_loop_);
  }
  ~Fronts() override { to_door.remove(app_loop_); }

  std::unique_ptr<http::Handler> make(http::Handler& /*inner*/, net::Loop& loop) noexcept override {
    return caught(
        [&] {
          return std::unique_ptr<http::Handler>{
              std::make_unique<ReverseProxy>(loop, options_of(native_), nullptr)};
        },
        std::unique_ptr<http::Handler>{});
  }

 private:
  nb::object native_;
  net::Loop& app_loop_;
};

std::unique_ptr<asgi::LoopFronts> open(PyObject* app, net::Loop& app_loop,
                                       asgi::Commons* /*commons*/) noexcept {
  return caught(
      [&] {
        return std::unique_ptr<asgi::LoopFronts>{
            std::make_unique<Fronts>(nb::borrow(app).attr("_native"), app_loop)};
      },
      std::unique_ptr<asgi::LoopFronts>{});
}

asgi::Mounted mount(PyObject* app, net::Loop& loop, asgi::Front::Refuse refuse) noexcept {
  return caught(
      [&] {
        const nb::object native = nb::borrow(app).attr("_native");
        const ProxyOptions& options = options_of(native);
        return asgi::Mounted{.handler = std::make_unique<ReverseProxy>(loop, options, refuse),
                             .takes_prefix_off = options.takes_prefix_off};
      },
      asgi::Mounted{});
}

constinit asgi::Front the_front{.make = nullptr, .open = open, .mount = mount};

}  // namespace
}  // namespace tercel::python::proxy

NB_MODULE(_proxy, module) {
  using namespace tercel::python;
#ifdef NDEBUG
  nb::set_leak_warnings(false);
#endif
  proxy::init_door();
  nb::class_<proxy::PyForward>(module, "Forward").def(nb::init<nb::dict>(), nb::arg("options"));
  module.attr("front") =
      nb::steal(PyCapsule_New(&proxy::the_front, asgi::Front::kCapsule, nullptr));
}
