// The checksums that a client may send with a body: in a header field, or in a trailer of the same
// name.
//
//   const auto algorithm = checksum_of_field("x-amz-checksum-crc32c");
//   if (!valid_checksum(*algorithm, value)) ...          // InvalidRequest
//   Checksum checksum{*algorithm};
//   checksum.update(bytes);                              // Piece by piece.
//   if (checksum.finish().text() != value) ...           // BadDigest
//
// Values are compared as S3 writes them, in Base64, of which there is one form for each value.
// Values; nothing is allocated. They find accidents: comparing them is not constant in time.
// Source: the user guide of Amazon S3, "Checking object integrity"; RFC 1864 for Content-MD5.
// Tested by checksum_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "tercel/base/base64.h"
#include "tercel/s3/crc.h"
#include "tercel/s3/old_digests.h"
#include "tercel/s3/sha256.h"

namespace tercel::s3 {

enum class ChecksumAlgorithm : std::uint8_t { kCrc32, kCrc32c, kCrc64Nvme, kSha1, kSha256, kMd5 };

// "x-amz-checksum-crc32" and so on; of MD5 "content-md5".
[[nodiscard]] std::string_view field_of(ChecksumAlgorithm algorithm) noexcept;

// The one whose field has this name, in lower case. Nothing: none has, or it is MD5's, which is
// never a trailer.
[[nodiscard]] std::optional<ChecksumAlgorithm> checksum_of_field(std::string_view name) noexcept;

// A checksum in Base64. A value.
class ChecksumText {
 public:
  static constexpr std::size_t kBytesMax = base64_chars(sizeof(Sha256Digest));

  explicit ChecksumText(std::span<const std::uint8_t> checksum) noexcept
      : size_{base64_encode(checksum, text_.data()).size()} {}

  [[nodiscard]] std::string_view text() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, kBytesMax> text_;
  std::size_t size_;
};

// Whether `text` is Base64 of as many bytes as the algorithm gives.
[[nodiscard]] bool valid_checksum(ChecksumAlgorithm algorithm, std::string_view text) noexcept;

// How many characters its Base64 has.
[[nodiscard]] std::size_t checksum_chars(ChecksumAlgorithm algorithm) noexcept;

class Checksum {
 public:
  explicit Checksum(ChecksumAlgorithm algorithm) noexcept;

  [[nodiscard]] ChecksumAlgorithm algorithm() const noexcept { return algorithm_; }
  void update(std::string_view bytes) noexcept;
  // Not to be updated any more.
  [[nodiscard]] ChecksumText finish() noexcept;

 private:
  std::variant<std::uint64_t, Sha1, Md5, Sha256> state_;
  ChecksumAlgorithm algorithm_;
};

}  // namespace tercel::s3
