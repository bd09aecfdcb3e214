#include "python/asgi/lazy_task.h"

#include <optional>
#include <utility>

#include "python/asgi/awaitable.h"
#include "python/asgi/call.h"
#include "python/asgi/interned.h"
#include "python/asgi/types.h"
#include "python/gil.h"
#include "python/loop_core.h"

namespace tercel::python::asgi {
namespace {

PyTypeObject* real_type = nullptr;  // asyncio.Task
PyTypeObject* lazy_type = nullptr;  // Null when lazy tasks are not supported.

// What asyncio.Task tells about itself without an attribute look-up on the task.
PyGetSetDef* must_cancel = nullptr;
PyGetSetDef* cancel_message = nullptr;
PyGetSetDef* callbacks = nullptr;
PyGetSetDef* log_destroy_pending = nullptr;

PyObject* current_tasks = nullptr;  // asyncio's dict of loop to current task.

PyObject* idle_loop = nullptr;     // The loop of shells: schedules nothing.
PyObject* idle_context = nullptr;  // Their context: one for all.
// Whether Task.__init__ forgets to release the context that it replaces, as CPython has it so far.
bool context_is_leaked = false;
int idle_weakrefs = 0;      // Weak references to a shell that nobody refers to: asyncio's own.
unsigned idle_touches = 0;  // How often somebody looked at a shell that was not in use.

FirstStep* innermost = nullptr;

// --- shells

int count_weakrefs(PyObject* object) noexcept {
  const Py_ssize_t offset = Py_TYPE(object)->tp_weaklistoffset;
  auto* reference = *reinterpret_cast<PyWeakReference**>(reinterpret_cast<char*>(object) + offset);
  int count = 0;
  for (; reference != nullptr; reference = reference->wr_next) ++count;
  return count;
}

bool is_false(PyGetSetDef* attribute, PyObject* task) noexcept {
  return Ref::steal(attribute->get(task, attribute->closure)).get() == Py_False;
}

bool is_none(PyGetSetDef* attribute, PyObject* task) noexcept {
  return Ref::steal(attribute->get(task, attribute->closure)).get() == Py_None;
}

// Whether nobody but us refers to the shell, and no C method of Task left anything in it.
bool unseen(PyObject* shell) noexcept {
  return Py_REFCNT(shell) == 1 && is_false(must_cancel, shell) && is_none(callbacks, shell);
}

bool init_task(PyObject* task, PyObject* coroutine, PyObject* keywords) noexcept {
  const Ref args = Ref::steal(PyTuple_Pack(1, coroutine));
  return args && real_type->tp_init(task, args.get(), keywords) == 0;
}

Ref make_shell() noexcept {
  Ref shell = Ref::steal(lazy_type->tp_alloc(lazy_type, 0));
  const Ref keywords = Ref::steal(PyDict_New());
  const Ref parked = Ref::steal(done());
  if (!shell || !keywords || PyDict_SetItem(keywords.get(), keys.loop, idle_loop) < 0 ||
      PyDict_SetItem(keywords.get(), keys.context, idle_context) < 0) {
    return {};
  }
  if (!init_task(shell.get(), parked.get(), keywords.get())) return {};
  // A shell that is dropped is not a pending task that was forgotten.
  if (log_destroy_pending->set(shell.get(), Py_False, log_destroy_pending->closure) < 0) return {};
  return shell;
}

// --- becoming a Task

bool init_task_again(PyObject* shell, PyObject* coroutine, PyObject* keywords) noexcept {
  const bool done = init_task(shell, coroutine, keywords);
  if (done && context_is_leaked) Py_DECREF(idle_context);
  return done;
}

// What C methods left in a shell.
struct LeftBehind {
  Ref cancel_message;  // Null: not cancelled.
  Ref callbacks;       // None, or a list of pairs: callback, context.
};

LeftBehind look_into(PyObject* shell) noexcept {
  LeftBehind left;
  left.callbacks = Ref::steal(callbacks->get(shell, callbacks->closure));
  if (!is_false(must_cancel, shell)) {
    left.cancel_message = Ref::steal(cancel_message->get(shell, cancel_message->closure));
  }
  return left;
}

bool restore(PyObject* task, const LeftBehind& left) noexcept {
  if (left.cancel_message) {
    const Ref cancelled =
        Ref::steal(PyObject_CallMethodOneArg(task, keys.cancel, left.cancel_message.get()));
    if (!cancelled) return false;
  }
  if (!left.callbacks || left.callbacks.get() == Py_None) return true;
  const Ref add = Ref::steal(PyObject_GetAttr(task, keys.add_done_callback));
  const Ref keywords = Ref::steal(add ? PyTuple_Pack(1, keys.context) : nullptr);
  if (!keywords) return false;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(left.callbacks.get()); ++i) {
    PyObject* pair = PyList_GET_ITEM(left.callbacks.get(), i);
    PyObject* args[] = {PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1)};
    if (!Ref::steal(PyObject_Vectorcall(add.get(), args, 1, keywords.get()))) return false;
  }
  return true;
}

