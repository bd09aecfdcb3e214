// Builds the environ of a request.
//
//   Ref environ = environs.build(request, exchange.endpoints(), body_length, {.input = input,
//   ...});
//
// A copy of a template that holds everything but the request's own values. Every value is a native
// string of latin-1 code points, as PEP 3333 wants it. Fields whose name has an underscore are left
// out: they would be taken for those with a dash (CVE-2015-0219). Fields of one name are joined. A
// body whose transfer coding the server took off has a CONTENT_LENGTH if its length is known, and
// else HTTP_TRANSFER_ENCODING.
// Source: PEP 3333, "environ Variables"; RFC 3875 section 4.1. Thread: one that holds the
// interpreter lock. Tested by test_wsgi_environ.py.
#pragma once

#include <Python.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "python/ref.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"

namespace tercel::python::wsgi {

struct EnvironOptions {
  // Where a request does not bring its own: without a slash at its end.
  std::string script_name;
  bool in_path = false;  // The proxy left it in the path.
  bool multithread = true;
  bool multiprocess = false;
};

class EnvironBuilder {
 public:
  explicit EnvironBuilder(EnvironOptions options) noexcept : options_{std::move(options)} {}
  EnvironBuilder(const EnvironBuilder&) = delete;
  EnvironBuilder& operator=(const EnvironBuilder&) = delete;
  ~EnvironBuilder();

  // Makes the template. `file_wrapper` is the class, `errors` the
  // stream. False with a Python exception set. To be
  // called once, before build().
  [[nodiscard]] bool init(PyObject* file_wrapper, PyObject* errors) noexcept;
  // What only this request has.
  struct Objects {
    PyObject* input;
    PyObject* early_hints;
  };
  // A new dict, or null with an exception set. `body_bytes`: of a body that does not declare its
  // length. REQUIRES: views of `request` are valid.
  [[nodiscard]] Ref build(const http::Request& request, const http::Endpoints& ends,
                          std::optional<std::uint64_t> body_bytes, const Objects& own) noexcept;

 private:
  // The keys of fields, HTTP_ACCEPT, the latest ones kept in a direct-mapped table.
  struct Slot {
    std::string name;
    PyObject* key = nullptr;  // Owned.
  };
  static constexpr std::size_t kSlots = 128;
  static constexpr std::size_t kNameBytesMax = 48;  // Longer ones are not kept.

  [[nodiscard]] bool fill_target(PyObject* environ, const http::Request& request);
  [[nodiscard]] bool fill_ends(PyObject* environ, const http::Request& request,
                               const http::Endpoints& ends) noexcept;
  [[nodiscard]] bool fill_fields(PyObject* environ, const http::Request& request,
                                 std::optional<std::uint64_t> body_bytes);
  [[nodiscard]] bool add_field(PyObject* environ, const http::Field& field);
  [[nodiscard]] Ref key_of(std::string_view name);

  EnvironOptions options_;
  Ref template_;
  std::array<Slot, kSlots> slots_{};
};

}  // namespace tercel::python::wsgi
