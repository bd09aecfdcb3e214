#include "python/wsgi/head.h"

#include <algorithm>
#include <array>
#include <utility>

#include "python/asgi/errors.h"
#include "tercel/base/parse_number.h"
#include "tercel/http/h1_writer.h"

namespace tercel::python::wsgi {
namespace {

using std::string_view_literals::operator""sv;

// What belongs to a connection, and so to the server. Source: PEP 3333, "Other HTTP Features".
constexpr std::array kHopByHop{"connection"sv,          "keep-alive"sv, "proxy-authenticate"sv,
                               "proxy-authorization"sv, "te"sv,         "trailer"sv,
                               "transfer-encoding"sv,   "upgrade"sv};
constexpr std::size_t kFieldsMax = 1024;
constexpr std::uint64_t kStatusMin = 200;
constexpr std::uint64_t kStatusMax = 599;
constexpr unsigned char kDelete = 0x7f;

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool same(std::string_view name, std::string_view lowered) noexcept {
  return std::ranges::equal(name, lowered, {}, lower);
}

// The code points of a native string, which must be latin-1. Null data with an exception set.
std::string_view native(PyObject* object, const char* what) noexcept {
  if (!PyUnicode_Check(object)) {
    PyErr_Format(PyExc_TypeError, "%s must be str, not %.100s", what, Py_TYPE(object)->tp_name);
    return {};
  }
  if (PyUnicode_READY(object) < 0) return {};
  if (PyUnicode_KIND(object) != PyUnicode_1BYTE_KIND) {
    PyErr_Format(PyExc_ValueError, "%s must hold latin-1 characters only: %R", what, object);
    return {};
  }
  return {static_cast<const char*>(PyUnicode_DATA(object)),
          static_cast<std::size_t>(PyUnicode_GET_LENGTH(object))};
}

}  // namespace

bool Head::read(PyObject* status, PyObject* headers, http::ResponseRules rules) noexcept {
  Head next;
  if (!next.read_status(status) || !next.add_all(headers)) return false;
  const http::Response response = next.response();
  if (auto facts = rules.start(response); !facts) {
    asgi::raise_response_error(facts.error(), response.fields);
    return false;
  }
  *this = std::move(next);
  return true;
}

bool Head::read_interim(std::uint16_t status, PyObject* headers) noexcept {
  status_ = status;
  if (!add_all(headers)) return false;
  const http::Response interim = response();
  if (http::inspect_interim(interim)) return true;
  asgi::raise_response_error(Errc::kBadResponseField, interim.fields);
  return false;
}

// An interim response is no answer: there is another way to send one.
bool Head::read_status(PyObject* status) noexcept {
  const std::string_view text = native(status, "the status");
  if (text.data() == nullptr) return false;
  const auto code = parse_decimal(text.substr(0, 3), kStatusMax);
  const auto is_control = [](unsigned char c) { return (c < ' ' && c != '\t') || c == kDelete; };
  if (!code || *code < kStatusMin || text.size() < 4 || text[3] != ' ' ||
      std::ranges::any_of(text, is_control)) {
    PyErr_Format(PyExc_ValueError,
                 "the status must be a number from 200 to 599, a space and a reason, like "
                 "'200 OK', not %R",
                 status);
    return false;
  }
  status_ = static_cast<std::uint16_t>(*code);
  if (const std::string_view reason = text.substr(4); reason != http::reason_phrase(status_)) {
    reason_ = reason;
  }
  return true;
}

bool Head::add_all(PyObject* headers) noexcept {
  if (!PyList_Check(headers)) {
    PyErr_Format(PyExc_TypeError, "the headers must be a list of (name, value) tuples, not %.100s",
                 Py_TYPE(headers)->tp_name);
    return false;
  }
  if (PyList_GET_SIZE(headers) > static_cast<Py_ssize_t>(kFieldsMax)) {
    PyErr_Format(PyExc_ValueError, "a response has at most %zu headers", kFieldsMax);
    return false;
  }
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(headers); ++i) {
    if (!add(PyList_GET_ITEM(headers, i))) return false;
  }
  return true;
}

bool Head::add(PyObject* pair) noexcept {
  if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
    PyErr_Format(PyExc_TypeError, "a header must be a (name, value) tuple, not %R", pair);
    return false;
  }
  const std::string_view name = native(PyTuple_GET_ITEM(pair, 0), "a header name");
  if (name.data() == nullptr) return false;
  const std::string_view value = native(PyTuple_GET_ITEM(pair, 1), "a header value");
  if (value.data() == nullptr) return false;
  if (std::ranges::any_of(kHopByHop, [&](std::string_view hop) { return same(name, hop); })) {
    PyErr_Format(PyExc_ValueError, "%R is a header of the connection, which is the server's",
                 PyTuple_GET_ITEM(pair, 0));
    return false;
  }
  if (same(name, "content-length")) {
    // What is no number is refused with the rest.
    if (const auto bytes = parse_decimal(value)) length_ = *bytes;
  }
  add(name, value);
  return true;
}

void Head::add(std::string_view name, std::string_view value) {
  text_.append(name).append(value);
  sizes_.push_back({name.size(), value.size()});
}

void Head::add_length(std::uint64_t bytes) {
  length_ = bytes;
  add("content-length", std::to_string(bytes));
}

http::Response Head::response() noexcept {
  fields_.clear();
  const char* at = text_.data();
  for (const Sizes& sizes : sizes_) {
    fields_.push_back({{at, sizes.name}, {at + sizes.name, sizes.value}});
    at += sizes.name + sizes.value;
  }
  return {.status = status_, .fields = fields_, .reason = reason_};
}

}  // namespace tercel::python::wsgi
