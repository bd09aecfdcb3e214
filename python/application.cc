#include "python/application.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "python/asgi/door.h"
#include "python/asgi/handler.h"
#include "python/errors.h"
#include "python/server_options.h"
#include "python/wsgi/handler.h"
#include "tercel/edge/cors.h"
#include "tercel/edge/file_handler.h"
#include "tercel/edge/rate_limit.h"
#include "tercel/server/processors.h"
#include "tercel/server/thread_pool.h"
#include "tercel/server/threaded_server.h"

namespace nb = nanobind;

namespace tercel::python {
namespace {

PyObject* context_in(const nb::object& context) {
  if (!PyContext_CheckExact(context.ptr())) {
    throw nb::type_error("context must be a contextvars.Context");
  }
  return context.ptr();
}

PyObject* state_in(const nb::object& state) {
  if (state.is_none()) return nullptr;
  if (!PyDict_Check(state.ptr())) throw nb::type_error("state must be a dict or None");
  return state.ptr();
}

asgi::HandlerOptions to_handler_options(const config::Settings& settings) {
  return {.dispatch = settings.dispatch,
          .root_path = {.prefix = settings.root_path, .in_path = settings.root_path_strip},
          .cancel_on_disconnect = settings.cancel_on_disconnect,
          .websockets = settings.ws != config::WebSockets::kNone,
          .websocket = to_websocket(settings)};
}

// Most of them wait, for a database or for each other's lock.
std::size_t threads_for(const config::Settings& settings) {
  constexpr std::size_t kThreadsPerProcessor = 4;
  if (settings.threads > 0) return settings.threads;
  return kThreadsPerProcessor * server::available_processors();
}

wsgi::EnvironOptions to_environ_options(const config::Settings& settings) {
  return {.script_name = settings.root_path,
          .in_path = settings.root_path_strip,
          .multithread = threads_for(settings) > 1,
          // More than one: several, or as many as there are processors.
          .multiprocess = settings.workers != 1};
}

std::unique_ptr<edge::CorsPolicy> cors_in(const config::Settings& settings) {
  if (settings.cors_origin.empty()) return nullptr;
  const edge::CorsOptions options = to_cors(settings);
  if (const auto problem = edge::CorsPolicy::problem_of(options)) {
    throw nb::value_error(problem->c_str());
  }
  return std::make_unique<edge::CorsPolicy>(options);
}

// What the settings ask for around an application, for all of its loops. Null: it is not asked for.
struct Surroundings {
  // Throws ValueError with a sentence.
  explicit Surroundings(const config::Settings& settings)
      : mounts{to_mounts(settings)}, cors{cors_in(settings)} {
    if (settings.limit_rate > 0) {
      rates = std::make_unique<edge::RateTable>(to_rate_limit(settings));
    }
  }
  [[nodiscard]] bool any() const noexcept {
    return !mounts.empty() || rates != nullptr || cors != nullptr;
  }

  const std::vector<edge::FileMount> mounts;
  std::unique_ptr<edge::RateTable> rates;
  const std::unique_ptr<edge::CorsPolicy> cors;
};

// What the settings put before the handlers of one loop. CORS is the outermost: a page may read
// that it is too fast. Resource.
class Edge final : public http::Handler {
 public:
  // Each outlives it.
  Edge(http::Handler& inner, const net::Loop& loop, net::Syscalls& calls, Surroundings& around)
      : outermost_{&inner} {
    if (!around.mounts.empty()) outermost_ = &files_.emplace(*outermost_, calls, around.mounts);
    if (around.rates != nullptr) outermost_ = &limit_.emplace(*outermost_, loop, *around.rates);
    if (around.cors != nullptr) outermost_ = &cors_.emplace(*outermost_, *around.cors);
  }
  [[nodiscard]] http::Handler& outermost() noexcept { return *outermost_; }
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    outermost_->handle(request, exchange);
  }

 private:
  std::optional<edge::FileHandler> files_;
  std::optional<edge::RateLimit> limit_;
  std::optional<edge::Cors> cors_;
  http::Handler* outermost_;
};

class AsgiApplication final : public Application {
 public:
  AsgiApplication(Engine& engine, PyObject* app, PyObject* loop, PyObject* state, PyObject* context,
                  const config::Settings& settings, asgi::Commons* commons)
      : handler_{engine, app, loop, state, context, to_handler_options(settings)},
        around_{settings} {
    if (!handler_.init()) throw_python_error();
    const asgi::Front* const front = asgi::front_of(app);
    if (front == nullptr) return;
    if (front->open != nullptr) {
      loop_fronts_ = front->open(app, engine.loop(), commons);
    } else {
      front_ = front->make(app, handler_);
    }
    if (front_ == nullptr && loop_fronts_ == nullptr) throw_python_error();
  }

