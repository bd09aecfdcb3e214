// CORS for Python: what tercel.CORS says, checked, and the same answers for requests that come as
// ASGI messages.
//
// Thread: any that holds the interpreter lock; it does not change. Tested by test_api_cors.py.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>

#include "tercel/edge/cors_policy.h"

namespace tercel::python::api {

class PyCors {
 public:
  // Throws ValueError with a sentence.
  PyCors(std::vector<std::string> origins, std::vector<std::string> methods,
         std::vector<std::string> headers, std::vector<std::string> expose, bool credentials,
         bool private_network, std::uint32_t max_age);

  [[nodiscard]] const edge::CorsPolicy& policy() const noexcept { return policy_; }
  // The answer to a preflight, as status, headers and body; None: it is none.
  [[nodiscard]] nanobind::object preflight(const nanobind::bytes& method,
                                           const nanobind::list& headers) const;
  // The header fields of an answer to a request with `origin`, with those of CORS behind them.
  [[nodiscard]] nanobind::list amend(const nanobind::bytes& origin,
                                     const nanobind::list& headers) const;

 private:
  edge::CorsPolicy policy_;
};

}  // namespace tercel::python::api
