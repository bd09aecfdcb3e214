#include "tercel/s3/unsigned_chunks.h"

#include <algorithm>
#include <charconv>

#include "tercel/base/assert.h"

namespace tercel::s3 {
namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n";

constexpr std::uint64_t hex_digits(std::uint64_t number) noexcept {
  std::uint64_t digits = 1;
  while (number >>= 4) ++digits;
  return digits;
}

// Of a chunk with data.
constexpr std::uint64_t chunk_bytes(std::uint64_t data) noexcept {
  return hex_digits(data) + data + 2 * kCrlf.size();
}

}  // namespace

std::uint64_t UnsignedChunks::encoded_bytes(std::uint64_t decoded_bytes,
                                            ChecksumAlgorithm algorithm) noexcept {
  const std::uint64_t rest = decoded_bytes % kChunkBytes;
  std::uint64_t bytes = decoded_bytes / kChunkBytes * chunk_bytes(kChunkBytes);
  if (rest > 0) bytes += chunk_bytes(rest);
  bytes += kLastChunk.size() + field_of(algorithm).size() + 1 + checksum_chars(algorithm);
  return bytes + 2 * kCrlf.size();
}

std::string_view UnsignedChunks::next(std::string_view& data) noexcept {
  TERCEL_ASSERT(!data.empty());
  if (chunk_bytes_ > 0) {
    const std::string_view piece =
        data.substr(0, std::min<std::uint64_t>(chunk_bytes_, data.size()));
    data.remove_prefix(piece.size());
    chunk_bytes_ -= piece.size();
    return piece;
  }
  TERCEL_ASSERT(missing_bytes_ > 0);
  chunk_bytes_ = std::min(missing_bytes_, kChunkBytes);
  missing_bytes_ -= chunk_bytes_;
  // The data of the chunk before end with a line end.
  char* to = text_.data();
  if (begun_) to = std::ranges::copy(kCrlf, to).out;
  begun_ = true;
  to = std::to_chars(to, text_.data() + text_.size(), chunk_bytes_, 16).ptr;
  to = std::ranges::copy(kCrlf, to).out;
  return {text_.data(), to};
}

std::string_view UnsignedChunks::finish(std::string_view checksum) noexcept {
  TERCEL_ASSERT(missing_bytes_ == 0 && chunk_bytes_ == 0);
  char* to = text_.data();
  for (const std::string_view part :
       {begun_ ? kCrlf : std::string_view{}, kLastChunk, field_of(algorithm_),
        std::string_view{":"}, checksum.substr(0, ChecksumText::kBytesMax), kCrlf, kCrlf}) {
    to = std::ranges::copy(part, to).out;
  }
  return {text_.data(), to};
}

}  // namespace tercel::s3