  std::unique_ptr<server::Service> serve(Engine& engine, const config::Settings& settings,
                                         const server::Options& options) override {
    if (loop_fronts_ != nullptr) return serve_on_threads(engine, settings, options);
    http::Handler* outermost = front_ != nullptr ? front_.get() : &handler_;
    if (around_.any()) {
      edge_ = std::make_unique<Edge>(*outermost, engine.loop(), engine.loop().syscalls(), around_);
      outermost = &edge_->outermost();
    }
    return or_throw(
        server::Service::create(engine.loop(), *outermost, options, settings.io_threads));
  }
  std::size_t active(const server::Service& service) const noexcept override {
    return service.active() + handler_.running_detached();
  }
  void cancel_all() noexcept override { handler_.cancel_all(); }
  const edge::MetricsSource* metrics() const noexcept override {
    return loop_fronts_ != nullptr ? loop_fronts_->metrics() : nullptr;
  }
  std::span<const std::string_view> hidden_parameters() const noexcept override {
    return loop_fronts_ != nullptr ? loop_fronts_->hidden_parameters()
                                   : std::span<const std::string_view>{};
  }
  void reopen_logs() noexcept override {
    if (loop_fronts_ != nullptr) loop_fronts_->reopen_logs();
  }
  void flush_logs() noexcept override {
    if (loop_fronts_ != nullptr) loop_fronts_->flush_logs();
  }
  int traverse(visitproc visit, void* arg) const override { return handler_.traverse(visit, arg); }

 private:
  // Two handlers, of which the outer one hears of requests.
  struct Pair final : http::Handler {
    Pair(std::unique_ptr<http::Handler> front, net::Loop& loop, Surroundings& around)
        : inner{std::move(front)}, edge{*inner, loop, loop.syscalls(), around} {}
    void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
      edge.handle(request, exchange);
    }
    const std::unique_ptr<http::Handler> inner;
    Edge edge;
  };

  std::unique_ptr<server::Service> serve_on_threads(Engine& engine,
                                                    const config::Settings& settings,
                                                    server::Options options) {
    if (loop_fronts_->takes_any_body() && settings.limit_request_body.unsaid) {
      options.limits.body_bytes_max = 0;  // No limit.
    }
    const auto wrap = [this](http::Handler& inner, net::Loop& loop) {
      std::unique_ptr<http::Handler> front = loop_fronts_->make(inner, loop);
      if (front == nullptr) throw_python_error();
      if (!around_.any()) return front;
      return std::unique_ptr<http::Handler>{
          std::make_unique<Pair>(std::move(front), loop, around_)};
    };
    const std::size_t threads =
        settings.io_threads > 0 ? settings.io_threads : server::available_processors();
    return or_throw(
        server::ThreadedServer::create(engine.loop(), handler_, options, threads, wrap));
  }

  asgi::AsgiHandler handler_;
  // What the application has before it, on its own loop or on those of connections; or neither.
  std::unique_ptr<http::Handler> front_;
  std::unique_ptr<asgi::LoopFronts> loop_fronts_;
  Surroundings around_;
  std::unique_ptr<Edge> edge_;
};

class WsgiApplication final : public Application {
 public:
  WsgiApplication(PyObject* app, const config::Settings& settings)
      : handler_{app, to_environ_options(settings)}, around_{settings} {
    if (!handler_.init()) throw_python_error();
  }

  std::unique_ptr<server::Service> serve(Engine& engine, const config::Settings& settings,
                                         const server::Options& options) override {
    net::Syscalls& calls = engine.loop().syscalls();
    pool_ = or_throw(server::ThreadPool::create(calls, handler_, threads_for(settings),
                                                options.limits.output_high_water_bytes));
    server::IoThread::Wrap wrap;
    if (around_.any()) {
      wrap = [this, &calls](http::Handler& inner, const net::Loop& loop) {
        return std::make_unique<Edge>(inner, loop, calls, around_);
      };
    }
    // Whoever receives and sends must not wait for the lock of the interpreter.
    const std::size_t io_threads = std::max<std::size_t>(settings.io_threads, 1);
    return or_throw(server::ThreadedServer::create(calls, *pool_, options, io_threads, wrap));
  }
  // Those that are under way are counted twice: as threads, and by the service.
  std::size_t active(const server::Service& service) const noexcept override {
    return std::max(service.active(), pool_->busy());
  }
  void cancel_all() noexcept override {}
  int traverse(visitproc visit, void* arg) const override { return handler_.traverse(visit, arg); }

 private:
  wsgi::WsgiHandler handler_;
  Surroundings around_;
  std::unique_ptr<server::ThreadPool> pool_;
};

}  // namespace

std::unique_ptr<Application> Application::asgi(Engine& engine, const nb::object& loop,
                                               const nb::object& app,
                                               const config::Settings& settings,
                                               const nb::object& state, const nb::object& context,
                                               asgi::Commons* commons) {
  return std::make_unique<AsgiApplication>(engine, app.ptr(), loop.ptr(), state_in(state),
                                           context_in(context), settings, commons);
}

std::unique_ptr<Application> Application::wsgi(const nb::object& app,
                                               const config::Settings& settings) {
  return std::make_unique<WsgiApplication>(app.ptr(), settings);
}

}  // namespace tercel::python