// The layouts are equal, so this is what assigning to __class__ does.
void change_type(PyObject* shell) noexcept {
  if (!is_shell(shell)) return;
  if ((real_type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0) Py_INCREF(real_type);
  Py_SET_TYPE(shell, real_type);
  Py_DECREF(lazy_type);
}

Ref task_keywords(PyObject* loop, PyObject* context, bool eager) noexcept {
  Ref keywords = Ref::steal(PyDict_New());
  if (!keywords || PyDict_SetItem(keywords.get(), keys.loop, loop) < 0 ||
      PyDict_SetItem(keywords.get(), keys.context, context) < 0) {
    return {};
  }
#if PY_VERSION_HEX >= 0x030C0000
  if (eager && PyDict_SetItem(keywords.get(), keys.eager_start, Py_True) < 0) return {};
#else
  static_cast<void>(eager);
#endif
  return keywords;
}

// Before anything of `self` is looked at from outside. False with a Python exception set.
bool touch(PyObject* self) noexcept {
  if (!is_shell(self)) return true;
  FirstStep* step = innermost;
  while (step != nullptr && step->shell != self) step = step->outer;
  if (step == nullptr) {
    ++idle_touches;
    return true;
  }
  Runner* runner = make_runner(*step->send);
  if (runner == nullptr) return false;
  Ref owned = Ref::steal(reinterpret_cast<PyObject*>(runner));
  runner->coroutine = Py_XNewRef(step->coroutine);
  if (!become_task(self, *runner, step->loop, step->context, TaskStart::kHeld, &step->held)) {
    return false;
  }
  step->runner = std::move(owned);
  return true;
}

PyObject* lazy_getattro(PyObject* self, PyObject* name) noexcept {
  return touch(self) ? PyObject_GenericGetAttr(self, name) : nullptr;
}

int lazy_setattro(PyObject* self, PyObject* name, PyObject* value) noexcept {
  return touch(self) ? PyObject_GenericSetAttr(self, name, value) : -1;
}

PyObject* lazy_repr(PyObject* self) noexcept {
  return touch(self) ? real_type->tp_repr(self) : nullptr;
}

PyObject* lazy_iter(PyObject* self) noexcept {
  return touch(self) ? real_type->tp_iter(self) : nullptr;
}

PyObject* lazy_await(PyObject* self) noexcept {
  return touch(self) ? real_type->tp_as_async->am_await(self) : nullptr;
}

PyType_Slot lazy_slots[] = {
    {Py_tp_getattro, slot(lazy_getattro)}, {Py_tp_setattro, slot(lazy_setattro)},
    {Py_tp_repr, slot(lazy_repr)},         {Py_tp_iter, slot(lazy_iter)},
    {Py_am_await, slot(lazy_await)},       {0, nullptr}};

// --- what this Python offers

PyObject* say_false(PyObject* /*self*/, PyObject* /*unused*/) noexcept {
  Py_RETURN_FALSE;
}

PyObject* ignore_call(PyObject* /*self*/, PyObject* /*args*/, PyObject* /*keywords*/) noexcept {
  Py_RETURN_NONE;
}

PyMethodDef get_debug_method{"get_debug", say_false, METH_NOARGS, nullptr};
PyMethodDef call_soon_method{
    "call_soon", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(ignore_call)),
    METH_VARARGS | METH_KEYWORDS, nullptr};

// The part of an event loop that Task.__init__ uses.
PyObject* make_idle_loop() noexcept {
  const Ref types = Ref::steal(PyImport_ImportModule("types"));
  const Ref make =
      Ref::steal(types ? PyObject_GetAttrString(types.get(), "SimpleNamespace") : nullptr);
  const Ref get_debug = Ref::steal(PyCFunction_New(&get_debug_method, nullptr));
  const Ref call_soon = Ref::steal(PyCFunction_New(&call_soon_method, nullptr));
  const Ref fields = Ref::steal(make && get_debug && call_soon ? PyDict_New() : nullptr);
  if (!fields || PyDict_SetItem(fields.get(), keys.get_debug, get_debug.get()) < 0 ||
      PyDict_SetItem(fields.get(), keys.call_soon, call_soon.get()) < 0) {
    return nullptr;
  }
  return PyObject_Call(make.get(), keys.empty_tuple, fields.get());
}

