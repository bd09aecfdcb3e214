#include "python/wsgi/visit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "python/asgi/errors.h"
#include "python/asgi/failure.h"
#include "python/asgi/messages.h"
#include "python/gil.h"
#include "python/wsgi/callable.h"
#include "python/wsgi/error_stream.h"
#include "python/wsgi/file_wrapper.h"
#include "python/wsgi/input.h"
#include "python/wsgi/names.h"
#include "tercel/base/assert.h"

namespace tercel::python::wsgi {
namespace {

// Below, a copy is cheaper than a reference and a message to give it back.
constexpr std::size_t kReferenceBytesMin = 4096;
constexpr std::uint16_t kEarlyHints = 103;

// Of the thread that the response went from, or the one that ends the server.
void release_bytes(void* owner) noexcept {
  GilAcquire acquired;
  Py_DECREF(static_cast<PyObject*>(owner));
}

void close_descriptor(void* owner) noexcept {
  ::close(static_cast<int>(reinterpret_cast<std::intptr_t>(owner)));
}

http::Payload payload_of(PyObject* bytes) noexcept {
  const std::string_view view = asgi::view_of(bytes);
  if (view.size() < kReferenceBytesMin) return http::Payload::borrow(view);
  return http::Payload::own(view, Py_NewRef(bytes), &release_bytes);
}

bool require_bytes(PyObject* part) noexcept {
  if (PyBytes_Check(part)) return true;
  PyErr_Format(PyExc_TypeError, "a part of the response body must be bytes, not %.100s",
               Py_TYPE(part)->tp_name);
  return false;
}

}  // namespace

Visit::Visit(const http::Request& request, http::Exchange& exchange,
             server::Blocking& thread) noexcept
    : request_{request}, exchange_{exchange}, thread_{thread}, rules_{request} {
  exchange.observe(this);
}

void Visit::on_end(http::Outcome outcome) noexcept {
  over_ = true;
  complete_ = outcome == http::Outcome::kComplete;
}

void Visit::run(PyObject* app, EnvironBuilder& environs) noexcept {
  {
    const Detaching<Input> input{make_input(*this)};
    const Detaching<StartResponse> start{make_start_response(*this)};
    const Ref environ =
        input && start ? make_environ(environs, input.object(), start.get()) : Ref{};
    if (environ) {
      respond(app, environ.get(), start.get());
    } else {
      fail(Errc::kNoMemory);
      asgi::log_error("Cannot make the environ of a request", take_raised().get());
    }
    // An exchange that is over lets nobody wait.
    static_cast<void>(TERCEL_BUG_IF(!over_ || waiting_));
  }
  // Half a line that the application wrote.
  flush_error_stream();
}

Ref Visit::make_environ(EnvironBuilder& environs, Input& input, PyObject* start) noexcept {
  std::optional<std::uint64_t> length;
  if (!measure_body(input, length)) return {};
  const Ref early_hints = make_early_hints(start);
  if (!early_hints) return {};
  return environs.build(
      request_, exchange_.endpoints(), length,
      {.input = reinterpret_cast<PyObject*>(&input), .early_hints = early_hints.get()});
}

bool Visit::measure_body(Input& input, std::optional<std::uint64_t>& length) noexcept {
  if (!request_.has_body || request_.content_length) return true;
  std::uint64_t bytes = 0;
  for (;;) {
    const http::BodyRead part = exchange_.arrived_body();
    if (!add_to_input(input, part.bytes)) return false;
    bytes += part.bytes.size();
    if (part.state == http::BodyState::kMore) continue;
    if (part.state == http::BodyState::kEnd) length = bytes;
    return true;
  }
}

void Visit::respond(PyObject* app, PyObject* environ, PyObject* start) noexcept {
  PyObject* const arguments[] = {environ, start};
  const Ref result =
      Ref::steal(entering_python([&] { return PyObject_Vectorcall(app, arguments, 2, nullptr); }));
  const bool sent = result && send_all(result.get());
  const Ref raised = sent ? Ref{} : take_raised();
  asgi::end_if_child("WSGI", raised.get());
  if (!sent) {
    fail(Errc::kHandlerFailed);
    asgi::log_raised("WSGI", raised.get());
  } else if (!over_) {
    fail(Errc::kNoResponse);
    asgi::log_error("The WSGI application did not call start_response()", nullptr);
  }
  if (result) close(result.get());
}

// The client need not wait for what is logged, nor for close().
void Visit::fail(Errc error) noexcept {
  dismiss_others();
  if (!over_) exchange_.abort(error);
  thread_.flush();
}

void Visit::close(PyObject* result) noexcept {
  const Ref method = Ref::steal(PyObject_GetAttr(result, names.close));
  if (!method) return PyErr_Clear();
  const Ref closed = Ref::steal(entering_python([&] { return PyObject_CallNoArgs(method.get()); }));
  if (closed) return;
  const Ref raised = take_raised();
  asgi::log_error("Exception in close() of what a WSGI application returned", raised.get());
}

// --- what the application calls

bool Visit::start_response(PyObject* status, PyObject* headers, PyObject* exc_info) noexcept {
  if (exc_info != Py_None) {
    const bool is_tuple = PyTuple_Check(exc_info) && PyTuple_GET_SIZE(exc_info) == 3;
    PyObject* const raised = is_tuple ? PyTuple_GET_ITEM(exc_info, 1) : nullptr;
    if (!is_tuple || (head_sent_ && !PyExceptionInstance_Check(raised))) {
      PyErr_SetString(PyExc_TypeError, "exc_info must be what sys.exc_info() returns");
      return false;
    }
    if (head_sent_) {
      PyErr_Restore(Py_NewRef(PyExceptionInstance_Class(raised)), Py_NewRef(raised),
                    PyException_GetTraceback(raised));
      return false;
    }
  } else if (head_.given()) {
    PyErr_SetString(PyExc_AssertionError,
                    "start_response() was called a second time without exc_info");
    return false;
  }
  return head_.read(status, headers, rules_);
}

bool Visit::write(PyObject* bytes) noexcept {
  return require_bytes(bytes) && (PyBytes_GET_SIZE(bytes) == 0 || send(bytes, /*last=*/false));
}

bool Visit::send_early_hints(PyObject* headers) noexcept {
  Head hints;
  if (!hints.read_interim(kEarlyHints, headers)) return false;
  if (over_) {
    asgi::raise_client_disconnected();
    return false;
  }
  if (!settle(exchange_.interim(hints.response()))) return false;
  thread_.flush();
  return true;
}

std::string_view Visit::read_body() noexcept {
  while (!over_) {
    const http::BodyRead part = exchange_.read_body();
    if (!part.bytes.empty()) return part.bytes;
    if (part.state == http::BodyState::kEnd) return {"", 0};
    // What failed has its end on the way.
    if (!wait()) return {};
  }
  if (complete_) return {"", 0};
  asgi::raise_client_disconnected();
  return {};
}

// --- what it returns

bool Visit::send_all(PyObject* result) noexcept {
  if (is_file_wrapper(result)) {
    const Sent sent = send_file(result);
    if (sent != Sent::kNo) return sent == Sent::kYes;
  }
  if (PyList_CheckExact(result) || PyTuple_CheckExact(result)) return send_list(result);
  if (PyUnicode_Check(result) || PyBytes_Check(result)) {
    PyErr_Format(PyExc_TypeError,
                 "a WSGI application returns an iterable of bytes, such as [body], not %.100s",
                 Py_TYPE(result)->tp_name);
    return false;
  }
  return send_iterable(result);
}

// All is here, so its length can be told and nothing has to leave before the rest.
bool Visit::send_list(PyObject* list) noexcept {
  const Ref parts = Ref::steal(PySequence_Tuple(list));  // Whatever happens to the list meanwhile.
  if (!parts) return false;
  const Py_ssize_t count = PyTuple_GET_SIZE(parts.get());
  std::uint64_t total = 0;
  Py_ssize_t last = -1;
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* const part = PyTuple_GET_ITEM(parts.get(), i);
    if (!require_bytes(part)) return false;
    if (PyBytes_GET_SIZE(part) > 0) last = i;
    total += static_cast<std::uint64_t>(PyBytes_GET_SIZE(part));
  }
  if (last < 0 || !head_.given()) return send_end();
  if (!head_sent_ && !head_.length()) head_.add_length(total);
  bool sent = true;
  for (Py_ssize_t i = 0; sent && i <= last; ++i) {
    PyObject* const part = PyTuple_GET_ITEM(parts.get(), i);
    // It takes no more memory than it does already: nothing to wait for.
    sent = PyBytes_GET_SIZE(part) == 0 || put(part, i == last);
  }
  thread_.flush();
  return sent;
}

