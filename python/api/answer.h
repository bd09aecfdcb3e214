// What an endpoint returned, as a response.
//
// | returned          | status          | Content-Type              | body                        |
// |-------------------|-----------------|---------------------------|-----------------------------|
// | a Response        | its own         | among its own headers     | its own                     |
// | bytes             | of the route    | application/octet-stream  | as it is                    |
// | str               | of the route    | text/plain; charset=utf-8 | in UTF-8                    |
// | anything else     | of the route    | application/json          | what `encode` makes of it   |
//
// Tested by test_api_app.py.
#pragma once

#include <Python.h>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "python/ref.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"

namespace tercel::python::api {

// What answers are made with. Borrowed: the application keeps them.
struct Encoding {
  PyObject* encode;         // Called with one object, returns bytes.
  PyObject* response_type;  // tercel.api.Response
  PyObject* stream_type;    // tercel.api.streams.Stream, which is sent by itself.
};

// Resource: holds what its views point to.
class Answer {
 public:
  Answer() noexcept = default;
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  // False with a Python exception set. Once.
  [[nodiscard]] bool read(PyObject* result, std::uint16_t status,
                          const Encoding& encoding) noexcept;

  [[nodiscard]] http::Response response() const noexcept {
    return {.status = status_, .fields = std::span{fields_}.first(field_count_)};
  }
  [[nodiscard]] std::string_view body() const noexcept { return body_; }
  // For http::Exchange::write(): a large body goes by reference.
  [[nodiscard]] http::Payload payload() const noexcept;

 private:
  // Header fields of a Response, besides Content-Length.
  static constexpr std::size_t kFieldsMax = 64;
  static constexpr std::size_t kReferenceBytesMin = 2048;
  static constexpr std::size_t kDigitsMax = 20;

  [[nodiscard]] bool read_response(PyObject* response) noexcept;
  [[nodiscard]] bool read_fields(PyObject* headers) noexcept;
  // `owner` is a bytes or a str.
  [[nodiscard]] bool take_body(Ref owner) noexcept;
  void add(std::string_view name, std::string_view value) noexcept {
    fields_[field_count_++] = {name, value};
  }

  std::uint16_t status_ = 200;
  std::size_t field_count_ = 0;
  std::array<http::Field, kFieldsMax + 1> fields_;
  std::array<char, kDigitsMax> digits_;
  std::string_view body_;
  Ref body_owner_;
  Ref headers_owner_;
};

// Interns the names of a Response's attributes. False with an exception set.
[[nodiscard]] bool init_answer() noexcept;

}  // namespace tercel::python::api
