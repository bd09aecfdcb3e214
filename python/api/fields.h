// Header fields between the engine and Python: as ASGI has them, pairs of bytes, and as an
// application reads them, pairs of str.
//
//   const HeaderFields fields{headers};           // Of a list of pairs of bytes.
//   request.fields = fields.all();
//   const Ref list = to_pairs(request.fields, as_latin1);
//
// Thread: one that holds the interpreter lock. Tested by test_api_app.py, test_api_cors.py and
// test_api_forms.py.
#pragma once

#include <Python.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>

#include "python/ref.h"
#include "tercel/http/message.h"

namespace tercel::python::api {

// As long as the object.
[[nodiscard]] std::string_view view_of(const nanobind::bytes& bytes) noexcept;
[[nodiscard]] nanobind::bytes bytes_of(std::string_view bytes);

// Header fields as ASGI has them, with names in lower case; kept by this. Throws
// what a list of something else makes wrong.
class HeaderFields {
 public:
  explicit HeaderFields(const nanobind::list& headers);
  HeaderFields(const HeaderFields&) = delete;
  HeaderFields& operator=(const HeaderFields&) = delete;
  [[nodiscard]] std::span<const http::Field> all() const noexcept { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> kept_;
  std::vector<http::Field> fields_;
};

// The other way.
[[nodiscard]] nanobind::tuple to_pair(std::string_view name, std::string_view value);

// How a text of a peer's is read. Null with an exception set.
using Decode = Ref (*)(std::string_view text) noexcept;
// A header field, which is bytes: each is the character of its number.
[[nodiscard]] Ref as_latin1(std::string_view text) noexcept;
// What should be UTF-8, as far as it can be read.
[[nodiscard]] Ref as_utf8(std::string_view text) noexcept;
// A list of pairs of str. Null with an exception set.
[[nodiscard]] Ref to_pairs(std::span<const http::Field> fields, Decode decode) noexcept;

}  // namespace tercel::python::api