bool Visit::send_iterable(PyObject* iterable) noexcept {
  const Ref iterator = Ref::steal(PyObject_GetIter(iterable));
  if (!iterator) return false;
  const Py_ssize_t count = PyObject_LengthHint(iterable, 0);
  if (count < 0) return false;
  const bool single = count == 1 && Py_TYPE(iterable)->tp_as_sequence != nullptr &&
                      Py_TYPE(iterable)->tp_as_sequence->sq_length != nullptr;
  const auto next = [&] { return PyIter_Next(iterator.get()); };
  while (const Ref part = Ref::steal(entering_python(next))) {
    if (!require_bytes(part.get())) return false;
    if (PyBytes_GET_SIZE(part.get()) > 0 && !send(part.get(), single)) return false;
  }
  return !PyErr_Occurred() && send_end();
}

bool Visit::send_head() noexcept {
  if (std::exchange(head_sent_, true)) return true;
  if (!head_.given()) {
    head_sent_ = false;
    PyErr_SetString(PyExc_AssertionError,
                    "the response body began before start_response() was called");
    return false;
  }
  return settle(exchange_.start(head_.response()));
}

bool Visit::settle(const Result<void>& written) noexcept {
  if (written) return true;
  asgi::raise_response_error(written.error());
  return false;
}

