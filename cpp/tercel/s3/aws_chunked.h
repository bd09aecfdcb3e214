// Decodes a body in aws-chunked: the framing that S3 clients put inside of HTTP's own.
//
//   AwsChunkedDecoder decoder{{.decoded_bytes = 66'560, .signer = &signer, .checksum = ...}};
//   for (;;) {
//     switch (decoder.next(bytes)) {                     // Takes what it read off `bytes`.
//       case AwsChunkedDecoder::Event::kNeedMore: return;
//       case AwsChunkedDecoder::Event::kData: ...        // decoder.data()
//       case AwsChunkedDecoder::Event::kEnd: ...         // All is there, and all is verified.
//       case AwsChunkedDecoder::Event::kFailed: ...      // decoder.failure(): abort the upstream.
//     }
//   }
//   if (!decoder.complete()) ...                         // When the body ended: IncompleteBody.
//   use(decoder.rest());                                 // Else: what was held back.
//
//   hex-size[;chunk-signature=64hex] CRLF data CRLF ... 0[;chunk-signature=64hex] CRLF
//   [name:value CRLF] [x-amz-trailer-signature:64hex CRLF] CRLF
//
// With a signer, every chunk has a signature, which is verified before the last bytes of the chunk
// are told, and so has the trailer, if one comes. A checksum is compared. The last
// HoldBack::kBytesMax bytes of the data are rest(): to be used when all of that is right, and the
// body has ended with nothing else behind it. So whoever forwards the data with their
// Content-Length, and stops at a failure, completes nothing that was not verified, or was refused
// (hold_back.h). Strict: no other extension, no white space, lines end in CRLF. What some clients
// send is taken: a signed trailer's line that ends in a line feed alone, with or without an empty
// line behind it, and a few empty lines at the end. Failures: IncompleteBody (framing; chunks are
// not decoded_bytes together; an early end), InvalidChunkSizeError (signed, and less than 8 KiB
// though not the last), SignatureDoesNotMatch, MalformedTrailerError (missing, another, repeated,
// or no trailer), InvalidRequest (the checksum's value is malformed), BadDigest. Resource: one a
// body. Sans-I/O; nothing is allocated; data are views into `bytes`, but for what was held back.
// However the body is cut into pieces, data and events are the same. Cost: linear; one SHA-256 of
// the data where they are signed, one checksum where there is a trailer. Source: AWS, "Signature
// calculations for the Authorization header: transferring payload in multiple chunks", and the same
// "including trailing headers". Tested by aws_chunked_test.cc, fuzzed by aws_chunked_fuzz.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tercel/s3/checksum.h"
#include "tercel/s3/error.h"
#include "tercel/s3/hold_back.h"
#include "tercel/s3/sha256.h"
#include "tercel/s3/signature.h"

namespace tercel::s3 {

// Every chunk that is signed has as many bytes, but for the last.
inline constexpr std::uint64_t kSignedChunkBytesMin = 8192;
inline constexpr std::size_t kChunkLineBytesMax = 1024;    // Of a chunk, or of a trailer.
inline constexpr std::size_t kChunkedPaddingBytesMax = 8;  // Line ends behind the last.

struct AwsChunkedOptions {
  std::uint64_t decoded_bytes = 0;  // x-amz-decoded-content-length
  // Verifies the chunks, and the trailer; null: they are not signed. Outlives the decoder.
  ChunkSigner* signer = nullptr;
  // Of the data; nothing: there is none, and no trailer comes.
  std::optional<ChecksumAlgorithm> checksum = std::nullopt;
  // Its value, valid_checksum(), where a header field had it; empty: the trailer has it. Outlives
  // the decoder.
  std::string_view expected = {};
};

class AwsChunkedDecoder {
 public:
  enum class Event : std::uint8_t { kNeedMore, kData, kEnd, kFailed };

