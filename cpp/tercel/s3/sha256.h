// SHA-256 and HMAC as plain values: states that are copied, kept, and wiped.
//
//   Sha256 hash;
//   hash.update("a");
//   const Sha256Digest digest = hash.finish();
//
//   const HmacKey key{"secret"};                 // Two blocks hashed, once.
//   Sha256 inner = key.begin();                  // As often as wanted, and by any thread.
//   inner.update("text");
//   const Sha256Digest mac = key.finish(inner);
//
// The compression is OpenSSL's, with the instructions of the processor, by the functions that take
// a state of 112 bytes of the caller's (SHA256_Update). They are deprecated in OpenSSL 3 and in
// every version of it; they neither allocate nor fail, where EVP_MD_CTX_copy_ex() allocates each
// time.
// Source: FIPS 180-4, RFC 2104. Tested by sha256_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tercel::s3 {

using Sha256Digest = std::array<std::uint8_t, 32>;
// A digest or a signature in lower-case hex digits.
using HexDigest = std::array<char, 64>;

// Of the empty text.
inline constexpr std::string_view kEmptySha256Hex =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// A value. Does not wipe itself: HmacKey wipes those that know a secret.
class Sha256 {
 public:
  Sha256() noexcept;

  void update(std::string_view data) noexcept;
  // Afterwards assign a new state before the next use.
  [[nodiscard]] Sha256Digest finish() noexcept;

 private:
  friend class HmacKey;
  static constexpr std::size_t kStateBytes = 112;
  alignas(8) std::array<std::byte, kStateBytes> state_;
};

[[nodiscard]] Sha256Digest sha256(std::string_view data) noexcept;

// A key of HMAC-SHA-256, as the two states that it begins with. A value, wiped when it goes.
class HmacKey {
 public:
  // The key is both parts, one behind the other.
  explicit HmacKey(std::string_view key, std::string_view more = {}) noexcept;
  HmacKey(const HmacKey&) noexcept = default;
  HmacKey& operator=(const HmacKey&) noexcept = default;
  ~HmacKey();

  // A state to feed with the message. It knows the key: end it with finish(), which wipes it.
  [[nodiscard]] Sha256 begin() const noexcept { return inner_; }
  [[nodiscard]] Sha256Digest finish(Sha256& inner) const noexcept;
  [[nodiscard]] Sha256Digest sign(std::string_view message) const noexcept;

 private:
  Sha256 inner_;
  Sha256 outer_;
};

[[nodiscard]] HexDigest to_hex(const Sha256Digest& digest) noexcept;
[[nodiscard]] inline std::string_view view(const HexDigest& digest) noexcept {
  return {digest.data(), digest.size()};
}
[[nodiscard]] inline std::string_view view(const Sha256Digest& digest) noexcept {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}
// 64 digits, lower case only.
[[nodiscard]] bool is_hex_digest(std::string_view text) noexcept;

// Whether two texts of the same size are equal. Takes as long for any two of that size. Texts of
// different sizes are different, which is not kept secret.
[[nodiscard]] bool equal_constant_time(std::string_view a, std::string_view b) noexcept;

// Overwrites memory that held a secret; no compiler leaves it out.
void wipe(std::span<std::byte> memory) noexcept;

}  // namespace tercel::s3
