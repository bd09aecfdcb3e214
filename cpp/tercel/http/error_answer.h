// The response that tells a client of an error: its text, as plain text that no browser takes for
// anything else, Retry-After where the error is one of the moment, and Sec-WebSocket-Version where
// it is that.
//
//   const ErrorAnswer answer{Errc::kRateLimited, 2s};
//   (void)exchange.start(answer.response());
//   (void)exchange.write(Payload::borrow(answer.body()), Final::kYes);
//
// Resource: lives until the response is written. Source: RFC 9110 sections 10.2.3 and 15.6.4,
// RFC 6585 section 4. Tested by h1_session_test.cc and rate_limit_test.cc.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/base/errors.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"

namespace tercel::http {

class ErrorAnswer {
 public:
  // REQUIRES: the error has a status. `retry_after` is told with 429 and 503 only.
  explicit ErrorAnswer(Errc error, std::chrono::seconds retry_after = kRetryAfter) noexcept;
  ErrorAnswer(const ErrorAnswer&) = delete;
  ErrorAnswer& operator=(const ErrorAnswer&) = delete;

  // Both views are into this object.
  [[nodiscard]] Response response() const noexcept {
    return {.status = status_, .fields = std::span{fields_}.first(field_count_)};
  }
  [[nodiscard]] std::string_view body() const noexcept { return {body_.data(), body_bytes_}; }
  // Its size, without the answer.
  [[nodiscard]] static std::size_t body_bytes(Errc error) noexcept;

 private:
  static constexpr std::size_t kBodyBytesMax = 80;
  static constexpr std::size_t kDigitsMax = 20;

  std::array<Field, 3> fields_;
  std::size_t field_count_ = 2;
  std::size_t body_bytes_;
  std::array<char, kDigitsMax> retry_after_;
  std::array<char, kBodyBytesMax> body_;
  std::uint16_t status_;
};

}  // namespace tercel::http
