#include "python/asgi/failure.h"

#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>

#include "python/asgi/call.h"
#include "python/asgi/errors.h"
#include "python/asgi/interned.h"
#include "python/gil.h"
#include "python/ref.h"
#include "tercel/base/process_mark.h"

namespace tercel::python::asgi {
namespace {

PyObject* cancelled_error_type = nullptr;
ProcessMark serving_process;

// How far a chain of causes is followed: frameworks wrap an exception a few times at most.
constexpr int kChainMax = 32;

bool caused_by_disconnect(PyObject* exception, int depth) noexcept;

// An ExceptionGroup (of anyio's and asyncio's task groups): all of it has to be the disconnect.
bool group_caused_by_disconnect(PyObject* group, int depth) noexcept {
  const Ref members = Ref::steal(PyObject_GetAttr(group, keys.exceptions));
  if (!members || !PyTuple_Check(members.get())) {
    PyErr_Clear();
    return false;
  }
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(members.get()); ++i) {
    if (!caused_by_disconnect(PyTuple_GET_ITEM(members.get(), i), depth)) return false;
  }
  return true;
}

bool caused_by_disconnect(PyObject* exception, int depth) noexcept {
  Ref link = Ref::share(exception);
  for (; link && depth < kChainMax; ++depth) {
    if (PyErr_GivenExceptionMatches(link.get(), client_disconnected())) return true;
    if (PyErr_GivenExceptionMatches(link.get(), PyExc_BaseExceptionGroup) &&
        group_caused_by_disconnect(link.get(), depth + 1)) {
      return true;
    }
    Ref cause = Ref::steal(PyException_GetCause(link.get()));
    link = cause ? std::move(cause) : Ref::steal(PyException_GetContext(link.get()));
  }
  return false;
}

// tercel.server.forked.end(raised), which does not return.
[[noreturn]] void end_child(PyObject* raised) noexcept {
  const Ref module = Ref::steal(PyImport_ImportModule("tercel.server.forked"));
  const Ref ended =
      Ref::steal(module ? PyObject_CallMethod(module.get(), "end", "O", raised) : nullptr);
  _exit(1);
}

// signal.getsignal(signal.SIGINT) is signal.default_int_handler. When in doubt: yes.
bool python_handles_sigint() noexcept {
  const Ref module = Ref::steal(PyImport_ImportModule("signal"));
  const Ref standard =
      Ref::steal(module ? PyObject_GetAttrString(module.get(), "default_int_handler") : nullptr);
  const Ref present =
      Ref::steal(standard ? PyObject_CallMethod(module.get(), "getsignal", "i", SIGINT) : nullptr);
  if (present) return present.get() == standard.get();
  PyErr_Clear();
  return true;
}

Ref exc_info_of(PyObject* raised) noexcept {
  const Ref traceback = Ref::steal(PyException_GetTraceback(raised));
  return Ref::steal(PyTuple_Pack(3, reinterpret_cast<PyObject*>(Py_TYPE(raised)), raised,
                                 traceback ? traceback.get() : Py_None));
}

// getLogger("tercel").<level>(text, exc_info=...)
Ref call_logger(PyObject* level, PyObject* text, PyObject* raised) noexcept {
  const Ref logging = Ref::steal(PyImport_ImportModule("logging"));
  if (!logging) return {};
  const Ref logger = Ref::steal(entering_python(
      [&] { return PyObject_CallMethod(logging.get(), "getLogger", "s", "tercel"); }));
  const Ref method = Ref::steal(logger ? PyObject_GetAttr(logger.get(), level) : nullptr);
  const Ref arguments = Ref::steal(method ? PyTuple_Pack(1, text) : nullptr);
  const Ref keywords = Ref::steal(arguments ? PyDict_New() : nullptr);
  if (!keywords) return {};
  if (raised != nullptr) {
    const Ref exc_info = exc_info_of(raised);
    if (!exc_info || PyDict_SetItem(keywords.get(), keys.exc_info, exc_info.get()) < 0) return {};
  }
  return Ref::steal(entering_python(
      [&] { return PyObject_Call(method.get(), arguments.get(), keywords.get()); }));
}

void log_at(PyObject* level, const char* text, PyObject* raised) noexcept {
  const Ref said = Ref::steal(PyUnicode_FromString(text));
  const Ref logged = said ? call_logger(level, said.get(), raised) : Ref{};
  if (!logged) PyErr_WriteUnraisable(raised);
}

}  // namespace

bool init_failure() noexcept {
  const Ref module = Ref::steal(PyImport_ImportModule("asyncio.exceptions"));
  if (!module) return false;
  cancelled_error_type = PyObject_GetAttrString(module.get(), "CancelledError");
  return cancelled_error_type != nullptr;
}

bool leaves_loop(PyObject* exception) noexcept {
  return PyErr_GivenExceptionMatches(exception, PyExc_KeyboardInterrupt) != 0 &&
         python_handles_sigint();
}

void note_own_process() noexcept {
  serving_process = ProcessMark{};
}

bool is_cancelled_error(PyObject* thrown) noexcept {
  return PyErr_GivenExceptionMatches(thrown, cancelled_error_type) != 0;
}

void log_error(const char* text, PyObject* raised) noexcept {
  log_at(keys.error, text, raised);
}

void log_error(PyObject* text) noexcept {
  if (const Ref logged = call_logger(keys.error, text, nullptr); !logged) {
    PyErr_WriteUnraisable(text);
  }
}

bool is_disconnect(PyObject* raised) noexcept {
  return caused_by_disconnect(raised, 0);
}

void log_raised(const char* kind, PyObject* raised) noexcept {
  if (PyErr_GivenExceptionMatches(raised, client_disconnected())) return;
  const std::string name = kind;
  if (is_disconnect(raised)) {
    const std::string text = name + " application failed because the client disconnected";
    log_at(keys.debug, text.c_str(), raised);
  } else {
    log_error(("Exception in " + name + " application").c_str(), raised);
  }
}

void end_if_child(const char* kind, PyObject* raised) noexcept {
  if (serving_process.here()) return;
  const bool exits =
      raised == nullptr || PyErr_GivenExceptionMatches(raised, PyExc_SystemExit) != 0;
  if (!exits) log_raised(kind, raised);
  end_child(raised == nullptr ? Py_None : raised);
}

void warn_of_dropped_body(int status) noexcept {
  static bool warned = false;
  if (std::exchange(warned, true)) return;
  const std::string text = "The body of a response with status " + std::to_string(status) +
                           ", which allows none, is not sent (told once)";
  log_at(keys.warning, text.c_str(), nullptr);
}

void settle_returned(Call& call) noexcept {
  end_if_child("ASGI", nullptr);
  const char* const undone = call.leave();
  if (undone == nullptr) return;
  log_error(undone, nullptr);
  call.abort(Errc::kNoResponse);
}

bool settle_raised(Call& call) noexcept {
  Ref raised = take_raised();
  end_if_child("ASGI", raised.get());
  const bool cancelled = is_cancelled_error(raised.get());
  const bool goes_on = cancelled || leaves_loop(raised.get());
  if (!goes_on) {
    log_raised("ASGI", raised.get());
  } else if (cancelled && call.unfinished()) {
    log_error("ASGI application was cancelled before its response was complete", nullptr);
  }
  call.abort(Errc::kHandlerFailed);
  if (goes_on) restore_raised(std::move(raised));
  return goes_on;
}

}  // namespace tercel::python::asgi
