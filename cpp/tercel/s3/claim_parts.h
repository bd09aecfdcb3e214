// The parts of a claim that both mechanisms have: scope, signed headers, payload, time.
//
// Internal to tercel/s3. Each function fills its part of the claim, or returns the refusal.
// Tested by authorization_test.cc and presigned_test.cc.
#pragma once

#include <optional>
#include <string_view>

#include "tercel/s3/authorization.h"

namespace tercel::s3 {

inline constexpr std::string_view kAlgorithmOfV4a = "AWS4-ECDSA-P256-SHA256";

// The code of what is malformed depends on where it stands. `what` is what is wrong with it, in
// the words of S3, with pieces that a peer sent: they are cut by quoted().
[[nodiscard]] Refusal malformed(Mechanism mechanism,
                                std::initializer_list<std::string_view> what) noexcept;
[[nodiscard]] Refusal malformed(Mechanism mechanism, std::string_view message) noexcept;
// The same for the credential, which a presigned URL has as a parameter of its own.
[[nodiscard]] Refusal malformed_credential(Mechanism mechanism, std::string_view before,
                                           std::string_view peer, std::string_view after) noexcept;
[[nodiscard]] constexpr std::string_view quoted(std::string_view peer) noexcept {
  return peer.substr(0, 64);
}
// Of Signature Version 2.
[[nodiscard]] Refusal unsupported_version() noexcept;
[[nodiscard]] Refusal not_implemented() noexcept;

// How often there is a field of that name, counted up to two; `value` is that of the first.
[[nodiscard]] int count_fields(std::span<const http::Field> fields, std::string_view name,
                               std::string_view& value) noexcept;

// "ACCESS-KEY/DATE/REGION/s3/aws4_request". REQUIRES: claim.mechanism and timestamp are set.
[[nodiscard]] std::optional<Refusal> read_credential(std::string_view text, const ClaimRules& rules,
                                                     Claim& claim) noexcept;
[[nodiscard]] std::optional<Refusal> read_signed_headers(std::string_view text,
                                                         const http::Request& request,
                                                         Claim& claim) noexcept;
[[nodiscard]] std::optional<Refusal> read_signature(std::string_view text, Claim& claim) noexcept;
// The value of x-amz-content-sha256.
[[nodiscard]] std::optional<Refusal> read_payload(std::string_view text,
                                                  const http::Request& request,
                                                  Claim& claim) noexcept;
[[nodiscard]] std::optional<Refusal> read_presigned(const http::Request& request,
                                                    const Query& query, const ClaimRules& rules,
                                                    std::span<char> scratch, Claim& claim) noexcept;

}  // namespace tercel::s3
