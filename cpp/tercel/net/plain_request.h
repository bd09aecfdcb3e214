// Whether what came in place of a TLS handshake is an HTTP request without TLS.
//
//   PlainRequest request;
//   request.feed(bytes);  // As they arrive, in any pieces.
//   if (request.verdict() == PlainRequest::Verdict::kHttp) answer_in_plain_http();
//
// A value of a few bytes, since every connection over TLS has one: it keeps nothing of what it saw.
// Stricter than the parser of requests (tercel/http), because noise is to be left without an
// answer: the method is made of capitals and hyphens, as all registered ones are, and the line has
// to go on up to the version. No byte that a handshake begins with may begin a method. Source: RFC
// 9112 section 3; for methods, IANA's HTTP Method Registry. Tested by plain_request_test.cc and
// tests/python/test_tls.py.
#pragma once

#include <cstdint>
#include <span>

namespace tercel::net {

class PlainRequest {
 public:
  enum class Verdict : std::uint8_t { kUndecided, kHttp, kOther };

  static constexpr std::uint32_t kMethodBytesMax = 32;
  static constexpr std::uint32_t kTargetBytesMax = 8192;

  // Looks at the bytes that follow those of the calls before. After a verdict it looks at no more.
  void feed(std::span<const char> bytes) noexcept;
  [[nodiscard]] Verdict verdict() const noexcept { return verdict_; }

 private:
  enum class Part : std::uint8_t { kMethod, kTarget, kVersion };

  [[nodiscard]] Verdict next(char byte) noexcept;
  [[nodiscard]] Verdict enter(Part part) noexcept;

  std::uint16_t seen_ = 0;  // Bytes of this part: no more than the larger limit.
  Part part_ = Part::kMethod;
  Verdict verdict_ = Verdict::kUndecided;
};

}  // namespace tercel::net
