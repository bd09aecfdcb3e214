// Makes answers without a server: what a function returned as (status, headers, body).
//
// Made by tercel.App, one for each; keeps what it was given. Tested by test_api_app.py.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include <nanobind/nanobind.h>

#include "python/api/answer.h"
#include "python/api/buffer_exchange.h"

namespace tercel::python::api {

class Encoder {
 public:
  // As the fields of Encoding (answer.h).
  Encoder(nanobind::object encode, nanobind::object response_type, nanobind::object file_type,
          nanobind::object stream_type)
      : encode_{std::move(encode)},
        response_type_{std::move(response_type)},
        file_type_{std::move(file_type)},
        stream_type_{std::move(stream_type)} {}

  [[nodiscard]] Encoding encoding() const noexcept {
    return {.encode = encode_.ptr(),
            .response_type = response_type_.ptr(),
            .file_type = file_type_.ptr(),
            .stream_type = stream_type_.ptr()};
  }
  // What answer.h makes of `result`, for a request of this method and with these headers, of which
  // those count that are conditions. Throws what that raises.
  [[nodiscard]] nanobind::tuple answer(const nanobind::object& result, std::uint16_t status,
                                       std::string_view method, const nanobind::list& headers,
                                       const nanobind::bytes& path) const;

 private:
  nanobind::object encode_;
  nanobind::object response_type_;
  nanobind::object file_type_;
  nanobind::object stream_type_;
};

// (status, headers, body) of what was answered. The body is bytes, or, where there are files in it,
// a list of bytes and FilePart, which are taken out of it.
[[nodiscard]] nanobind::tuple to_tuple(BufferExchange& exchange);

}  // namespace tercel::python::api
