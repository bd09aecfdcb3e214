// Writes a body in aws-chunked that is not signed, with its checksum in the trailer: what
// STREAMING-UNSIGNED-PAYLOAD-TRAILER announces.
//
//   UnsignedChunks chunks{decoded_bytes, ChecksumAlgorithm::kCrc32c};
//   while (!data.empty()) send(chunks.next(data));       // Takes what it wrote off `data`.
//   send(chunks.finish(checksum));                       // Of all the data, in Base64.
//
// Chunks are of one size but for the last, and announced before their data are there: so the size
// of the whole is known beforehand, and nothing is collected. The checksum comes last: who stops
// before it has sent nothing that a server completes. Resource: one a body; nothing is allocated.
// Source: AWS, "Signature calculations for trailing headers". Tested by unsigned_chunks_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tercel/s3/checksum.h"

namespace tercel::s3 {

class UnsignedChunks {
 public:
  static constexpr std::uint64_t kChunkBytes = 65'536;

  // Of the whole, with chunks and trailer. Cost: constant.
  [[nodiscard]] static std::uint64_t encoded_bytes(std::uint64_t decoded_bytes,
                                                   ChecksumAlgorithm algorithm) noexcept;

  UnsignedChunks(std::uint64_t decoded_bytes, ChecksumAlgorithm algorithm) noexcept
      : missing_bytes_{decoded_bytes}, algorithm_{algorithm} {}

  // The next piece: not empty, and valid until the next call, or as long as `data` is. REQUIRES:
  // `data` is not empty, and not more than what is missing of decoded_bytes.
  [[nodiscard]] std::string_view next(std::string_view& data) noexcept;
  // The last piece. REQUIRES: all of the data were written; valid_checksum(algorithm, checksum).
  [[nodiscard]] std::string_view finish(std::string_view checksum) noexcept;

 private:
  // A line end, a size, or all that is behind the data.
  static constexpr std::size_t kTextBytesMax = 128;

  std::array<char, kTextBytesMax> text_;
  std::uint64_t missing_bytes_;    // In chunks that have not begun.
  std::uint64_t chunk_bytes_ = 0;  // Of the chunk that has, and is not complete.
  bool begun_ = false;
  ChecksumAlgorithm algorithm_;
};

}  // namespace tercel::s3
