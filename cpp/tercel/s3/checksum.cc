#include "tercel/s3/checksum.h"

#include <span>

namespace tercel::s3 {
namespace {

struct Row {
  std::string_view field;
  std::size_t bytes;
};

// In the order of the enumerators.
constexpr std::array<Row, 6> kRows{{{"x-amz-checksum-crc32", 4},
                                    {"x-amz-checksum-crc32c", 4},
                                    {"x-amz-checksum-crc64nvme", 8},
                                    {"x-amz-checksum-sha1", sizeof(Sha1Digest)},
                                    {"x-amz-checksum-sha256", sizeof(Sha256Digest)},
                                    {"content-md5", sizeof(Md5Digest)}}};

constexpr const Row& row_of(ChecksumAlgorithm algorithm) noexcept {
  return kRows[static_cast<std::size_t>(algorithm)];
}

constexpr Crc crc_of(ChecksumAlgorithm algorithm) noexcept {
  static_assert(static_cast<int>(ChecksumAlgorithm::kCrc32) == static_cast<int>(Crc::kCrc32) &&
                static_cast<int>(ChecksumAlgorithm::kCrc32c) == static_cast<int>(Crc::kCrc32c) &&
                static_cast<int>(ChecksumAlgorithm::kCrc64Nvme) ==
                    static_cast<int>(Crc::kCrc64Nvme));
  return static_cast<Crc>(algorithm);
}

}  // namespace

std::string_view field_of(ChecksumAlgorithm algorithm) noexcept {
  return row_of(algorithm).field;
}

std::optional<ChecksumAlgorithm> checksum_of_field(std::string_view name) noexcept {
  for (std::size_t i = 0; i + 1 < kRows.size(); ++i) {
    if (kRows[i].field == name) return static_cast<ChecksumAlgorithm>(i);
  }
  return std::nullopt;
}

bool valid_checksum(ChecksumAlgorithm algorithm, std::string_view text) noexcept {
  return base64_decoded_bytes(text) == row_of(algorithm).bytes;
}

std::size_t checksum_chars(ChecksumAlgorithm algorithm) noexcept {
  return base64_chars(row_of(algorithm).bytes);
}

Checksum::Checksum(ChecksumAlgorithm algorithm) noexcept : algorithm_{algorithm} {
  if (algorithm == ChecksumAlgorithm::kSha1) state_.emplace<Sha1>();
  if (algorithm == ChecksumAlgorithm::kMd5) state_.emplace<Md5>();
  if (algorithm == ChecksumAlgorithm::kSha256) state_.emplace<Sha256>();
}

void Checksum::update(std::string_view bytes) noexcept {
  if (auto* const crc = std::get_if<std::uint64_t>(&state_)) {
    *crc = update_crc(crc_of(algorithm_), *crc, bytes);
  } else if (auto* const sha1 = std::get_if<Sha1>(&state_)) {
    sha1->update(bytes);
  } else if (auto* const md5 = std::get_if<Md5>(&state_)) {
    md5->update(bytes);
  } else if (auto* const sha256 = std::get_if<Sha256>(&state_)) {
    sha256->update(bytes);
  }
}

ChecksumText Checksum::finish() noexcept {
  if (auto* const sha1 = std::get_if<Sha1>(&state_)) return ChecksumText{sha1->finish()};
  if (auto* const md5 = std::get_if<Md5>(&state_)) return ChecksumText{md5->finish()};
  if (auto* const sha256 = std::get_if<Sha256>(&state_)) return ChecksumText{sha256->finish()};
  // The highest byte first.
  const std::uint64_t crc = *std::get_if<std::uint64_t>(&state_);
  const std::size_t size = row_of(algorithm_).bytes;
  std::array<std::uint8_t, 8> bytes;
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>(crc >> (8 * (size - 1 - i)));
  }
  return ChecksumText{std::span{bytes}.first(size)};
}

}  // namespace tercel::s3
