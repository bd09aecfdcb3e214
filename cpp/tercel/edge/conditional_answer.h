// The answer to a request whose conditions say that the client has it already, or should not get
// it.
//
//   const std::optional<Result<void>> answered = answer_conditions(exchange, request, response,
//                                                                  validators_of(fields), now);
//   if (answered) return *answered;   // 304 or 412.
//   ...                               // As it would be without them.
//
// For GET and HEAD that would be answered with 200: RFC 9110 section 13.2.1. Of the fields of that
// answer 304 has those that are not about its content. Source: RFC 9110 sections 13 and 15.4.5.
// Thread: the exchange's. Tested by conditional_answer_test.cc and file_answer_test.cc.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/base/result.h"
#include "tercel/http/conditional.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"

namespace tercel::edge {

// Of a request, what its answer depends on. Its fields may be those that is_condition() names
// alone.
struct Asked {
  std::string_view method = {};
  std::span<const http::Field> fields = {};
  std::string_view path = {};  // For what a refusal says.

  [[nodiscard]] bool reads() const noexcept { return method == "GET" || method == "HEAD"; }
};

[[nodiscard]] inline Asked asked_by(const http::Request& request) noexcept {
  return {request.method, request.fields, request.path};
}

// Range, and all that begin with "if-". REQUIRES: `name` is in lower case.
[[nodiscard]] bool is_condition(std::string_view name) noexcept;

// How what is wrong with a request is answered: with the error's status, and `fields`, at most
// four.
using Refuse = void (*)(http::Exchange& exchange, const Asked& asked, Errc error,
                        std::span<const http::Field> fields) noexcept;
// In plain text, as the engine does.
void refuse_in_text(http::Exchange& exchange, const Asked& asked, Errc error,
                    std::span<const http::Field> fields) noexcept;

// What the ETag and the Last-Modified of a response say of it. `now`: since 1970. Views into the
// fields.
[[nodiscard]] http::Validators validators_of(std::span<const http::Field> fields,
                                             std::chrono::seconds now) noexcept;

// Answers with 304 or 412, or not at all: then the result is empty. `response` is what would be
// sent. The result fails as Exchange::start().
[[nodiscard]] std::optional<Result<void>> answer_conditions(
    http::Exchange& exchange, const Asked& asked, const http::Response& response,
    const http::Validators& current, std::chrono::seconds now,
    Refuse refuse = &refuse_in_text) noexcept;

}  // namespace tercel::edge
