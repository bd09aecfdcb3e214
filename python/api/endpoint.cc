#include "python/api/endpoint.h"

#include <string_view>

#include "python/api/fields.h"
#include "python/api/invocation.h"
#include "python/api/values.h"
#include "tercel/json/write_value.h"

namespace tercel::python::api {
namespace {

Ref to_bytes(std::string_view bytes) noexcept {
  return Ref::steal(PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size())));
}

// A default that a function may change is copied for each call. New reference, or null.
PyObject* fresh(PyObject* fallback) noexcept {
  if (PyList_CheckExact(fallback)) return PyList_GetSlice(fallback, 0, PyList_GET_SIZE(fallback));
  if (PyDict_CheckExact(fallback)) return PyDict_Copy(fallback);
  if (PySet_CheckExact(fallback)) return PySet_New(fallback);
  return Py_NewRef(fallback);
}

// None: it is no text. Null with MemoryError set.
Ref text_or_none(std::string_view path) noexcept {
  Ref text =
      Ref::steal(PyUnicode_DecodeUTF8(path.data(), static_cast<Py_ssize_t>(path.size()), nullptr));
  if (text || !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) return text;
  PyErr_Clear();
  return Ref::share(Py_None);
}

bool is_head(const tercel::api::Call& call) noexcept {
  return call.request.method == "HEAD";
}

// One, or a list of them.
PyObject* make_floats(json::Value value) noexcept {
  if (!value.is_array()) return PyFloat_FromDouble(value.float64());
  Ref list = Ref::steal(PyList_New(static_cast<Py_ssize_t>(value.size())));
  Py_ssize_t index = 0;
  for (const json::Value element : value.elements()) {
    PyObject* const made = list ? PyFloat_FromDouble(element.float64()) : nullptr;
    if (made == nullptr) return nullptr;
    PyList_SET_ITEM(list.get(), index++, made);
  }
  return list.release();
}

// Tells the exchange that nothing can be answered.
bool raise_of(Result<void> result) noexcept {
  if (result || result.error() == Errc::kClosed) return true;
  Gil gil = Gil::assume_held();
  raise(gil, result.error());
  return false;
}

}  // namespace

void PyEndpoint::call(tercel::api::Call& call) noexcept {
  Ref arguments = build(call);
  if (!arguments) return refuse(call);
  if (portable_ != nullptr && options_.is_refusal) {
    portable_->refusal = Ref::share(function_.get());
    return;
  }
  if (portable_ != nullptr) {
    portable_->route = options_.route;
    portable_->is_authenticator = options_.is_authenticator;
    portable_->arguments = std::move(arguments);
    return;
  }
  if (options_.is_async) {
    const Ref invocation =
        Ref::steal(make_invocation(*this, around_.owner, std::move(arguments), call.request));
    return go_on(call, invocation.get());
  }
  // What it sets in context variables is its own.
  const Ref context = Ref::steal(PyContext_Copy(around_.door->context(*handler_)));
  if (!context || PyContext_Enter(context.get()) < 0) return answer_at_once(call, nullptr);
  const Ref result = Ref::steal(run(arguments.get()));
  Ref raised = take_raised();
  if (PyContext_Exit(context.get()) < 0) PyErr_Clear();
  if (raised) restore_raised(std::move(raised));
  if (result && is_stream(result.get())) {
    const Ref invocation =
        Ref::steal(make_stream(*this, around_.owner, result.get(), is_head(call)));
    return go_on(call, invocation.get());
  }
  answer_at_once(call, result.get());
}

void PyEndpoint::refuse(tercel::api::Call& call) noexcept {
  if (call.authentication == nullptr || authenticator_ == nullptr ||
      !PyErr_ExceptionMatches(PyExc_Exception)) {
    return answer_at_once(call, nullptr);
  }
  // What it answers or raises is this.
  authenticator_->set_raised(take_raised());
  call.authentication->ask(call, {});
  authenticator_->set_raised({});
}

void PyEndpoint::go_on(tercel::api::Call& call, PyObject* invocation) const noexcept {
  if (invocation == nullptr) return answer_at_once(call, nullptr);
  around_.door->run(*handler_, invocation, call.request, call.exchange);
}

