// Takes the framing off an HTTP/1 request body: by length, or chunked with trailers.
//
//   BodyDecoder decoder = BodyDecoder::chunked(limits);
//   BodyPart part = decoder.decode(input);     // part.data is a view into input
//   input = input.subspan(part.consumed);
//
// A value of few bytes: no buffer, no copy. An incomplete chunk line or trailer line is not
// consumed; present it again with more behind it.
// Source: RFC 9112 sections 6 and 7. Tested by h1_body_test.cc, fuzzed by h1_body_fuzz.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/base/result.h"
#include "tercel/http/h1_head.h"
#include "tercel/http/limits.h"
#include "tercel/http/message.h"

namespace tercel::http {

enum class BodyStatus : std::uint8_t {
  kData,      // `data` is not empty; call again with what follows.
  kNeedMore,  // No whole piece in the input.
  kEnd,       // The body is complete (`data` may hold its last bytes); `trailers` are set.
  kBad
};

struct BodyPart {
  BodyStatus status;
  Errc error;                       // If kBad.
  std::size_t consumed;             // Bytes of the input that are dealt with.
  std::string_view data;            // View into the input.
  std::span<const Field> trailers;  // If kEnd: views into the input and `fields`.
};

class BodyDecoder {
 public:
  // Nothing to read: kEnd at once.
  BodyDecoder() noexcept = default;
  [[nodiscard]] static BodyDecoder length(std::uint64_t bytes) noexcept;
  [[nodiscard]] static BodyDecoder chunked() noexcept;

  // `fields` receives the trailers. Total body bytes, chunk lines and trailers are held to
  // `limits`. Trailer names are turned to lower case in place. Trailers that RFC 9110 section 6.5.1
  // forbids (framing, routing, authentication) are dropped.
  [[nodiscard]] BodyPart decode(std::span<char> input, const Limits& limits,
                                HeadBuffer& fields) noexcept;

  [[nodiscard]] bool done() const noexcept { return state_ == State::kDone; }
  // Bytes known to be missing still: of a length body all, of a chunked one those of this chunk.
  [[nodiscard]] std::uint64_t missing() const noexcept { return left_; }

 private:
  enum class State : std::uint8_t { kDone, kLength, kChunkLine, kChunkData, kChunkEnd, kTrailers };
  std::uint64_t left_ = 0;
  std::uint64_t seen_ = 0;
  State state_ = State::kDone;
};

}  // namespace tercel::http