PyGetSetDef* find_attribute(PyObject* name) noexcept {
  const Ref descriptor = Ref::steal(PyObject_GetAttr(reinterpret_cast<PyObject*>(real_type), name));
  if (!descriptor || Py_TYPE(descriptor.get()) != &PyGetSetDescr_Type) return nullptr;
  PyGetSetDef* found = reinterpret_cast<PyGetSetDescrObject*>(descriptor.get())->d_getset;
  return found->get != nullptr ? found : nullptr;
}

// Later versions keep the current task in the thread and tasks in linked lists. Without the
// interpreter lock a type cannot be changed under somebody's feet.
constexpr bool known_version() noexcept {
#ifdef Py_GIL_DISABLED
  return false;
#else
  return PY_VERSION_HEX < 0x030E0000;
#endif
}

bool same_layout() noexcept {
  constexpr unsigned long kMemory = Py_TPFLAGS_HAVE_GC
#ifdef Py_TPFLAGS_MANAGED_DICT
                                    | Py_TPFLAGS_MANAGED_DICT
#endif
#ifdef Py_TPFLAGS_MANAGED_WEAKREF
                                    | Py_TPFLAGS_MANAGED_WEAKREF
#endif
      ;
  return lazy_type->tp_basicsize == real_type->tp_basicsize &&
         lazy_type->tp_itemsize == real_type->tp_itemsize &&
         lazy_type->tp_dictoffset == real_type->tp_dictoffset &&
         lazy_type->tp_weaklistoffset == real_type->tp_weaklistoffset &&
         lazy_type->tp_weaklistoffset != 0 && lazy_type->tp_free == real_type->tp_free &&
         ((lazy_type->tp_flags ^ real_type->tp_flags) & kMemory) == 0;
}

// Initialises a shell anew, and looks whether its context was released.
bool find_context_leak() noexcept {
  const Ref shell = make_shell();
  const Py_ssize_t references = Py_REFCNT(idle_context);
  const Ref other = Ref::steal(PyContext_New());
  const Ref keywords = other ? task_keywords(idle_loop, other.get(), /*eager=*/false) : Ref{};
  const Ref parked = Ref::steal(done());
  if (!shell || !keywords || !parked) return false;
  if (!init_task(shell.get(), parked.get(), keywords.get())) return false;
  context_is_leaked = Py_REFCNT(idle_context) == references;
  if (context_is_leaked) Py_DECREF(idle_context);
  return true;
}

// Makes a shell and checks that it is what it is taken for. False without an exception
// when this Task is not one that we know.
bool prepare() noexcept {
  must_cancel = find_attribute(keys._must_cancel);
  cancel_message = find_attribute(keys._cancel_message);
  callbacks = find_attribute(keys._callbacks);
  log_destroy_pending = find_attribute(keys._log_destroy_pending);
  if (must_cancel == nullptr || cancel_message == nullptr || callbacks == nullptr ||
      log_destroy_pending == nullptr || log_destroy_pending->set == nullptr) {
    return false;
  }
  const Ref module = Ref::steal(PyImport_ImportModule("_asyncio"));
  if (!module) return false;
  current_tasks = PyObject_GetAttrString(module.get(), "_current_tasks");
  if (current_tasks == nullptr || !PyDict_CheckExact(current_tasks)) return false;
  idle_loop = make_idle_loop();
  idle_context = PyContext_New();
  if (idle_context == nullptr) return false;
  const Ref bases = Ref::steal(idle_loop != nullptr ? PyTuple_Pack(1, real_type) : nullptr);
  if (!bases) return false;
  PyType_Spec spec{.name = "_asyncio.Task",
                   .basicsize = 0,
                   .itemsize = 0,
                   .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                   .slots = lazy_slots};
  lazy_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpecWithBases(&spec, bases.get()));
  if (lazy_type == nullptr || !same_layout()) return false;
  const Ref shell = make_shell();
  if (!shell) return false;
  idle_weakrefs = count_weakrefs(shell.get());
  return is_shell(shell.get()) && unseen(shell.get()) && find_context_leak();
}

