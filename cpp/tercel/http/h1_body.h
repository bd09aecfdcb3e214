// Takes the framing off an HTTP/1 request body: by length, or chunked with trailers.
//
//   BodyDecoder decoder = BodyDecoder::chunked();
//   BodyPart part = decoder.decode(input, limits, fields);  // part.data is a view into input
//   input = input.subspan(part.consumed);
//
// A value of few bytes: no buffer, no copy. A call returns the bytes of one chunk at most, and is
// linear in what it consumes. An incomplete chunk line, or a trailer section of which a part is
// missing, is not consumed: present it again with more behind it, in one piece.
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
  kNeedMore,  // No whole piece in what is left of the input.
  kEnd,       // The body is complete (`data` may hold its last bytes); `trailers` are set.
  kBad
};

struct BodyPart {
  BodyStatus status;
  Errc error;                       // If kBad.
  std::size_t consumed;             // Bytes of the input that are dealt with, whatever the status.
  std::string_view data;            // View into the input.
  std::span<const Field> trailers;  // If kEnd: views into the input and `fields`.
};

class BodyDecoder {
 public:
  // Nothing to read: kEnd at once.
  BodyDecoder() noexcept = default;
  [[nodiscard]] static BodyDecoder length(std::uint64_t bytes) noexcept;
  [[nodiscard]] static BodyDecoder chunked() noexcept;
  // All bytes that come, without a limit: those of a tunnel, or the body of a response that lasts
  // until the connection closes. Who reads them knows of the end.
  [[nodiscard]] static BodyDecoder unframed() noexcept;

  // `fields` receives the trailers. Total body bytes, chunk lines and trailers are held to
  // `limits`, and what chunks carry beside data to kOverheadBytesMax. Trailer names are turned to
  // lower case in place. Trailers that RFC 9110 section 6.5.1 forbids (framing, routing,
  // authentication, control, content) are dropped. After kBad do not call again.
  [[nodiscard]] BodyPart decode(std::span<char> input, const Limits& limits,
                                HeadBuffer& fields) noexcept;

  [[nodiscard]] bool done() const noexcept { return state_ == State::kDone; }
  // Bytes known to be missing still: of a length body all, of a chunked one those of this chunk.
  [[nodiscard]] std::uint64_t missing() const noexcept { return left_; }

  // Of a body with a length: bytes that may go on without being looked at; else none.
  [[nodiscard]] std::uint64_t unseen() const noexcept {
    return state_ == State::kLength ? left_ : 0;
  }
  // So many of them did. REQUIRES: bytes <= unseen().
  void pass(std::uint64_t bytes) noexcept {
    left_ -= bytes;
    if (left_ == 0) state_ = State::kDone;
  }

  // Bytes of chunk lines, in sum, beyond 16 a chunk and twice its data. Honest senders stay far
  // below; who sends kilobytes of extensions for each byte of data does not. The rule is that of
  // Go's net/http, after CVE-2023-39326.
  static constexpr std::uint16_t kOverheadBytesMax = 16 * 1024;

 private:
  enum class State : std::uint8_t {
    kDone,
    kLength,
    kChunkLine,
    kChunkData,
    kChunkEnd,
    kTrailers,
    kUnframed
  };

  BodyPart decode_length(std::span<char> input, const Limits& limits) noexcept;
  BodyPart decode_chunked(std::span<char> input, const Limits& limits, HeadBuffer& fields) noexcept;
  Result<bool> take_chunk_end(std::span<char>& input) noexcept;
  Result<bool> take_chunk_line(std::span<char>& input, const Limits& limits) noexcept;
  Result<bool> take_trailers(std::span<char>& input, const Limits& limits, HeadBuffer& fields,
                             std::span<const Field>& trailers) noexcept;
  Result<void> charge(std::uint64_t data_bytes, std::size_t line_bytes,
                      const Limits& limits) noexcept;
  bool nothing_new(std::span<const char> input, std::size_t limit) noexcept;

  std::uint64_t left_ = 0;       // Of the body or of this chunk.
  std::uint64_t seen_ = 0;       // Data bytes announced by chunks so far.
  std::uint32_t looked_at_ = 0;  // Bytes of an incomplete line or section already searched.
  std::uint16_t overhead_ = 0;
  State state_ = State::kDone;
};
static_assert(sizeof(BodyDecoder) == 24);

}  // namespace tercel::http
