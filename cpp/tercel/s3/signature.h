// Strings to sign, and the signatures of requests, chunks and trailers.
//
//   const SigningKey* key = verify(cache, secret, stamp, digest, claim.signature);
//   if (key == nullptr) ...                              // SignatureDoesNotMatch
//   ChunkSigner chunks{*key, stamp, claim.signature};    // For a body that is signed by chunks.
//   if (!chunks.verify_chunk(sha256(data), signature)) ...
//
// Strings are hashed as they are made, and never stand in memory. Each comparison takes the same
// time wherever the difference is. Source: AWS, "Create a signed AWS API request", and "Signature
// calculations for the Authorization header: transferring payload in multiple chunks".
// Tested by signature_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tercel/s3/sha256.h"
#include "tercel/s3/signing_key.h"

namespace tercel::s3 {

inline constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
inline constexpr std::size_t kTimestampBytes = 16;  // YYYYMMDDTHHMMSSZ

// When and where a signature was made. The scope is "{date}/{region}/s3/aws4_request", and the date
// is that of the timestamp. Views of the caller's.
struct Stamp {
  std::string_view timestamp;  // kTimestampBytes of them.
  std::string_view region;     // At most kRegionBytesMax.

  [[nodiscard]] std::string_view date() const noexcept { return timestamp.substr(0, kDateBytes); }
};

// The string to sign of a request whose canonical request has this digest. To show, not to sign.
[[nodiscard]] std::string string_to_sign(const Stamp& stamp, const Sha256Digest& canonical);

[[nodiscard]] HexDigest sign(const SigningKey& key, const Stamp& stamp,
                             const Sha256Digest& canonical) noexcept;

// A secret of a client, and its name in a SigningKeyCache.
struct Secret {
  std::uint64_t id = 0;
  std::string_view text = {};
};

// The key that made `signature`, or null: it was another. A key that is not in the cache is
// derived, and kept only when the signature is right, so that nobody without a secret fills the
// cache. Valid until the next use of the cache.
[[nodiscard]] const SigningKey* verify(SigningKeyCache& cache, const Secret& secret,
                                       const Stamp& stamp, const Sha256Digest& canonical,
                                       std::string_view signature) noexcept;

// For an access key that nobody has: takes the time of verify() with a key that is in the cache.
// `any_key` is a key of whatever secret; nothing is ever accepted.
void verify_unknown(const SigningKey& any_key, const Stamp& stamp, const Sha256Digest& canonical,
                    std::string_view signature) noexcept;

// Signs or verifies the chunks of one body, in order, each with the signature of the one before;
// the first with that of the request. A value: it has copies of all that it needs.
class ChunkSigner {
 public:
  // REQUIRES: is_hex_digest(seed): the signature of the request.
  ChunkSigner(const SigningKey& key, const Stamp& stamp, std::string_view seed) noexcept;

  // The signature of the next chunk, whose data have this digest; the last chunk is empty.
  [[nodiscard]] HexDigest sign_chunk(const Sha256Digest& data) noexcept;
  // False: the chunk is not the one that was signed. The body is to be given up.
  [[nodiscard]] bool verify_chunk(const Sha256Digest& data, std::string_view signature) noexcept;

  // Trailers come behind the last chunk. The digest is that of one "name:value\n" for each trailer,
  // names in lower case and sorted, without x-amz-trailer-signature.
  [[nodiscard]] HexDigest sign_trailer(const Sha256Digest& trailers) const noexcept;
  [[nodiscard]] bool verify_trailer(const Sha256Digest& trailers,
                                    std::string_view signature) const noexcept;

 private:
  SigningKey key_;
  HexDigest previous_;
  std::array<char, kTimestampBytes> timestamp_;
  std::array<char, kRegionBytesMax> region_;
  std::size_t region_bytes_;
};

}  // namespace tercel::s3