int PyEndpoint::traverse(visitproc visit, void* arg) const {
  Py_VISIT(function_.get());
  Py_VISIT(options_.body.fallback.get());
  Py_VISIT(options_.body.convert.get());
  if (const int stopped = options_.shape.traverse(visit, arg)) return stopped;
  for (const Argument& argument : options_.arguments) {
    Py_VISIT(argument.fallback.get());
    Py_VISIT(argument.convert.get());
  }
  return 0;
}

// --- arguments

Ref PyEndpoint::build(const tercel::api::Call& call) noexcept {
  Ref tuple = Ref::steal(PyTuple_New(PyTuple_GET_SIZE(names_.get())));
  if (!tuple || !build_into(tuple.get(), call)) return {};
  return tuple;
}

bool PyEndpoint::build_into(PyObject* tuple, const tercel::api::Call& call) noexcept {
  Py_ssize_t count = 0;
  const auto add = [&](PyObject* value) {
    if (value != nullptr) PyTuple_SET_ITEM(tuple, count++, value);
    return value != nullptr;
  };
  Uploads uploads{call.form, around_.upload_type, around_.spool_type};
  for (std::size_t i = 0; i < options_.arguments.size(); ++i) {
    const Argument& argument = options_.arguments[i];
    std::optional<json::Value> value;
    if (call.arguments.has(i)) value = call.arguments.value(i);
    if (!add(value && argument.is_file ? uploads.make(static_cast<std::uint32_t>(i), argument.wish)
                                       : make(argument, value))) {
      return false;
    }
  }
  if (options_.takes_body && !add(make_body(call))) return false;
  if (options_.takes_request && !add(make_request(call))) return false;
  if (options_.takes_media_type && !add(as_utf8(call.media_type).release())) return false;
  return !options_.is_authenticator || add(make_refusal(call));
}

PyObject* PyEndpoint::make(const Argument& argument,
                           std::optional<json::Value> value) const noexcept {
  if (!value) return fresh(argument.fallback ? argument.fallback.get() : Py_None);
  if (argument.is_float) return make_floats(*value);
  const Ref made = Ref::steal(to_python(*value));
  if (!made || !argument.convert) return Py_XNewRef(made.get());
  return entering_python([&] { return PyObject_CallOneArg(argument.convert.get(), made.get()); });
}

PyObject* PyEndpoint::make_body(const tercel::api::Call& call) const noexcept {
  if (call.bytes.empty() && options_.body.fallback) return fresh(options_.body.fallback.get());
  if (options_.shape && call.body) {
    if (PyObject* const made = options_.shape.build(*call.body)) return made;
    // What is wrong with it, the decoder says better.
    if (!PyErr_ExceptionMatches(PyExc_Exception)) return nullptr;
    PyErr_Clear();
  }
  if (!options_.body.convert) {
    return call.body ? to_python(*call.body) : to_bytes(call.bytes).release();
  }
  // It reads JSON: of what came otherwise, that is what the document says.
  call.scratch.clear();
  if (!call.is_text) json::write_value(call.scratch, *call.body);
  if (!call.scratch.ok()) return PyErr_NoMemory();
  const Ref bytes = to_bytes(call.is_text ? call.bytes : call.scratch.view());
  if (!bytes) return nullptr;
  return entering_python(
      [&] { return PyObject_CallOneArg(options_.body.convert.get(), bytes.get()); });
}

PyObject* PyEndpoint::make_request(const tercel::api::Call& call) const noexcept {
  const http::Request& request = call.request;
  const Ref method = as_latin1(request.method);
  const Ref path = as_latin1(request.path);
  const Ref query = as_latin1(request.query);
  const Ref headers = to_pairs(request.fields, as_latin1);
  const Ref body = to_bytes(call.bytes);
  if (!method || !path || !query || !headers || !body) return nullptr;
  PyObject* args[] = {method.get(), path.get(), query.get(), headers.get(), body.get()};
  return entering_python(
      [&] { return PyObject_Vectorcall(around_.request_type, args, 5, nullptr); });
}

PyObject* PyEndpoint::make_refusal(const tercel::api::Call& call) noexcept {
  if (raised_) return raised_.release();
  const tercel::api::Refusal& refusal = *call.refusal;
  const Ref status = Ref::steal(PyLong_FromLong(refusal.status));
  const Ref type = as_utf8(refusal.content_type);
  const Ref headers = to_pairs(refusal.fields, as_utf8);
  const Ref body = to_bytes(refusal.body);
  if (!status || !type || !headers || !body) return nullptr;
  PyObject* args[] = {status.get(), type.get(), headers.get(), body.get()};
  return entering_python(
      [&] { return PyObject_Vectorcall(around_.refusal_type, args, 4, nullptr); });
}

