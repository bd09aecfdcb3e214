#include "python/api/answer.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "python/api/file.h"
#include "python/errors.h"
#include "tercel/api/problem.h"
#include "tercel/edge/file_answer.h"
#include "tercel/http/chars.h"
#include "tercel/http/response_rules.h"

namespace tercel::python::api {
namespace {

PyObject* status_key = nullptr;
PyObject* headers_key = nullptr;
PyObject* body_key = nullptr;
PyObject* file_key = nullptr;

void drop_reference(void* object) noexcept {
  Py_DECREF(static_cast<PyObject*>(object));
}

// By its type alone: isinstance() may run code of the application's, and raise.
bool is_a(PyObject* object, PyObject* type) noexcept {
  return PyObject_TypeCheck(object, reinterpret_cast<PyTypeObject*>(type)) != 0;
}

// The characters of a str, which keeps them; null with an exception set.
std::string_view text_of(PyObject* text) noexcept {
  Py_ssize_t size = 0;
  const char* const data = PyUnicode_AsUTF8AndSize(text, &size);
  return data == nullptr ? std::string_view{}
                         : std::string_view{data, static_cast<std::size_t>(size)};
}

}  // namespace

bool init_answer() noexcept {
  status_key = PyUnicode_InternFromString("status");
  headers_key = PyUnicode_InternFromString("headers");
  body_key = PyUnicode_InternFromString("body");
  file_key = PyUnicode_InternFromString("_file");
  return status_key != nullptr && headers_key != nullptr && body_key != nullptr &&
         file_key != nullptr;
}

bool Answer::read(PyObject* result, std::uint16_t status, const Encoding& encoding) noexcept {
  status_ = status;
  bool read = false;
  if (PyBytes_Check(result)) {
    add("content-type", "application/octet-stream");
    read = take_body(Ref::share(result));
  } else if (PyUnicode_Check(result)) {
    add("content-type", "text/plain; charset=utf-8");
    read = take_body(Ref::share(result));
  } else if (is_a(result, encoding.response_type)) {
    read = read_response(result);
  } else if (is_a(result, encoding.file_type)) {
    return read_file(result);
  } else if (http::is_bodyless(status)) {
    read = true;
  } else {
    add("content-type", "application/json");
    read = take_body(Ref::steal(PyObject_CallOneArg(encoding.encode, result)));
  }
  if (!read) return false;
  if (!http::is_bodyless(status_)) {
    const auto end =
        std::to_chars(digits_.data(), digits_.data() + digits_.size(), body_.size()).ptr;
    add("content-length", {digits_.data(), static_cast<std::size_t>(end - digits_.data())});
  }
  return true;
}

bool Answer::read_response(PyObject* response) noexcept {
  return read_head(response) && take_body(Ref::steal(PyObject_GetAttr(response, body_key)));
}

bool Answer::read_file(PyObject* response) noexcept {
  if (!read_head(response)) return false;
  const Ref file = Ref::steal(PyObject_GetAttr(response, file_key));
  if (!file) return false;
  Result<edge::OpenFile> copy = duplicate(file.get());
  if (!copy) {
    Gil gil = Gil::assume_held();
    raise(gil, copy.error());
    return false;
  }
  file_ = *std::move(copy);
  return true;
}

bool Answer::read_head(PyObject* response) noexcept {
  const Ref status = Ref::steal(PyObject_GetAttr(response, status_key));
  const long number = status ? PyLong_AsLong(status.get()) : -1;
  if (number < 200 || number > 599) {
    if (!PyErr_Occurred()) {
      PyErr_Format(PyExc_ValueError, "the status of a response is from 200 to 599, not %ld",
                   number);
    }
    return false;
  }
  status_ = static_cast<std::uint16_t>(number);
  headers_owner_ = Ref::steal(PyObject_GetAttr(response, headers_key));
  return headers_owner_ && read_fields(headers_owner_.get());
}

bool Answer::read_fields(PyObject* headers) noexcept {
  if (!PyList_Check(headers) || PyList_GET_SIZE(headers) > static_cast<Py_ssize_t>(kFieldsMax)) {
    PyErr_Format(PyExc_ValueError, "the headers of a response are a list of at most %zu pairs",
                 kFieldsMax);
    return false;
  }
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(headers); ++i) {
    PyObject* const pair = PyList_GET_ITEM(headers, i);
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2 ||
        !PyUnicode_Check(PyTuple_GET_ITEM(pair, 0)) ||
        !PyUnicode_Check(PyTuple_GET_ITEM(pair, 1))) {
      PyErr_Format(PyExc_ValueError, "a header of a response is a pair of str, not %.200R", pair);
      return false;
    }
    const std::string_view name = text_of(PyTuple_GET_ITEM(pair, 0));
    const std::string_view value = text_of(PyTuple_GET_ITEM(pair, 1));
    if (name.data() == nullptr || value.data() == nullptr) return false;
    add(name, value);
  }
  return true;
}

bool Answer::take_body(Ref owner) noexcept {
  if (!owner) return false;
  if (PyBytes_Check(owner.get())) {
    body_ = {PyBytes_AS_STRING(owner.get()),
             static_cast<std::size_t>(PyBytes_GET_SIZE(owner.get()))};
  } else if (PyUnicode_Check(owner.get())) {
    body_ = text_of(owner.get());
    if (body_.data() == nullptr) return false;
  } else {
    PyErr_Format(PyExc_TypeError, "the body of a response is bytes or str, not %.100s",
                 Py_TYPE(owner.get())->tp_name);
    return false;
  }
  body_owner_ = std::move(owner);
  return true;
}

bool Answer::depends_on(const edge::Asked& asked) const noexcept {
  if (file_) return true;
  if (asked.fields.empty() || !asked.reads() || status_ != 200) return false;
  const auto fields = response().fields;
  return std::any_of(fields.begin(), fields.end(), [](const http::Field& field) {
    return http::equals_ignoring_case(field.name, "etag") ||
           http::equals_ignoring_case(field.name, "last-modified");
  });
}

Result<void> Answer::send(http::Exchange& exchange, const edge::Asked& asked) noexcept {
  const std::chrono::nanoseconds now = std::chrono::system_clock::now().time_since_epoch();
  if (file_) {
    return edge::answer_file(exchange, asked, *std::exchange(file_, std::nullopt),
                             {.status = status_,
                              .fields = response().fields,
                              .refuse = &tercel::api::refuse_with_problem},
                             now);
  }
  if (depends_on(asked)) {
    const auto today = std::chrono::floor<std::chrono::seconds>(now);
    const auto answered = edge::answer_conditions(exchange, asked, response(),
                                                  edge::validators_of(response().fields, today),
                                                  today, &tercel::api::refuse_with_problem);
    if (answered) return *answered;
  }
  if (auto started = exchange.start(response()); !started) return started;
  return exchange.write(payload(), http::Final::kYes);
}

http::Payload Answer::payload() const noexcept {
  if (body_.size() < kReferenceBytesMin) return http::Payload::borrow(body_);
  return http::Payload::own(body_, Py_NewRef(body_owner_.get()), drop_reference);
}

}  // namespace tercel::python::api