bool Visit::put(PyObject* bytes, bool last) noexcept {
  if (!require_free()) return false;
  if (over_) {
    if (complete_) {
      PyErr_SetString(PyExc_RuntimeError, "the response body is longer than its Content-Length");
    } else {
      asgi::raise_client_disconnected();
    }
    return false;
  }
  if (!send_head()) return false;
  sent_bytes_ += static_cast<std::uint64_t>(PyBytes_GET_SIZE(bytes));
  if (http::is_bodyless(head_.status())) asgi::warn_of_dropped_body(head_.status());
  // What reaches the declared length ends the response, whatever the application does afterwards.
  last = last || head_.length() == sent_bytes_;
  const http::Final final = last ? http::Final::kYes : http::Final::kNo;
  return settle(exchange_.write(payload_of(bytes), final));
}

bool Visit::send(PyObject* bytes, bool last) noexcept {
  if (!put(bytes, last)) return false;
  thread_.poll();
  return wait_until_writable();
}

// Nothing to do where the last part said it, or the application never began.
bool Visit::send_end() noexcept {
  if (!require_free()) return false;
  if (over_ || !head_.given()) return true;
  if (!send_head()) return false;
  const Result<void> written = exchange_.write({}, http::Final::kYes);
  thread_.flush();
  return settle(written);
}

bool Visit::wait_until_writable() noexcept {
  while (!over_ && !exchange_.writable()) {
    if (!wait()) return false;
  }
  if (!over_ || complete_) return true;
  asgi::raise_client_disconnected();
  return false;
}

// --- waiting, which others may do meanwhile who have the lock

bool Visit::require_free() const noexcept {
  if (!waiting_) return true;
  PyErr_SetString(PyExc_RuntimeError, "another thread waits for the client of this request");
  return false;
}

bool Visit::wait() noexcept {
  waiting_ = true;
  {
    Gil gil = Gil::assume_held();
    const GilRelease released{gil};
    thread_.wait();
  }
  waiting_ = false;
  if (!ending_) return true;
  PyErr_SetString(PyExc_RuntimeError, "the request that this belongs to is over");
  return false;
}

void Visit::dismiss_others() noexcept {
  ending_ = true;
  while (waiting_) {
    thread_.wake();
    Gil gil = Gil::assume_held();
    const GilRelease released{gil};
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

// --- files

Visit::Sent Visit::send_file(PyObject* wrapper) noexcept {
  if (head_sent_ || !head_.given() || over_) return Sent::kNo;
  PyObject* const file = wrapped_file(wrapper);
  if (!is_plain_file(file)) return Sent::kNo;
  const int theirs = PyObject_AsFileDescriptor(file);
  if (theirs < 0) {
    PyErr_Clear();  // It is closed: reading it says so.
    return Sent::kNo;
  }
  struct stat about {};
  if (::fstat(theirs, &about) < 0 || !S_ISREG(about.st_mode)) return Sent::kNo;
  // Where the object stands, which may have read ahead of its descriptor.
  const Ref position = Ref::steal(PyObject_CallMethod(file, "tell", nullptr));
  const long long start = position ? PyLong_AsLongLong(position.get()) : -1;
  if (start < 0) {
    PyErr_Clear();
    return Sent::kNo;
  }
  const auto size = static_cast<std::uint64_t>(about.st_size);
  const auto offset = static_cast<std::uint64_t>(start);
  const std::uint64_t rest = size > offset ? size - offset : 0;
  if (!head_.length()) head_.add_length(rest);
  // The application may close its file as soon as this returns.
  const int ours = ::fcntl(theirs, F_DUPFD_CLOEXEC, 0);
  if (ours < 0) {
    PyErr_SetFromErrno(PyExc_OSError);
    return Sent::kFailed;
  }
  if (!send_head()) {
    ::close(ours);
    return Sent::kFailed;
  }
  const http::FileRange range{.file = ours,
                              .offset = offset,
                              .count = std::min(rest, *head_.length()),
                              .owner = reinterpret_cast<void*>(static_cast<std::intptr_t>(ours)),
                              .release = &close_descriptor};
  const Result<void> written = exchange_.write_file(range, http::Final::kYes);
  thread_.flush();
  return settle(written) ? Sent::kYes : Sent::kFailed;
}

}  // namespace tercel::python::wsgi
