// The head of a response, as start_response() was given it.
//
// Copied: the application may change its list afterwards. Source: PEP 3333, "The start_response()
// Callable". Thread: one that holds the interpreter lock. Tested by test_wsgi_response.py.
#pragma once

#include <Python.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/http/message.h"
#include "tercel/http/response_rules.h"

namespace tercel::python::wsgi {

class Head {
 public:
  // Reads "200 OK" and a list of pairs of native strings, and checks them as an exchange with
  // `rules` will. False with TypeError or ValueError set; then it is as before.
  [[nodiscard]] bool read(PyObject* status, PyObject* headers, http::ResponseRules rules) noexcept;
  // The same for the fields of an interim response.
  [[nodiscard]] bool read_interim(std::uint16_t status, PyObject* headers) noexcept;
  [[nodiscard]] bool given() const noexcept { return status_ != 0; }
  [[nodiscard]] std::uint16_t status() const noexcept { return status_; }
  // The Content-Length that it declares.
  [[nodiscard]] std::optional<std::uint64_t> length() const noexcept { return length_; }
  void add_length(std::uint64_t bytes);
  // Views of this, valid until the next change.
  [[nodiscard]] http::Response response() noexcept;

 private:
  struct Sizes {
    std::size_t name;
    std::size_t value;
  };
  [[nodiscard]] bool read_status(PyObject* status) noexcept;
  [[nodiscard]] bool add_all(PyObject* headers) noexcept;
  [[nodiscard]] bool add(PyObject* pair) noexcept;
  void add(std::string_view name, std::string_view value);

  std::uint16_t status_ = 0;
  std::string reason_;  // Empty: the usual one.
  std::optional<std::uint64_t> length_;
  std::string text_;  // Names and values, one behind the other.
  std::vector<Sizes> sizes_;
  std::vector<http::Field> fields_;
};

}  // namespace tercel::python::wsgi