  explicit AwsChunkedDecoder(const AwsChunkedOptions& options) noexcept;
  AwsChunkedDecoder(const AwsChunkedDecoder&) = delete;
  AwsChunkedDecoder& operator=(const AwsChunkedDecoder&) = delete;

  // After kEnd call on, with what follows, until the body ends; after kFailed do not.
  [[nodiscard]] Event next(std::string_view& bytes) noexcept;

  // Not empty. Valid until the next call, or as long as the bytes it is a view of.
  [[nodiscard]] std::string_view data() const noexcept { return data_; }
  [[nodiscard]] ErrorCode failure() const noexcept { return failure_; }
  // The checksum of the trailer, which is right. Empty: none came yet.
  [[nodiscard]] std::string_view trailer() const noexcept {
    return trailer_ ? trailer_->text() : std::string_view{};
  }
  // kEnd was told, and nothing went wrong behind it.
  [[nodiscard]] bool complete() const noexcept { return state_ == State::kPadding; }
  // The data that were held back: the last ones. REQUIRES: complete(). Valid as long as this is.
  [[nodiscard]] std::string_view rest() const noexcept { return tail_.release(); }

 private:
  enum class State : std::uint8_t {
    kSize,  // In the line before the data of a chunk.
    kData,
    kDataEnd,  // In the CRLF behind them.
    kTrailer,  // In a line behind the last chunk.
    kPadding,  // Behind the end.
    kFailed
  };

  [[nodiscard]] std::optional<Event> step(std::string_view& bytes) noexcept;
  [[nodiscard]] std::optional<Event> read_data(std::string_view& bytes) noexcept;
  [[nodiscard]] std::optional<Event> read_data_end(std::string_view& bytes) noexcept;
  [[nodiscard]] std::optional<Event> read_padding(std::string_view& bytes) noexcept;
  // Collects a line; true: it is complete, in line_, with its line feed.
  [[nodiscard]] bool collect_line(std::string_view& bytes) noexcept;
  [[nodiscard]] std::optional<Event> read_size_line(std::string_view line) noexcept;
  [[nodiscard]] std::optional<Event> begin_chunk(std::uint64_t bytes) noexcept;
  [[nodiscard]] std::optional<Event> read_trailer_line(std::string_view line) noexcept;
  [[nodiscard]] std::optional<Event> read_trailer(std::string_view line) noexcept;
  [[nodiscard]] std::optional<Event> read_trailer_signature(std::string_view value) noexcept;
  [[nodiscard]] std::optional<Event> end_trailers() noexcept;
  [[nodiscard]] bool verify_chunk() noexcept;
  Event fail(ErrorCode error) noexcept;

  ChunkSigner* signer_;
  std::optional<Checksum> checksum_;
  std::uint64_t missing_bytes_;    // Of the body, in chunks that have not begun.
  std::uint64_t chunk_bytes_ = 0;  // Of the chunk.
  std::uint64_t chunk_rest_ = 0;   // Of these, not read yet.
  std::string_view data_;
  std::size_t line_bytes_ = 0;
  std::size_t matched_ = 0;  // Bytes of a CRLF; of padding.
  Sha256 chunk_hash_;
  Sha256Digest trailer_digest_{};
  HexDigest signature_{};  // Of the chunk.
  std::array<char, kChunkLineBytesMax> line_;
  HoldBack tail_;
  ErrorCode failure_ = ErrorCode::kIncompleteBody;
  State state_ = State::kSize;
  std::optional<ChecksumText> trailer_;
  std::string_view expected_;  // Empty: the trailer has it.
  bool takes_trailer_;
  bool has_trailer_ = false;
  bool has_trailer_signature_ = false;
  bool small_chunk_ = false;  // Only the last may be.
};
// One an upload that is decoded.
static_assert(sizeof(AwsChunkedDecoder) <= HoldBack::kBytesMax + kChunkLineBytesMax + 576);

}  // namespace tercel::s3
