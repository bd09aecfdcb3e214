// Makes answers without a server: what a function returned as (status, headers, body).
//
// Made by tercel.App, one for each; keeps what it was given. Tested by test_api_app.py.
#pragma once

#include <cstdint>

#include <nanobind/nanobind.h>

#include "python/api/answer.h"
#include "python/api/buffer_exchange.h"

namespace tercel::python::api {

class Encoder {
 public:
  // As the fields of Encoding (answer.h).
  Encoder(nanobind::object encode, nanobind::object response_type, nanobind::object stream_type)
      : encode_{std::move(encode)},
        response_type_{std::move(response_type)},
        stream_type_{std::move(stream_type)} {}

  [[nodiscard]] Encoding encoding() const noexcept {
    return {.encode = encode_.ptr(),
            .response_type = response_type_.ptr(),
            .stream_type = stream_type_.ptr()};
  }
  // What answer.h makes of `result`. Throws what that raises.
  [[nodiscard]] nanobind::tuple answer(const nanobind::object& result, std::uint16_t status) const;

 private:
  nanobind::object encode_;
  nanobind::object response_type_;
  nanobind::object stream_type_;
};

// (status, headers, body) of what was answered.
[[nodiscard]] nanobind::tuple to_tuple(const BufferExchange& exchange);

}  // namespace tercel::python::api
