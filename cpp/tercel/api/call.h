// A request that has passed everything: what an endpoint is called with.
//
//   [&](api::Call& call) {
//     const auto id = call.argument<std::int64_t>("id");
//     const auto name = call.body->get<std::string_view>("name");
//     if (!id || !name) return call.problem(422, "A thing has a name.");
//     call.json(201, [&](json::Writer& out) { ... }, {{"location", "/things/7"}});
//   }
//
// Of a form, texts are arguments, and files uploads, which are gone when the endpoint returns:
//
//   if (const api::Upload* photo = call.upload("photo")) {
//     ... call.form->read(*photo, 0, into)
//
// Tested by app_test.cc.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "tercel/api/form.h"
#include "tercel/api/parameter.h"
#include "tercel/api/problem.h"
#include "tercel/api/request_plan.h"
#include "tercel/http/handler.h"
#include "tercel/json/value.h"
#include "tercel/json/writer.h"

namespace tercel::api {

struct Call;

// An answer that says what is wrong with a request. A view.
struct Refusal {
  std::uint16_t status;
  std::string_view content_type;
  std::string_view body;
  std::span<const http::Field> fields = {};  // At most kAnswerFieldsMax.
};

// Asks who sends a request before it is told what is wrong with it.
class Authentication {
 public:
  // Answers, now or later, with `refusal` or in its place. `call.arguments` are gone then.
  virtual void ask(Call& call, const Refusal& refusal) noexcept = 0;

 protected:
  ~Authentication() = default;
};

// Everything but `exchange` is valid until the endpoint returns; that one as its class says.
struct Call {
  const http::Request& request;
  http::Exchange& exchange;
  std::span<const Parameter> parameters = {};  // Of the route.
  const Arguments& arguments;                  // In their order.
  std::optional<json::Value> body = {};        // Of a JSON body; nothing: there is none.
  bool is_text = true;                         // That body is the text in `bytes`.
  std::string_view bytes = {};                 // The body as it was sent, if it was collected.
  std::string_view media_type = {};            // To answer in, where the route has a choice.
  Form* form = nullptr;                        // If the body is a multipart form.
  Authentication* authentication = nullptr;    // Of the route; null: it has none.
  const Refusal* refusal = nullptr;            // Of an authenticator (route.h): what to answer.
  json::Writer& scratch;                       // Empty.

  // The argument for the parameter of that name as a T (json/value.h). Nothing: it was not given,
  // it is of another type, or an integer beyond 64 bits. Cost: O(parameters).
  template <typename T>
  [[nodiscard]] std::optional<T> argument(std::string_view name) const noexcept {
    const auto value = find(name);
    return value ? value->template as<T>() : std::nullopt;
  }

  // The file for the parameter of that name, the first of a list; null: there is none. Cost:
  // O(uploads).
  [[nodiscard]] const Upload* upload(std::string_view name) const noexcept;

  // Each answers, with `fields` besides Content-Type and Content-Length: at most kAnswerFieldsMax.
  using Fields = std::initializer_list<http::Field>;
  // With what `write(json::Writer&)` writes.
  template <typename Write>
  void json(std::uint16_t status, Write&& write, Fields fields = {}) const noexcept {
    scratch.clear();
    std::forward<Write>(write)(scratch);
    answer_json(status, fields);
  }
  void text(std::uint16_t status, std::string_view words, Fields fields = {}) const noexcept {
    answer(exchange, status, "text/plain; charset=utf-8", words, fields);
  }
  void problem(std::uint16_t status, std::string_view detail, Fields fields = {}) const noexcept {
    answer_problem(exchange, {.status = status, .detail = detail, .instance = request.path},
                   scratch, fields);
  }
  // The same for what is wrong with the request, where who sends it is asked first (route.h).
  void refuse(std::uint16_t status, std::string_view detail, Fields fields = {}) noexcept;
  // Answers with `refusal`, if there is one.
  void answer_refusal() const noexcept;
  // Without a body: 204 and the like.
  void empty(std::uint16_t status, Fields fields = {}) const noexcept {
    answer(exchange, status, {}, {}, fields);
  }

 private:
  [[nodiscard]] std::optional<json::Value> find(std::string_view name) const noexcept;
  void answer_json(std::uint16_t status, Fields fields) const noexcept;
};

// What a route leads to. Answers at once or later, through call.exchange.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual void call(Call& call) noexcept = 0;
};

}  // namespace tercel::api
