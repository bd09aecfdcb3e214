// Who a request says it is from, and what it says is signed: read strictly, or refused.
//
//   Query query;
//   if (const auto error = query.parse(request.query)) return Refusal{*error};
//   Claim claim;
//   if (auto refusal = read_claim(request, query, {.now = now}, scratch, claim)) return *refusal;
//   if (claim.mechanism == Mechanism::kAnonymous) ...
//   const auto digest = canonical_digest(claim.canonical(request, query));
//   const SigningKey* key = verify(cache, secret, claim.stamp(), *digest, claim.signature);
//
// One mechanism is accepted: Signature Version 4 with HMAC-SHA-256, in the Authorization field or
// in the query, never in both. What is checked is all that needs no secret: form, scope, time, that
// what was signed is there, and that every x-amz-* field is signed. docs/internals/sigv4.md lists
// the rules. Until the signature is verified, a claim is the word of a stranger.
// Cost of a GET as boto3 sends it, query to verified signature with a key of the cache: 0.9 us with
// SHA-NI; signing it again (sign_request.h) 0.5 us, deriving a key 0.8 us
// (bench/cpp/sigv4_bench.cc, bench/results/sigv4-2026-11-27.json).
// Source: AWS, "Authenticating Requests (AWS Signature Version 4)". Tested by
// authorization_test.cc and presigned_test.cc, fuzzed by sigv4_fuzz.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/http/message.h"
#include "tercel/s3/amz_date.h"
#include "tercel/s3/canonical_request.h"
#include "tercel/s3/error.h"
#include "tercel/s3/query.h"
#include "tercel/s3/signature.h"

namespace tercel::s3 {

// A key may be a token of some other system, so it is as long as those are.
inline constexpr std::size_t kAccessKeyBytesMax = 4096;
// How far the clock of a client may be off, either way.
inline constexpr std::chrono::seconds kClockSkewMax{15 * 60};
inline constexpr std::chrono::seconds kExpiresMax{7 * 24 * 60 * 60};

enum class Mechanism : std::uint8_t { kAnonymous, kHeader, kPresigned };

// What is signed of the body. kAnonymous requests have no other than the first and the last.
enum class Payload : std::uint8_t {
  kUnsigned,             // Nothing.
  kSha256,               // All: payload_hash is the digest of the body in hex.
  kChunks,               // aws-chunked, each chunk signed.
  kChunksAndTrailer,     // The same, with a signed trailer.
  kUnsignedWithTrailer,  // aws-chunked, not signed, with a checksum in the trailer.
};

[[nodiscard]] constexpr bool is_aws_chunked(Payload payload) noexcept {
  return payload >= Payload::kChunks;
}

// Views into the request and the scratch memory that it was read with.
struct Claim {
  Mechanism mechanism = Mechanism::kAnonymous;
  Payload payload = Payload::kUnsigned;
  std::string_view access_key = {};
  std::string_view region = {};
  std::string_view signed_headers = {};  // "a;b;c"
  std::string_view signature = {};       // 64 hex digits.
  std::string_view payload_hash = {};    // As it stands in the canonical request.
  std::string_view session_token = {};   // Empty: none.
  AmzDate timestamp = {};                // Of the signature.
  std::chrono::seconds signed_at = {};   // The same, since 1970.
  std::chrono::seconds expires = {};     // kPresigned: how long after that it is valid.

  [[nodiscard]] Stamp stamp() const noexcept {
    return {{timestamp.data(), timestamp.size()}, region};
  }
  // What the signature is to be verified with; views into all three.
  [[nodiscard]] CanonicalRequest canonical(const http::Request& request,
                                           const Query& query) const noexcept {
    return {request.method, request.path, &query, request.fields, signed_headers, payload_hash};
  }
};

struct ClaimRules {
  std::chrono::seconds now;      // Since 1970.
  std::string_view region = {};  // The one that is accepted; empty: any.
};

// Nothing: `claim` is read. A request without any mark of a signature is kAnonymous, which is no
// error here. `query` is that of the request. REQUIRES: scratch.size() >= request.query.size().
// Cost: fields times signed headers.
[[nodiscard]] std::optional<Refusal> read_claim(const http::Request& request, const Query& query,
                                                const ClaimRules& rules, std::span<char> scratch,
                                                Claim& claim) noexcept;

}  // namespace tercel::s3
