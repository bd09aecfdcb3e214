#include "python/asgi/runner.h"

#include <utility>

#include "python/asgi/call.h"
#include "python/asgi/coroutine.h"
#include "python/asgi/failure.h"
#include "python/asgi/interned.h"
#include "python/asgi/types.h"
#include "python/gil.h"

namespace tercel::python::asgi {
namespace {

PyTypeObject* runner_type = nullptr;

Runner& runner_of(PyObject* self) noexcept {
  return *reinterpret_cast<Runner*>(self);
}

PyObject* object_of(Runner& runner) noexcept {
  return reinterpret_cast<PyObject*>(&runner);
}

// The application is done, one way or another.
void close_runner(Runner& runner) noexcept {
  runner.state = RunnerState::kOver;
  runner.send->call->set_runner(nullptr);
  Py_CLEAR(runner.app);
  Py_CLEAR(runner.scope);
  Py_CLEAR(runner.receive);
  Py_CLEAR(runner.coroutine);
  Py_CLEAR(runner.yielded);
  Py_CLEAR(runner.ending);
  runner.leave();
}

// What the task sees of what the application did.
PySendResult conclude(Runner& runner, PySendResult sent, PyObject** result) noexcept {
  if (sent == PYGEN_NEXT) return sent;
  const Ref self = Ref::share(object_of(runner));
  if (sent == PYGEN_RETURN) {
    Py_DECREF(*result);
    settle_returned(*runner.send->call);
  } else if (settle_raised(*runner.send->call)) {
    Ref raised = take_raised();
    close_runner(runner);
    restore_raised(std::move(raised));
    *result = nullptr;
    return PYGEN_ERROR;
  }
  close_runner(runner);
  *result = Py_NewRef(Py_None);
  return PYGEN_RETURN;
}

// Says whether a Task is about to take a Future over, as awaiting it does. False, with no exception
// set, when `awaited` is no Future.
bool set_blocking(PyObject* awaited, PyObject* blocking) noexcept {
  if (PyObject_SetAttr(awaited, keys._asyncio_future_blocking, blocking) == 0) return true;
  PyErr_Clear();
  return false;
}

// What the first step yielded, for the Task to take over.
Ref take_yielded(Runner& runner) noexcept {
  Ref yielded = Ref::steal(std::exchange(runner.yielded, nullptr));
  runner.state = RunnerState::kRunning;
  if (std::exchange(runner.parked, false)) set_blocking(yielded.get(), Py_True);
  return yielded;
}

bool call_app(Runner& runner) noexcept {
  PyObject* args[] = {nullptr, runner.scope, runner.receive,
                      reinterpret_cast<PyObject*>(runner.send)};
  const Ref awaitable = Ref::steal(entering_python([&] {
    return PyObject_Vectorcall(runner.app, args + 1, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
  }));
  Py_CLEAR(runner.app);
  Py_CLEAR(runner.scope);
  Py_CLEAR(runner.receive);
  if (awaitable) runner.coroutine = await_iterator(awaitable.get());
  return runner.coroutine != nullptr;
}

PySendResult resume(Runner& runner, PyObject* value, PyObject** result) noexcept {
  const Ref coroutine = Ref::share(runner.coroutine);
  const auto send = [&] { return PyIter_Send(coroutine.get(), value, result); };
  return conclude(runner, entering_python(send), result);
}

// Ends as the first step did.
PySendResult end_late(Runner& runner, PyObject** result) noexcept {
  Ref ending = Ref::steal(std::exchange(runner.ending, nullptr));
  close_runner(runner);
  if (!ending) {
    *result = Py_NewRef(Py_None);
    return PYGEN_RETURN;
  }
  restore_raised(std::move(ending));
  return PYGEN_ERROR;
}

PySendResult runner_am_send(PyObject* self, PyObject* value, PyObject** result) noexcept {
  Runner& runner = runner_of(self);
  *result = nullptr;
  switch (runner.state) {
    case RunnerState::kFresh:
      runner.state = RunnerState::kRunning;
      if (!call_app(runner)) return conclude(runner, PYGEN_ERROR, result);
      return resume(runner, value, result);
    case RunnerState::kHandover:
      *result = take_yielded(runner).release();
      return PYGEN_NEXT;
    case RunnerState::kRunning:
      return resume(runner, value, result);
    case RunnerState::kEnding:
      return end_late(runner, result);
    case RunnerState::kOver:
      break;
  }
  PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
  return PYGEN_ERROR;
}

PyObject* runner_next(PyObject* self) noexcept {
  PyObject* result = nullptr;
  const PySendResult sent = runner_am_send(self, Py_None, &result);
  return next_result(sent, result);
}

PyObject* runner_send(PyObject* self, PyObject* value) noexcept {
  PyObject* result = nullptr;
  const PySendResult sent = runner_am_send(self, value, &result);
  return send_result(sent, result);
}

// Throws into the application's coroutine. Returns as am_send does.
PySendResult throw_in(Runner& runner, PyObject* const* args, Py_ssize_t count,
                      PyObject** result) noexcept {
  const Ref coroutine = Ref::share(runner.coroutine);
  const Ref method = Ref::steal(PyObject_GetAttr(coroutine.get(), keys.throw_));
  if (!method) return conclude(runner, PYGEN_ERROR, result);
  *result = entering_python([&] {
    return PyObject_Vectorcall(method.get(), args, static_cast<std::size_t>(count), nullptr);
  });
  if (*result != nullptr) return PYGEN_NEXT;
  if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return conclude(runner, PYGEN_ERROR, result);
  PyErr_Clear();
  *result = Py_NewRef(Py_None);  // What an application returns is nobody's concern.
  return conclude(runner, PYGEN_RETURN, result);
}

// Whether `awaited` takes a cancellation upon itself: a Task that is cancelled cancels the Future
// it waits for, and ends only when that tells it so.
bool cancels(PyObject* awaited, PyObject* thrown) noexcept {
  if (!PyExceptionInstance_Check(thrown) || !is_cancelled_error(thrown)) return false;
  // CancelledError(message), as Task.cancel(message) makes it.
  const Ref message = Ref::steal(PyObject_GetAttr(thrown, keys.args));
  const Ref method = Ref::steal(message ? PyObject_GetAttr(awaited, keys.cancel) : nullptr);
  const Ref cancelled =
      Ref::steal(method ? PyObject_Call(method.get(), message.get(), nullptr) : nullptr);
  if (!cancelled) {
    PyErr_Clear();  // Not a Future: the coroutine itself gets the exception.
    return false;
  }
  return cancelled.get() == Py_True;
}

// The Task was cancelled before it saw what the first step awaited.
PySendResult throw_at_handover(Runner& runner, PyObject* const* args, Py_ssize_t count,
                               PyObject** result) noexcept {
  Ref awaited = take_yielded(runner);
  if (count > 0 && cancels(awaited.get(), args[0])) {
    *result = awaited.release();
    return PYGEN_NEXT;
  }
  set_blocking(awaited.get(), Py_False);
  return throw_in(runner, args, count, result);
}

PyObject* runner_throw(PyObject* self, PyObject* const* args, Py_ssize_t count) noexcept {
  Runner& runner = runner_of(self);
  PyObject* result = nullptr;
  PySendResult sent = PYGEN_ERROR;
  switch (runner.state) {
    case RunnerState::kHandover:
      sent = throw_at_handover(runner, args, count, &result);
      break;
    case RunnerState::kRunning:
      sent = throw_in(runner, args, count, &result);
      break;
    case RunnerState::kFresh:
      raise_thrown(args, count);
      sent = conclude(runner, PYGEN_ERROR, &result);
      break;
    case RunnerState::kEnding:
      close_runner(runner);
      return raise_thrown(args, count);
    case RunnerState::kOver:
      return raise_thrown(args, count);
  }
  return send_result(sent, result);
}

PyObject* runner_close(PyObject* self, PyObject* /*unused*/) noexcept {
  Runner& runner = runner_of(self);
  if (runner.coroutine == nullptr) Py_RETURN_NONE;
  const Ref coroutine = Ref::share(runner.coroutine);
  return entering_python([&] { return PyObject_CallMethodNoArgs(coroutine.get(), keys.close); });
}

// Attributes of coroutines, by which tools look into suspended tasks.
PyObject* get_of_coroutine(PyObject* self, void* name) noexcept {
  PyObject* key = *static_cast<PyObject**>(name);
  if (runner_of(self).coroutine != nullptr) {
    return PyObject_GetAttr(runner_of(self).coroutine, key);
  }
  if (key == keys.__name__ || key == keys.__qualname__) {
    return PyUnicode_FromString("application");
  }
  PyErr_SetObject(PyExc_AttributeError, key);
  return nullptr;
}

int runner_traverse(PyObject* self, visitproc visit, void* arg) noexcept {
  Runner& runner = runner_of(self);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(runner.send);
  Py_VISIT(runner.app);
  Py_VISIT(runner.scope);
  Py_VISIT(runner.receive);
  Py_VISIT(runner.coroutine);
  Py_VISIT(runner.yielded);
  Py_VISIT(runner.ending);
  Py_VISIT(runner.task);
  return 0;
}

int runner_clear(PyObject* self) noexcept {
  close_runner(runner_of(self));
  return 0;
}

// A task that is destroyed before its end leaves a client behind.
void runner_finalize(PyObject* self) noexcept {
  Runner& runner = runner_of(self);
  if (runner.state == RunnerState::kOver || runner.state == RunnerState::kEnding) return;
  Ref raised = take_raised();
  Py_CLEAR(runner.coroutine);  // May run its finally clauses.
  settle_returned(*runner.send->call);
  if (raised) restore_raised(std::move(raised));
}

void runner_dealloc(PyObject* self) noexcept {
  if (PyObject_CallFinalizerFromDealloc(self) < 0) return;
  PyObject_GC_UnTrack(self);
  PyTypeObject* type = Py_TYPE(self);
  close_runner(runner_of(self));
  Py_DECREF(runner_of(self).send);
  PyObject_GC_Del(self);
  Py_DECREF(type);
}

PyMethodDef runner_methods[] = {{"send", runner_send, METH_O, nullptr},
                                {"throw", fast_method(runner_throw), METH_FASTCALL, nullptr},
                                {"close", runner_close, METH_NOARGS, nullptr},
                                {"__await__", await_self, METH_NOARGS, nullptr},
                                {nullptr, nullptr, 0, nullptr}};

PyGetSetDef runner_getset[] = {
    {"cr_await", get_of_coroutine, nullptr, nullptr, &keys.cr_await},
    {"cr_code", get_of_coroutine, nullptr, nullptr, &keys.cr_code},
    {"cr_frame", get_of_coroutine, nullptr, nullptr, &keys.cr_frame},
    {"cr_running", get_of_coroutine, nullptr, nullptr, &keys.cr_running},
    {"__name__", get_of_coroutine, nullptr, nullptr, &keys.__name__},
    {"__qualname__", get_of_coroutine, nullptr, nullptr, &keys.__qualname__},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyType_Slot runner_slots[] = {{Py_tp_dealloc, slot(runner_dealloc)},
                              {Py_tp_finalize, slot(runner_finalize)},
                              {Py_tp_traverse, slot(runner_traverse)},
                              {Py_tp_clear, slot(runner_clear)},
                              {Py_tp_iter, slot(return_self)},
                              {Py_tp_iternext, slot(runner_next)},
                              {Py_am_await, slot(return_self)},
                              {Py_am_send, slot(runner_am_send)},
                              {Py_tp_methods, runner_methods},
                              {Py_tp_getset, runner_getset},
                              {0, nullptr}};

}  // namespace

RunnerList::~RunnerList() {
  while (first_ != nullptr) first_->leave();
}

void RunnerList::add(Runner& runner, PyObject* task) noexcept {
  runner.task = Py_NewRef(task);
  runner.send->call->set_runner(&runner);
  runner.join(*this);
}

std::size_t RunnerList::count_detached() const noexcept {
  std::size_t count = 0;
  for (const Runner* runner = first_; runner != nullptr; runner = runner->next) {
    if (!runner->send->call->attached()) ++count;
  }
  return count;
}

void RunnerList::cancel_all() noexcept {
  // Cancelling runs callbacks of Futures, never a task: the list stays as it is meanwhile.
  for (Runner* runner = first_; runner != nullptr; runner = runner->next) {
    const Ref task = Ref::share(runner->task);
    if (!Ref::steal(PyObject_CallMethodNoArgs(task.get(), keys.cancel))) PyErr_Clear();
  }
}

void Runner::join(RunnerList& joined) noexcept {
  list = &joined;
  previous = nullptr;
  next = joined.first_;
  if (next != nullptr) next->previous = this;
  joined.first_ = this;
  Py_INCREF(object_of(*this));
}

void Runner::leave() noexcept {
  if (list == nullptr) return;
  (previous != nullptr ? previous->next : list->first_) = next;
  if (next != nullptr) next->previous = previous;
  list = nullptr;
  PyObject* left = std::exchange(task, nullptr);
  Py_DECREF(object_of(*this));  // Not the last reference: the caller holds one, or the task does.
  Py_DECREF(left);
}

bool init_runner() noexcept {
  runner_type = make_type("tercel._core.Runner", sizeof(Runner), runner_slots, Py_TPFLAGS_HAVE_GC);
  return runner_type != nullptr;
}

Runner* make_runner(SendCallable& send) noexcept {
  Runner* runner = PyObject_GC_New(Runner, runner_type);
  if (runner == nullptr) return nullptr;
  Py_INCREF(&send);
  runner->send = &send;
  runner->app = runner->scope = runner->receive = nullptr;
  runner->coroutine = runner->yielded = runner->ending = runner->task = nullptr;
  runner->list = nullptr;
  runner->previous = runner->next = nullptr;
  runner->state = RunnerState::kEnding;
  runner->parked = false;
  PyObject_GC_Track(object_of(*runner));
  return runner;
}

Runner* make_runner(SendCallable& send, PyObject* app, Ref scope, Ref receive) noexcept {
  Runner* runner = make_runner(send);
  if (runner == nullptr) return nullptr;
  runner->app = Py_NewRef(app);
  runner->scope = scope.release();
  runner->receive = receive.release();
  runner->state = RunnerState::kFresh;
  return runner;
}

void hand_over(Runner& runner, Ref coroutine, Ref yielded) noexcept {
  Py_XSETREF(runner.coroutine, coroutine.release());
  if (yielded.get() == Py_None) {
    // A bare yield: the step that the Task has scheduled is the one that goes on.
    runner.state = RunnerState::kRunning;
  } else {
    runner.yielded = yielded.release();
    runner.state = RunnerState::kHandover;
  }
}

void park(Runner& runner) noexcept {
  runner.parked = set_blocking(runner.yielded, Py_False);
}

void end(Runner& runner, Ref exception) noexcept {
  Py_CLEAR(runner.coroutine);
  runner.ending = exception.release();
  runner.state = RunnerState::kEnding;
}

}  // namespace tercel::python::asgi