// --- answers

PyObject* PyEndpoint::run(PyObject* arguments) const noexcept {
  PyObject* const* const values = reinterpret_cast<PyTupleObject*>(arguments)->ob_item;
  return entering_python(
      [&] { return PyObject_Vectorcall(function_.get(), values, 0, names_.get()); });
}

Ref PyEndpoint::response_to_raised(std::string_view path) const noexcept {
  Ref raised = take_raised();
  // What cancels a task or ends the program goes on.
  if (!PyErr_GivenExceptionMatches(raised.get(), PyExc_Exception)) {
    restore_raised(std::move(raised));
    return {};
  }
  const Ref text = text_or_none(path);
  PyObject* args[] = {raised.get(), text.get()};
  Ref response = Ref::steal(text ? entering_python([&] {
    return PyObject_Vectorcall(around_.answer_raised, args, 2, nullptr);
  })
                                 : nullptr);
  if (response && response.get() != Py_None) return response;
  const Ref second = response ? Ref{} : take_raised();
  around_.door->log_raised(raised.get());
  if (second) around_.door->log_raised(second.get());
  return failed(path);
}

Ref PyEndpoint::failed(std::string_view path) const noexcept {
  const Ref text = text_or_none(path);
  if (!text) return {};
  return Ref::steal(
      entering_python([&] { return PyObject_CallOneArg(around_.failed, text.get()); }));
}

template <typename Deliver>
bool PyEndpoint::answer_with(PyObject* result, std::string_view path,
                             Deliver deliver) const noexcept {
  if (result != nullptr) {
    Answer answer;
    if (answer.read(result, options_.status, around_.encoding) && deliver(answer)) return true;
  }
  // The function raised, or what it returned is no answer.
  const Ref response = response_to_raised(path);
  if (!response) return false;
  Answer answer;
  if (answer.read(response.get(), 500, around_.encoding) && deliver(answer)) return true;
  if (const Ref raised = take_raised()) around_.door->log_raised(raised.get());
  const Ref last = failed(path);
  Answer failed_answer;
  return last && failed_answer.read(last.get(), 500, around_.encoding) && deliver(failed_answer);
}

bool PyEndpoint::answer(PyObject* send, PyObject* result, const edge::Asked& asked) const noexcept {
  return answer_with(result, asked.path, [&](Answer& made) {
    if (!made.depends_on(asked)) {
      return around_.door->answer(send, made.response(), made.payload());
    }
    struct Writing {
      Answer& answer;
      const edge::Asked& asked;
    } writing{made, asked};
    const auto write = [](void* self, http::Exchange& exchange) noexcept {
      const Writing& what = *static_cast<Writing*>(self);
      return what.answer.send(exchange, what.asked);
    };
    return around_.door->answer_through(send, write, &writing);
  });
}

bool PyEndpoint::is_stream(PyObject* result) const noexcept {
  // The type alone: isinstance() may run code of the application's, and raise.
  auto* const type = reinterpret_cast<PyTypeObject*>(around_.encoding.stream_type);
  return PyObject_TypeCheck(result, type) != 0;
}

PyObject* PyEndpoint::open_stream(PyObject* stream, PyObject* send, bool head) const noexcept {
  const Ref receive = Ref::steal(around_.door->receive(send));
  if (!receive) return nullptr;
  return entering_python([&] {
    return PyObject_CallMethod(stream, "send_through", "OOO", receive.get(), send,
                               head ? Py_True : Py_False);
  });
}

void PyEndpoint::answer_at_once(tercel::api::Call& call, PyObject* result) const noexcept {
  const auto deliver = [&call](Answer& made) {
    return raise_of(made.send(call.exchange, edge::asked_by(call.request)));
  };
  if (answer_with(result, call.request.path, deliver)) return;
  Ref raised = take_raised();
  if (portable_ != nullptr && raised) {
    portable_->raised = std::move(raised);
    return;
  }
  if (raised) around_.door->log_raised(raised.get());
  call.exchange.abort(Errc::kHandlerFailed);
}

}  // namespace tercel::python::api