// Whether `shell` is the current task of its loop now, which had none.
bool enter(const FirstStep& step) noexcept {
#if PY_VERSION_HEX >= 0x030D0000 && PY_VERSION_HEX < 0x030E0000
  // PyDict_SetDefault() of CPython 3.13.0 counts an entry for which it has no memory, and the next
  // resize of the dict reads past its table.
  PyObject* const running = PyDict_GetItemWithError(current_tasks, step.loop);
  if (running != nullptr || PyErr_Occurred() != nullptr) return false;
  return PyDict_SetItem(current_tasks, step.loop, step.shell) == 0;
#else
  return PyDict_SetDefault(current_tasks, step.loop, step.shell) == step.shell;
#endif
}

}  // namespace

bool init_lazy_tasks() noexcept {
  const Ref asyncio = Ref::steal(PyImport_ImportModule("asyncio.tasks"));
  const Ref task = Ref::steal(asyncio ? PyObject_GetAttrString(asyncio.get(), "Task") : nullptr);
  if (!task) return false;
  if (!PyType_Check(task.get())) {
    PyErr_SetString(PyExc_TypeError, "asyncio.Task is not a type");
    return false;
  }
  real_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(task.get()));
  if (!known_version() || !prepare()) {
    PyErr_Clear();
    Py_CLEAR(lazy_type);
  }
  return true;
}

bool lazy_tasks_supported() noexcept {
  return lazy_type != nullptr;
}

PyTypeObject* task_type() noexcept {
  return real_type;
}

LazyTasks::~LazyTasks() {
  Py_XDECREF(spare_);
}

Ref LazyTasks::take() noexcept {
  Ref shell = Ref::steal(std::exchange(spare_, nullptr));
  if (shell && Py_REFCNT(shell.get()) == 1 && idle_touches == seen_touches_) return shell;
  seen_touches_ = idle_touches;
  return make_shell();
}

bool LazyTasks::put_back(Ref& shell) noexcept {
  if (!unseen(shell.get())) return false;
  // A weak reference sees its Task go: this shell is not used again.
  if (spare_ == nullptr && count_weakrefs(shell.get()) == idle_weakrefs) spare_ = shell.release();
  return true;
}

// What asyncio's _enter_task() and _leave_task() do, without two calls of builtin functions.
bool begin_first_step(FirstStep& step) noexcept {
  if (!enter(step)) return false;
  step.outer = std::exchange(innermost, &step);
  return true;
}

void finish_first_step(FirstStep& step) noexcept {
  FirstStep** link = &innermost;
  while (*link != &step) link = &(*link)->outer;
  *link = step.outer;
  if (PyDict_DelItem(current_tasks, step.loop) < 0) PyErr_Clear();  // The application did it.
}

bool is_shell(PyObject* shell) noexcept {
  return Py_TYPE(shell) == lazy_type;
}

bool become_task(PyObject* shell, Runner& runner, PyObject* loop, PyObject* context,
                 TaskStart start, Ref* held) noexcept {
  Gil gil = Gil::assume_held();
  const bool ours = CallSoonCapture::possible(gil, loop);
  const LeftBehind left = look_into(shell);
  // A Task that starts eagerly would be done before it could be cancelled.
  const bool eager = start == TaskStart::kAtOnce && !ours && !left.cancel_message;
  const Ref keywords = task_keywords(loop, context, eager);
  if (!keywords) return false;
  change_type(shell);
  Ref step;
  {
    std::optional<CallSoonCapture> capture;
    if (ours && start != TaskStart::kScheduled) capture.emplace(gil, loop, shell);
    auto* coroutine = reinterpret_cast<PyObject*>(&runner);
    if (!init_task_again(shell, coroutine, keywords.get())) return false;
    if (capture) step = Ref::steal(capture->take());
  }
  if (!restore(shell, left)) return false;
  if (held != nullptr) {
    *held = std::move(step);
    return true;
  }
  return !step || run_step(step, context);
}

bool run_step(const Ref& step, PyObject* context) noexcept {
  if (PyContext_Enter(context) < 0) return false;
  const Ref ran = Ref::steal(entering_python([&] { return PyObject_CallNoArgs(step.get()); }));
  Ref raised = take_raised();
  if (PyContext_Exit(context) < 0) return false;
  if (raised) restore_raised(std::move(raised));
  return static_cast<bool>(ran);
}

}  // namespace tercel::python::asgi
