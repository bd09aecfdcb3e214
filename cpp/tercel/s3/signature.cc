#include "tercel/s3/signature.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <span>

#include "tercel/base/assert.h"

namespace tercel::s3 {
namespace {

// What stands before the last lines of every string to sign.
constexpr std::size_t kHeadBytesMax =
    32 + 1 + kTimestampBytes + 1 + kDateBytes + 1 + kRegionBytesMax + 17;

// The first lines of a string to sign, in one piece: a hash likes few long updates.
class Lines {
 public:
  Lines(std::string_view algorithm, const Stamp& stamp) noexcept {
    TERCEL_ASSERT(stamp.timestamp.size() == kTimestampBytes &&
                  stamp.region.size() <= kRegionBytesMax);
    add(algorithm);
    add("\n");
    add(stamp.timestamp);
    add("\n");
    add(stamp.date());
    add("/");
    add(stamp.region);
    add("/s3/aws4_request\n");
  }
  void add(std::string_view text) noexcept {
    const std::size_t bytes = std::min(text.size(), text_.size() - used_);
    std::memcpy(text_.data() + used_, text.data(), bytes);
    used_ += bytes;
  }
  [[nodiscard]] std::string_view text() const noexcept { return {text_.data(), used_}; }

 private:
  std::array<char, kHeadBytesMax + 3 * (sizeof(HexDigest) + 1)> text_;
  std::size_t used_ = 0;
};

Lines request_lines(const Stamp& stamp, const Sha256Digest& canonical) noexcept {
  Lines lines{kAlgorithm, stamp};
  lines.add(view(to_hex(canonical)));
  return lines;
}

}  // namespace

std::string string_to_sign(const Stamp& stamp, const Sha256Digest& canonical) {
  return std::string{request_lines(stamp, canonical).text()};
}

HexDigest sign(const SigningKey& key, const Stamp& stamp, const Sha256Digest& canonical) noexcept {
  return to_hex(key.hmac().sign(request_lines(stamp, canonical).text()));
}

const SigningKey* verify(SigningKeyCache& cache, const Secret& secret, const Stamp& stamp,
                         const Sha256Digest& canonical, std::string_view signature) noexcept {
  const SigningKeyId id{secret.id, stamp.date(), stamp.region};
  if (const SigningKey* known = cache.find(id)) {
    return equal_constant_time(view(sign(*known, stamp, canonical)), signature) ? known : nullptr;
  }
  const SigningKey derived{secret.text, stamp.date(), stamp.region};
  const HexDigest right = sign(derived, stamp, canonical);
  return equal_constant_time(view(right), signature) ? &cache.insert(id, derived) : nullptr;
}

void verify_unknown(const SigningKey& any_key, const Stamp& stamp, const Sha256Digest& canonical,
                    std::string_view signature) noexcept {
  const bool equal = equal_constant_time(view(sign(any_key, stamp, canonical)), signature);
  // The compiler must not find out that nobody asks.
  __asm__ volatile("" : : "r"(equal));
}

ChunkSigner::ChunkSigner(const SigningKey& key, const Stamp& stamp, std::string_view seed) noexcept
    : key_{key}, region_bytes_{std::min(stamp.region.size(), kRegionBytesMax)} {
  TERCEL_ASSERT(is_hex_digest(seed) && stamp.timestamp.size() == kTimestampBytes);
  std::memcpy(previous_.data(), seed.data(), previous_.size());
  std::memcpy(timestamp_.data(), stamp.timestamp.data(), timestamp_.size());
  std::memcpy(region_.data(), stamp.region.data(), region_bytes_);
}

HexDigest ChunkSigner::sign_chunk(const Sha256Digest& data) noexcept {
  Lines lines{"AWS4-HMAC-SHA256-PAYLOAD",
              {{timestamp_.data(), timestamp_.size()}, {region_.data(), region_bytes_}}};
  lines.add(view(previous_));
  lines.add("\n");
  lines.add(kEmptySha256Hex);
  lines.add("\n");
  lines.add(view(to_hex(data)));
  previous_ = to_hex(key_.hmac().sign(lines.text()));
  return previous_;
}

bool ChunkSigner::verify_chunk(const Sha256Digest& data, std::string_view signature) noexcept {
  return equal_constant_time(view(sign_chunk(data)), signature);
}

HexDigest ChunkSigner::sign_trailer(const Sha256Digest& trailers) const noexcept {
  Lines lines{"AWS4-HMAC-SHA256-TRAILER",
              {{timestamp_.data(), timestamp_.size()}, {region_.data(), region_bytes_}}};
  lines.add(view(previous_));
  lines.add("\n");
  lines.add(view(to_hex(trailers)));
  return to_hex(key_.hmac().sign(lines.text()));
}

bool ChunkSigner::verify_trailer(const Sha256Digest& trailers,
                                 std::string_view signature) const noexcept {
  return equal_constant_time(view(sign_trailer(trailers)), signature);
}

}  // namespace tercel::s3
