// Problem details: how the API says no.
//
//   answer_problem(exchange, {.status = 404, .instance = request.path}, writer);
//
// {"type":"about:blank","title":"Not Found","status":404,"detail":"...","instance":"/things/7"},
// and "errors" where single values of the request are wrong (failures.h).
// Source: RFC 9457. Tested by app_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/base/errors.h"
#include "tercel/edge/conditional_answer.h"
#include "tercel/http/handler.h"
#include "tercel/json/writer.h"

namespace tercel::api {

struct Problem {
  std::uint16_t status;
  std::string_view detail = {};    // UTF-8, a sentence; empty: left out.
  std::string_view instance = {};  // The path of the request; left out when it is empty or no URI.
  std::string_view errors = {};    // A JSON array; empty: left out.
};

inline constexpr std::string_view kProblemType = "application/problem+json";

// Writes the document into `out`, which holds nothing yet.
void write(const Problem& problem, json::Writer& out) noexcept;

// Whether an error can be told by an answer.
[[nodiscard]] bool is_told(Errc error) noexcept;

// What an error says, as a sentence: "the form exceeds the limit" is "The form exceeds the limit.".
// Without a std::string, because it may be said where there is no memory.
class Sentence {
 public:
  explicit Sentence(Errc error) noexcept;
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

 private:
  static constexpr std::size_t kBytesMax = 128;
#define TERCEL_API_FITS(name, blame, status, text) static_assert(sizeof(text) <= kBytesMax);
  TERCEL_ERRORS(TERCEL_API_FITS)
#undef TERCEL_API_FITS

  std::array<char, kBytesMax> bytes_;
  std::size_t size_;
};

// Answers with it, and with `fields` besides Content-Type and Content-Length. `scratch` is emptied.
void answer_problem(http::Exchange& exchange, const Problem& problem, json::Writer& scratch,
                    std::span<const http::Field> fields = {}) noexcept;

// The same with the error's status, and what it says as the detail. An error that no answer can be
// sent for, or without memory, ends the exchange.
void answer_problem(http::Exchange& exchange, Errc error, std::string_view instance,
                    json::Writer& scratch, std::span<const http::Field> fields = {}) noexcept;

// The same without a path, and with memory of its own.
void refuse_with_problem(http::Exchange& exchange, const edge::Asked& asked, Errc error,
                         std::span<const http::Field> fields) noexcept;

// Answers with `body`, whole. `fields` besides Content-Type (left out when it is empty) and
// Content-Length: at most kAnswerFieldsMax. What is wrong with them ends the exchange with 500.
inline constexpr std::size_t kAnswerFieldsMax = 30;
void answer(http::Exchange& exchange, std::uint16_t status, std::string_view content_type,
            std::string_view body, std::span<const http::Field> fields = {}) noexcept;

}  // namespace tercel::api
