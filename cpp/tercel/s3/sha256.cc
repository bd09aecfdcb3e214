#include "tercel/s3/sha256.h"

#define OPENSSL_SUPPRESS_DEPRECATED  // sha256.h says why.
#include <algorithm>
#include <cstring>

#include <openssl/sha.h>

namespace tercel::s3 {
namespace {

constexpr std::size_t kBlockBytes = 64;

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
  constexpr char kDigits[] = "0123456789abcdef";
  HexDigest text;
  char* out = text.data();
  for (const std::uint8_t byte : digest) {
    *out++ = kDigits[byte >> 4];
    *out++ = kDigits[byte & 15];
  }
  return text;
}

bool is_hex_digest(std::string_view text) noexcept {
  return text.size() == HexDigest{}.size() && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool equal_constant_time(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
    // The compiler must not know that a byte that differs decides.
    __asm__ volatile("" : "+r"(difference));
  }
  return difference == 0;
}

void wipe(std::span<std::byte> memory) noexcept {
  explicit_bzero(memory.data(), memory.size());
}

}  // namespace tercel::s3
