// Runs a WSGI application for each request of a server, on the threads of a pool.
//
// Source: PEP 3333. Tested by tests/python/test_wsgi_*.py.
#pragma once

#include <Python.h>

#include "python/ref.h"
#include "python/wsgi/environ.h"
#include "tercel/server/pool_thread.h"

namespace tercel::python::wsgi {

// Resource: outlives its pool. Made, and destroyed, with the interpreter lock held.
class WsgiHandler final : public server::BlockingHandler {
 public:
  WsgiHandler(PyObject* app, EnvironOptions options) noexcept
      : app_{Ref::share(app)}, environs_{std::move(options)} {}
  // False with a Python exception set. To be called once, before handle().
  [[nodiscard]] bool init() noexcept;

  void begin_thread() noexcept override;
  void end_thread() noexcept override;
  void handle(const http::Request& request, http::Exchange& exchange,
              server::Blocking& thread) noexcept override;

  // For tp_traverse of the Python object that this is part of.
  int traverse(visitproc visit, void* arg) const;

 private:
  Ref app_;
  EnvironBuilder environs_;
};

}  // namespace tercel::python::wsgi
