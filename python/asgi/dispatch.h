// Calls the application, now or in a Task.
//
// | way    | first step                                | when it suspends                        |
// |--------|-------------------------------------------|-----------------------------------------|
// | direct | at once, in its own context, with a lazy  | the lazy task becomes the Task of what  |
// |        | task as the current one                   | is left                                 |
// | eager  | at once, in a Task: CPython 3.12          | -                                       |
// | task   | in a later turn, in what                  | -                                       |
// |        | loop.create_task() makes                  |                                         |
//
// What an application can observe is the same in all three. Direct saves 0.3 to 1.4 us a request
// when the application does not suspend and costs nothing when it does. `auto` is direct where lazy
// tasks are supported, else task. Whatever was asked for, a request is dispatched by `task` when
// the loop has a task factory or is in debug mode: both want to see every task made. Each request
// runs in a copy of the lifespan's context. Tested by test_asgi_dispatch.py, which runs the same
// applications in all ways on all loops and compares.
#pragma once

#include <Python.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "python/asgi/lazy_task.h"
#include "python/asgi/runner.h"
#include "python/engine.h"
#include "python/ref.h"
#include "tercel/config/settings.h"

namespace tercel::python::asgi {

class Call;

using config::Dispatch;

// Prepares what all dispatchers use. False with a Python exception set.
[[nodiscard]] bool init_dispatch() noexcept;

class Dispatcher {
 public:
  // As AsgiHandler's. The three objects are kept.
  Dispatcher(Engine& engine, PyObject* app, PyObject* loop, PyObject* context,
             Dispatch way) noexcept;
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // False with ValueError set when this Python does not offer the way that was asked for.
  [[nodiscard]] bool init() noexcept;

  // Calls the application for one request.
  void run(SendCallable& send, Ref scope, Ref receive) noexcept {
    run(app_.get(), send, std::move(scope), std::move(receive));
  }
  // Calls `app` in its place, in the same way.
  void run(PyObject* app, SendCallable& send, Ref scope, Ref receive) noexcept;
  // Cancels the task of the application of `call`, be it suspended (`runner`) or in its first
  // step.
  void cancel(const Call& call, Runner* runner) noexcept;

  [[nodiscard]] PyObject* loop() const noexcept { return loop_.get(); }
  [[nodiscard]] PyObject* context() const noexcept { return context_.get(); }
  [[nodiscard]] std::size_t running_detached() const noexcept { return runners_.count_detached(); }
  void cancel_all() noexcept { runners_.cancel_all(); }
  int traverse(visitproc visit, void* arg) const;

 private:
  // The way of the next request.
  [[nodiscard]] Dispatch choose() noexcept;
  [[nodiscard]] bool wants_tasks() noexcept;

  // How a first step ended.
  struct StepEnd {
    PySendResult sent;
    Ref value;  // PYGEN_NEXT: what was yielded. PYGEN_ERROR: the exception that goes on.
  };
  // Each returns false with an exception set.
  [[nodiscard]] bool run_direct(PyObject* app, SendCallable& send, Ref& scope,
                                Ref& receive) noexcept;
  [[nodiscard]] bool run_in_task(PyObject* app, SendCallable& send, Ref scope, Ref receive,
                                 bool eager) noexcept;
  [[nodiscard]] StepEnd first_step(FirstStep& step, PyObject* app, const Ref& scope,
                                   const Ref& receive, Ref& coroutine) noexcept;
  [[nodiscard]] bool suspend(FirstStep& step, Ref coroutine, Ref yielded) noexcept;
  [[nodiscard]] bool conclude(FirstStep& step, Ref shell, Ref raised) noexcept;
  // What asyncio's loop does with an exception that comes out of a step.
  void report_raised() noexcept;

  Engine& engine_;
  Ref app_;
  Ref loop_;
  Ref context_;
  Dispatch way_;
  Dispatch chosen_ = Dispatch::kTask;  // For the turn at `chosen_at_`.
  std::chrono::nanoseconds chosen_at_{-1};
  const Call* stepping_ = nullptr;  // Its application is in its first step.
  RunnerList runners_;
  LazyTasks shells_;
};

}  // namespace tercel::python::asgi
