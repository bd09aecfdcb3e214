// A request that has passed everything: what an endpoint is called with.
//
//   void call(api::Call& call) noexcept override {
//     const std::int64_t id = call.arguments.value(0).int64();
//     call.json(200, [&](json::Writer& out) { ... });
//   }
//
// Tested by app_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "tercel/api/problem.h"
#include "tercel/api/request_plan.h"
#include "tercel/http/handler.h"
#include "tercel/json/value.h"
#include "tercel/json/writer.h"

namespace tercel::api {

// Everything but `exchange` is valid until the endpoint returns; that one as its class says.
struct Call {
  const http::Request& request;
  http::Exchange& exchange;
  const Arguments& arguments;            // In the order of the route's parameters.
  std::optional<json::Value> body = {};  // Of a JSON body; nothing: there is none.
  std::string_view bytes = {};           // The body as it was sent, if it was collected.
  json::Writer& scratch;                 // Empty.

  // Answers with what `write(json::Writer&)` writes.
  template <typename Write>
  void json(std::uint16_t status, Write&& write) const noexcept {
    scratch.clear();
    std::forward<Write>(write)(scratch);
    answer_json(status);
  }
  void text(std::uint16_t status, std::string_view words) const noexcept {
    answer(exchange, status, "text/plain; charset=utf-8", words);
  }
  void problem(std::uint16_t status, std::string_view detail) const noexcept {
    answer_problem(exchange, {.status = status, .detail = detail, .instance = request.path},
                   scratch);
  }

 private:
  void answer_json(std::uint16_t status) const noexcept;
};

// What a route leads to. Answers at once or later, through call.exchange.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual void call(Call& call) noexcept = 0;
};

}  // namespace tercel::api
