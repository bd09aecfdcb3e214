// SHA-1 and MD5 as plain values, for the checksums of S3 that still are made of them. They find
// accidents, not forgers.
//
//   Md5 hash;
//   hash.update("a");
//   const Md5Digest digest = hash.finish();
//
// OpenSSL's functions that take a state of the caller's, as sha256.h has them and for its reasons.
// Source: FIPS 180-4, RFC 1321. Tested by old_digests_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tercel::s3 {

using Sha1Digest = std::array<std::uint8_t, 20>;
using Md5Digest = std::array<std::uint8_t, 16>;

// Values. After finish() assign a new one before the next use.
class Sha1 {
 public:
  Sha1() noexcept;

  void update(std::string_view data) noexcept;
  [[nodiscard]] Sha1Digest finish() noexcept;

 private:
  static constexpr std::size_t kStateBytes = 96;
  alignas(8) std::array<std::byte, kStateBytes> state_;
};

class Md5 {
 public:
  Md5() noexcept;

  void update(std::string_view data) noexcept;
  [[nodiscard]] Md5Digest finish() noexcept;

 private:
  static constexpr std::size_t kStateBytes = 92;
  alignas(8) std::array<std::byte, kStateBytes> state_;
};

}  // namespace tercel::s3
