#include "tercel/s3/sha256.h"

#define OPENSSL_SUPPRESS_DEPRECATED  // sha256.h says why.
#include <algorithm>
#include <cstring>

#include <openssl/sha.h>

namespace tercel::s3 {
namespace {

constexpr std::size_t kBlockBytes = 64;

// The two digits of each byte.
constexpr auto kHexPairs = [] {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t byte = 0; byte < pairs.size(); ++byte) {
    pairs[byte] = {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return pairs;
}();

SHA256_CTX* context(std::span<std::byte> state) noexcept {
  return reinterpret_cast<SHA256_CTX*>(state.data());
}

}  // namespace

Sha256::Sha256() noexcept {
  static_assert(sizeof(SHA256_CTX) == kStateBytes && alignof(SHA256_CTX) <= 8);
  SHA256_Init(context(state_));
}

void Sha256::update(std::string_view data) noexcept {
  SHA256_Update(context(state_), data.data(), data.size());
}

Sha256Digest Sha256::finish() noexcept {
  Sha256Digest digest;
  SHA256_Final(digest.data(), context(state_));
  return digest;
}

Sha256Digest sha256(std::string_view data) noexcept {
  Sha256 hash;
  hash.update(data);
  return hash.finish();
}

HmacKey::HmacKey(std::string_view key, std::string_view more) noexcept {
  std::array<char, kBlockBytes> block{};
  if (key.size() + more.size() > kBlockBytes) {
    Sha256 hash;
    hash.update(key);
    hash.update(more);
    Sha256Digest digest = hash.finish();
    std::memcpy(block.data(), digest.data(), digest.size());
    wipe(hash.state_);
    wipe(std::as_writable_bytes(std::span{digest}));
  } else {
    std::copy(more.begin(), more.end(), std::copy(key.begin(), key.end(), block.begin()));
  }
  for (char& c : block) c = static_cast<char>(c ^ 0x36);
  inner_.update({block.data(), block.size()});
  for (char& c : block) c = static_cast<char>(c ^ 0x36 ^ 0x5C);
  outer_.update({block.data(), block.size()});
  wipe(std::as_writable_bytes(std::span{block}));
}

HmacKey::~HmacKey() {
  wipe(inner_.state_);
  wipe(outer_.state_);
}

Sha256Digest HmacKey::finish(Sha256& inner) const noexcept {
  const Sha256Digest first = inner.finish();
  Sha256 outer = outer_;
  outer.update(view(first));
  const Sha256Digest mac = outer.finish();
  wipe(inner.state_);
  wipe(outer.state_);
  return mac;
}

Sha256Digest HmacKey::sign(std::string_view message) const noexcept {
  Sha256 inner = begin();
  inner.update(message);
  return finish(inner);
}

HexDigest to_hex(const Sha256Digest& digest) noexcept {
  HexDigest text;
  char* out = text.data();
  for (const std::uint8_t byte : digest) {
    std::memcpy(out, kHexPairs[byte].data(), 2);
    out += 2;
  }
  return text;
}

bool is_hex_digest(std::string_view text) noexcept {
  if (text.size() != HexDigest{}.size()) return false;
  // All of them, without an exit in between: the compiler looks at 16 at once.
  unsigned char wrong = 0;
  for (std::size_t i = 0; i < HexDigest{}.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool digit = static_cast<unsigned char>(c - '0') <= 9;
    const bool letter = static_cast<unsigned char>(c - 'a') <= 5;
    wrong = static_cast<unsigned char>(wrong | !(digit || letter));
  }
  return wrong == 0;
}

bool equal_constant_time(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  std::uint64_t difference = 0;
  for (std::size_t i = 0; i < a.size(); i += sizeof difference) {
    const std::size_t bytes = std::min(a.size() - i, sizeof difference);
    std::uint64_t left = 0;
    std::uint64_t right = 0;
    std::memcpy(&left, a.data() + i, bytes);
    std::memcpy(&right, b.data() + i, bytes);
    difference |= left ^ right;
    // The compiler must not know that a word that differs decides.
    __asm__ volatile("" : "+r"(difference));
  }
  return difference == 0;
}

void wipe(std::span<std::byte> memory) noexcept {
  explicit_bzero(memory.data(), memory.size());
}

}  // namespace tercel::s3
