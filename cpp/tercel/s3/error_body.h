// The XML document that tells an S3 client what went wrong.
//
//   std::array<char, kErrorBodyBytesMax> memory;
//   const std::string_view body = write_error_body(refusal, {.resource = path, ...}, memory);
//
// The caller sends it as application/xml with the status of info(refusal.code()); to a HEAD request
// it sends the status alone. Values are escaped; a byte that XML 1.0 has no form for, and one that
// is not UTF-8, becomes U+FFFD. Allocates nothing. Source: AWS, "S3 API Reference: Error
// responses"; XML 1.0 sections 2.2 and 2.4. Tested by error_body_test.cc.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "tercel/s3/error.h"

namespace tercel::s3 {

// Of message, resource, request id and host id each, before they are escaped: the rest is cut.
inline constexpr std::size_t kErrorTextBytesMax = 1024;
// Room for any document: no byte grows to more than six ("&quot;").
inline constexpr std::size_t kErrorBodyBytesMax =
    6 * (4 * kErrorTextBytesMax + Refusal::kTextBytesMax) + 1024;

struct ErrorContext {
  std::string_view resource = {};    // The path of the request, as received.
  std::string_view request_id = {};  // As in x-amz-request-id.
  std::string_view host_id = {};     // As in x-amz-id-2.
};

// Returns the part of `out` that was written. REQUIRES: out.size() >= kErrorBodyBytesMax.
[[nodiscard]] std::string_view write_error_body(const Refusal& refusal, const ErrorContext& context,
                                                std::span<char> out) noexcept;

}  // namespace tercel::s3
