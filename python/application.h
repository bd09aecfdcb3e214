// The application that a server calls, ASGI or WSGI, with what the settings put around it.
//
//   std::unique_ptr<Application> application = Application::wsgi(app, settings);
//   std::unique_ptr<server::Service> service = application->serve(engine, settings, options);
//
// The kind is chosen once; a server need not know. Resource: outlives its service. Thread: one that
// holds the interpreter lock. Tested by test_server_object.py.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include <nanobind/nanobind.h>

#include "python/asgi/door.h"
#include "python/engine.h"
#include "tercel/config/settings.h"
#include "tercel/server/options.h"
#include "tercel/server/service.h"

namespace tercel::python {

class Application {
 public:
  // `state` is the lifespan's dict or None; `context` the contextvars.Context that requests inherit
  // from; `commons` is null where there is one process. Throws TypeError, or ValueError when a
  // setting asks for what this Python does not offer.
  [[nodiscard]] static std::unique_ptr<Application> asgi(
      Engine& engine, const nanobind::object& loop, const nanobind::object& app,
      const config::Settings& settings, const nanobind::object& state,
      const nanobind::object& context, asgi::Commons* commons);
  [[nodiscard]] static std::unique_ptr<Application> wsgi(const nanobind::object& app,
                                                         const config::Settings& settings);
  Application() noexcept = default;
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;
  virtual ~Application() = default;

  // Makes what serves it. Once. Throws OSError when there are not enough descriptors for the
  // threads.
  [[nodiscard]] virtual std::unique_ptr<server::Service> serve(Engine& engine,
                                                               const config::Settings& settings,
                                                               const server::Options& options) = 0;
  // Requests that are not answered yet, which the service says, and those that it works on although
  // they are answered or their client is gone. Zero when there are none.
  [[nodiscard]] virtual std::size_t active(const server::Service& service) const noexcept = 0;
  // Ends what it still works on, where that can be done.
  virtual void cancel_all() noexcept = 0;
  // What it counts itself; null: nothing.
  [[nodiscard]] virtual const edge::MetricsSource* metrics() const noexcept { return nullptr; }
  // Parameters of URLs whose values the access log does not show, as asgi::LoopFronts.
  [[nodiscard]] virtual std::span<const std::string_view> hidden_parameters() const noexcept {
    return {};
  }
  // Of logs that are the application's own, as asgi::LoopFronts.
  virtual void reopen_logs() noexcept {}
  virtual void flush_logs() noexcept {}
  // For tp_traverse of the Python object that this is part of.
  virtual int traverse(visitproc visit, void* arg) const = 0;
};

}  // namespace tercel::python
