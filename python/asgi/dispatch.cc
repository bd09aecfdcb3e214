#include "python/asgi/dispatch.h"

#include <array>
#include <utility>

#include "python/asgi/call.h"
#include "python/asgi/coroutine.h"
#include "python/asgi/failure.h"
#include "python/asgi/interned.h"
#include "python/gil.h"

namespace tercel::python::asgi {
namespace {

PyObject* current_task = nullptr;    // asyncio.current_task
PyObject* eager_keywords = nullptr;  // The names of the arguments of an eager Task.

Ref call_app(PyObject* app, const Ref& scope, const Ref& receive, SendCallable& send) noexcept {
  std::array<PyObject*, 4> args{nullptr, scope.get(), receive.get(),
                                reinterpret_cast<PyObject*>(&send)};
  return Ref::steal(entering_python([&] {
    return PyObject_Vectorcall(app, args.data() + 1, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
  }));
}

// Queues a Task's step in the loop, in its context.
bool call_soon(PyObject* loop, const Ref& step, PyObject* context) noexcept {
  const Ref method = Ref::steal(PyObject_GetAttr(loop, keys.call_soon));
  const Ref names = Ref::steal(method ? PyTuple_Pack(1, keys.context) : nullptr);
  if (!names) return false;
  std::array<PyObject*, 2> args{step.get(), context};
  return static_cast<bool>(Ref::steal(entering_python(
      [&] { return PyObject_Vectorcall(method.get(), args.data(), 1, names.get()); })));
}

}  // namespace

bool init_dispatch() noexcept {
  const Ref module = Ref::steal(PyImport_ImportModule("asyncio.tasks"));
  if (!module) return false;
  current_task = PyObject_GetAttrString(module.get(), "current_task");
  eager_keywords = PyTuple_Pack(3, keys.loop, keys.context, keys.eager_start);
  return current_task != nullptr && eager_keywords != nullptr;
}

Dispatcher::Dispatcher(Engine& engine, PyObject* app, PyObject* loop, PyObject* context,
                       Dispatch way) noexcept
    : engine_{engine},
      app_{Ref::share(app)},
      loop_{Ref::share(loop)},
      context_{Ref::share(context)},
      way_{way} {}

bool Dispatcher::init() noexcept {
  if (way_ == Dispatch::kAuto) {
    way_ = lazy_tasks_supported() ? Dispatch::kDirect : Dispatch::kTask;
  }
  if (way_ == Dispatch::kDirect && !lazy_tasks_supported()) {
    PyErr_SetString(PyExc_ValueError, "dispatch=direct is not offered for this version of Python");
    return false;
  }
  if (way_ == Dispatch::kEager && PY_VERSION_HEX < 0x030C0000) {
    PyErr_SetString(PyExc_ValueError, "dispatch=eager needs Python 3.12 or later");
    return false;
  }
  return true;
}

void Dispatcher::run(PyObject* app, SendCallable& send, Ref scope, Ref receive) noexcept {
  bool ran = false;
  switch (choose()) {
    case Dispatch::kDirect:
      ran = run_direct(app, send, scope, receive);
      break;
    case Dispatch::kEager:
      ran = run_in_task(app, send, std::move(scope), std::move(receive), /*eager=*/true);
      break;
    case Dispatch::kAuto:
    case Dispatch::kTask:
      ran = run_in_task(app, send, std::move(scope), std::move(receive), /*eager=*/false);
      break;
  }
  if (ran) return;
  report_raised();
  send.call->abort(Errc::kHandlerFailed);
}

Dispatch Dispatcher::choose() noexcept {
  if (way_ == Dispatch::kTask) return way_;
  // Both answers come from Python code: they are asked for once a turn.
  if (const std::chrono::nanoseconds now = engine_.loop().now(); now != chosen_at_) {
    chosen_at_ = now;
    chosen_ = wants_tasks() ? Dispatch::kTask : way_;
  }
  return chosen_;
}

bool Dispatcher::wants_tasks() noexcept {
  const auto ask = [this](PyObject* name) {
    return entering_python([&] { return PyObject_CallMethodNoArgs(loop_.get(), name); });
  };
  const Ref debug = Ref::steal(ask(keys.get_debug));
  const Ref factory = Ref::steal(debug ? ask(keys.get_task_factory) : nullptr);
  if (!factory) PyErr_Clear();
  return debug.get() != Py_False || factory.get() != Py_None;
}

bool Dispatcher::run_direct(PyObject* app, SendCallable& send, Ref& scope, Ref& receive) noexcept {
  const Ref context = Ref::steal(PyContext_Copy(context_.get()));
  Ref shell = context ? shells_.take() : Ref{};
  if (!shell) return false;
  FirstStep step{
      .loop = loop_.get(), .context = context.get(), .send = &send, .shell = shell.get()};
  if (!begin_first_step(step)) {
    if (PyErr_Occurred()) return false;
    return run_in_task(app, send, std::move(scope), std::move(receive), /*eager=*/false);
  }
  Ref coroutine;
  StepEnd ended = first_step(step, app, scope, receive, coroutine);
  finish_first_step(step);
  if (ended.sent == PYGEN_NEXT) {
    return suspend(step, std::move(coroutine), std::move(ended.value));
  }
  return conclude(step, std::move(shell), std::move(ended.value));
}

Dispatcher::StepEnd Dispatcher::first_step(FirstStep& step, PyObject* app, const Ref& scope,
                                           const Ref& receive, Ref& coroutine) noexcept {
  Call& call = *step.send->call;
  if (PyContext_Enter(step.context) < 0) return {PYGEN_ERROR, take_raised()};
  stepping_ = &call;
  const Ref awaitable = call_app(app, scope, receive, *step.send);
  if (awaitable) coroutine = Ref::steal(await_iterator(awaitable.get()));
  step.coroutine = coroutine.get();

  PyObject* result = nullptr;
  PySendResult sent = PYGEN_ERROR;
  if (coroutine) {
    sent = entering_python([&] { return PyIter_Send(coroutine.get(), Py_None, &result); });
  }
  StepEnd ended{sent, Ref::steal(result)};
  if (sent == PYGEN_RETURN) {
    ended.value = {};
    settle_returned(call);
  } else if (sent == PYGEN_ERROR && settle_raised(call)) {
    ended.value = take_raised();
  }
  stepping_ = nullptr;
  if (PyContext_Exit(step.context) < 0) PyErr_Clear();
  return ended;
}

bool Dispatcher::suspend(FirstStep& step, Ref coroutine, Ref yielded) noexcept {
  const bool is_task = static_cast<bool>(step.runner);
  if (!is_task) step.runner = Ref::steal(reinterpret_cast<PyObject*>(make_runner(*step.send)));
  if (!step.runner) return false;
  Runner& runner = *reinterpret_cast<Runner*>(step.runner.get());
  const bool bare = yielded.get() == Py_None;
  hand_over(runner, std::move(coroutine), std::move(yielded));
  runners_.add(runner, step.shell);
  bool done = true;
  if (!is_task) {
    const TaskStart start = bare ? TaskStart::kScheduled : TaskStart::kAtOnce;
    done = become_task(step.shell, runner, step.loop, step.context, start);
    if (!done) runner.leave();
  } else if (step.held) {
    done = bare ? call_soon(step.loop, step.held, step.context) : run_step(step.held, step.context);
  }
  if (runner.state == RunnerState::kHandover) park(runner);
  return done;
}

bool Dispatcher::conclude(FirstStep& step, Ref shell, Ref raised) noexcept {
  if (step.runner) {
    end(*reinterpret_cast<Runner*>(step.runner.get()), std::move(raised));
    return !step.held || run_step(step.held, step.context);
  }
  if (!shells_.put_back(shell)) {
    // What they will see is a Task that is done.
    const Ref runner = Ref::steal(reinterpret_cast<PyObject*>(make_runner(*step.send)));
    if (!runner) return false;
    Runner& ended = *reinterpret_cast<Runner*>(runner.get());
    end(ended, std::move(raised));
    return become_task(shell.get(), ended, step.loop, step.context, TaskStart::kAtOnce);
  }
  if (!raised || is_cancelled_error(raised.get())) return true;
  restore_raised(std::move(raised));
  return false;
}

bool Dispatcher::run_in_task(PyObject* app, SendCallable& send, Ref scope, Ref receive,
                             bool eager) noexcept {
  const Ref context = Ref::steal(PyContext_Copy(context_.get()));
  const Ref owned = Ref::steal(reinterpret_cast<PyObject*>(
      context ? make_runner(send, app, std::move(scope), std::move(receive)) : nullptr));
  if (!owned) return false;
  Runner& runner = *reinterpret_cast<Runner*>(owned.get());
  stepping_ = send.call;  // For eager tasks, ours and those of a task factory.
  Ref task;
  if (eager) {
    std::array<PyObject*, 4> args{owned.get(), loop_.get(), context.get(), Py_True};
    task = Ref::steal(entering_python([&] {
      return PyObject_Vectorcall(reinterpret_cast<PyObject*>(task_type()), args.data(), 1,
                                 eager_keywords);
    }));
  } else if (PyContext_Enter(context.get()) == 0) {
    task = Ref::steal(entering_python(
        [&] { return PyObject_CallMethodOneArg(loop_.get(), keys.create_task, owned.get()); }));
    Ref raised = take_raised();
    if (PyContext_Exit(context.get()) < 0) PyErr_Clear();
    if (raised) restore_raised(std::move(raised));
  }
  stepping_ = nullptr;
  if (task && runner.state != RunnerState::kOver) runners_.add(runner, task.get());
  return static_cast<bool>(task);
}

void Dispatcher::cancel(const Call& call, Runner* runner) noexcept {
  Ref task;
  if (runner != nullptr) {
    task = Ref::share(runner->task);
  } else if (stepping_ == &call) {
    task = Ref::steal(PyObject_CallOneArg(current_task, loop_.get()));
  }
  if (task && task.get() != Py_None) {
    task = Ref::steal(PyObject_CallMethodNoArgs(task.get(), keys.cancel));
  }
  if (PyErr_Occurred()) PyErr_WriteUnraisable(loop_.get());
}

int Dispatcher::traverse(visitproc visit, void* arg) const {
  Py_VISIT(app_.get());
  Py_VISIT(loop_.get());
  Py_VISIT(context_.get());
  return 0;
}

void Dispatcher::report_raised() noexcept {
  Ref raised = take_raised();
  if (!leaves_loop(raised.get())) {
    log_error("the server could not run the ASGI application", raised.get());
    return;
  }
  Gil gil = Gil::assume_held();
  restore_raised(std::move(raised));
  engine_.propagate(gil);
}

}  // namespace tercel::python::asgi
