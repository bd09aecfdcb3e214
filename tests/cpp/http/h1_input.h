// Ways to present one input to a parser, for tests and for the tool that compares with llhttp.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tercel/http/h1_body.h"
#include "tercel/http/h1_head.h"

namespace tercel::http {

// Bytes in memory of exactly their size, so that AddressSanitizer sees the first byte beyond.
class ExactBytes {
 public:
  explicit ExactBytes(std::string_view text)
      : bytes_{std::make_unique<char[]>(text.size())}, size_{text.size()} {
    if (!text.empty()) std::memcpy(bytes_.get(), text.data(), text.size());
  }
  std::span<char> span() { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

// What a body decoder said, with its pieces put together.
struct DecodedBody {
  BodyStatus status = BodyStatus::kNeedMore;
  Errc error{};
  std::size_t consumed = 0;
  std::string data;
  std::string trailers;  // "name=value;" for each.

  bool operator==(const DecodedBody&) const = default;
};

// Drives `decoder` over `input`, of which no more than `step` new bytes are there at each call.
inline DecodedBody decode_in_steps(BodyDecoder decoder, std::string_view input,
                                   const Limits& limits, std::size_t step) {
  DecodedBody result;
  std::string arrived;
  static HeadBuffer fields;
  while (true) {
    ExactBytes pending{std::string_view{arrived}.substr(result.consumed)};
    const BodyPart part = decoder.decode(pending.span(), limits, fields);
    result.consumed += part.consumed;
    result.data += part.data;
    result.status = part.status;
    if (part.status == BodyStatus::kBad) {
      result.error = part.error;
      return result;
    }
    if (part.status == BodyStatus::kEnd) {
      for (const Field& field : part.trailers) {
        (result.trailers += field.name).append("=").append(field.value).append(";");
      }
      return result;
    }
    if (part.status == BodyStatus::kData) continue;
    if (arrived.size() == input.size()) return result;
    arrived += input.substr(arrived.size(), step);
  }
}

}  // namespace tercel::http
