#include "python/wsgi/handler.h"

#include "python/asgi/failure.h"
#include "python/gil.h"
#include "python/wsgi/callable.h"
#include "python/wsgi/error_stream.h"
#include "python/wsgi/file_wrapper.h"
#include "python/wsgi/input.h"
#include "python/wsgi/names.h"
#include "python/wsgi/visit.h"

namespace tercel::python::wsgi {
namespace {

// What the interpreter keeps of a thread, from its first request to its last: threading.local and
// context variables of the application live in it.
thread_local PyThreadState* kept_state = nullptr;

}  // namespace

bool WsgiHandler::init() noexcept {
  asgi::note_own_process();
  return init_names() && init_callable() && init_input() && init_file_wrapper() &&
         init_error_stream() && environs_.init(file_wrapper_type(), error_stream());
}

void WsgiHandler::begin_thread() noexcept {
  static_cast<void>(entering_python([] { return PyGILState_Ensure(); }));
  keep_error_lines();
  kept_state = PyEval_SaveThread();
}

void WsgiHandler::end_thread() noexcept {
  entering_python([] { PyEval_RestoreThread(kept_state); });
  PyGILState_Release(PyGILState_UNLOCKED);
}

void WsgiHandler::handle(const http::Request& request, http::Exchange& exchange,
                         server::Blocking& thread) noexcept {
  entering_python([] { PyEval_RestoreThread(kept_state); });
  {
    Visit visit{request, exchange, thread};
    visit.run(app_.get(), environs_);
  }
  kept_state = PyEval_SaveThread();
}

int WsgiHandler::traverse(visitproc visit, void* arg) const {
  Py_VISIT(app_.get());
  return 0;
}

}  // namespace tercel::python::wsgi
