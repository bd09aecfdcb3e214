// What an endpoint returned, as a response.
//
// | returned          | status          | Content-Type              | body                        |
// |-------------------|-----------------|---------------------------|-----------------------------|
// | a Response        | its own         | among its own headers     | its own                     |
// | a FileResponse    | its own         | among its own headers     | its file                    |
// | bytes             | of the route    | application/octet-stream  | as it is                    |
// | str               | of the route    | text/plain; charset=utf-8 | in UTF-8                    |
// | anything else     | of the route    | application/json          | what `encode` makes of it   |
//
// A Response with an ETag or a Last-Modified, and a file, are answered in the light of the
// request's conditions (tercel/edge/conditional_answer.h, file_answer.h).
//
// Tested by test_api_app.py and test_api_files.py.
#pragma once

#include <Python.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "python/ref.h"
#include "tercel/edge/conditional_answer.h"
#include "tercel/edge/open_file.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"

namespace tercel::python::api {

// What answers are made with. Borrowed: the application keeps them.
struct Encoding {
  PyObject* encode;         // Called with one object, returns bytes.
  PyObject* response_type;  // tercel.api.Response
  PyObject* file_type;      // tercel.api.FileResponse
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

  // Whether a request that asks so is answered by send(), and not by response() and payload().
  [[nodiscard]] bool depends_on(const edge::Asked& asked) const noexcept;
  // Answers. Fails as Exchange::start() or write(); nothing was sent when it was the former.
  [[nodiscard]] Result<void> send(http::Exchange& exchange, const edge::Asked& asked) noexcept;

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
  [[nodiscard]] bool read_file(PyObject* response) noexcept;
  // Status and headers, which both kinds have.
  [[nodiscard]] bool read_head(PyObject* response) noexcept;
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
  std::optional<edge::OpenFile> file_;
};

// Interns the names of a Response's attributes. False with an exception set.
[[nodiscard]] bool init_answer() noexcept;

}  // namespace tercel::python::api
