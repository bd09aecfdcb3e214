// Signs a request that goes to a backend.
//
//   std::array<char, kSignedFieldsBytes> memory;
//   SignedFields fields;
//   if (auto error = sign_request(outgoing, identity, memory, fields)) ...
//   // Send outgoing.fields without those that is_replaced() names, and fields.view().
//
// Signed are the host, every x-amz-* field, and of the others those that nobody on the way
// rewrites: cache-control, content-disposition, content-encoding, content-language, content-md5,
// content-type, range and if-*. Not signed are accept-encoding, user-agent, expect,
// transfer-encoding and their like, which proxies in front of a backend change. A request that is
// sent again is signed again, with a new time. Allocates nothing. Source: AWS, "Create a signed AWS
// API request"; docs/internals/sigv4.md. Tested by sign_request_test.cc.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/http/message.h"
#include "tercel/s3/amz_date.h"
#include "tercel/s3/error.h"
#include "tercel/s3/query.h"
#include "tercel/s3/signature.h"

namespace tercel::s3 {

inline constexpr std::size_t kSignedHeadersMax = 128;
// Enough for the fields of an access key and headers of usual size.
inline constexpr std::size_t kSignedFieldsBytes = 8192;

// Views of the caller's.
struct OutgoingRequest {
  std::string_view method;
  std::string_view path;  // Percent-encoded, as it is sent: see write_canonical_path().
  const Query* query;     // Of what is sent. Not null.
  std::string_view host;  // As it is sent, with a port that is not the scheme's own.
  // All that is sent, names in lower case. Those of is_replaced() count for nothing.
  std::span<const http::Field> fields;
  std::string_view payload_hash;  // The value of x-amz-content-sha256.
};

// With whose key.
struct Identity {
  std::string_view access_key;
  const SigningKey* key;  // Of the day of `time` and of `region`. Not null.
  std::string_view region;
  std::string_view session_token = {};  // Empty: none.
  AmzDate time{};                       // Now, as to_amz_date() writes it.
};

// What to send beside the fields of the request. Views into the memory it was made in, and of what
// it was made of. About 4 KiB: one for many requests.
class SignedFields {
 public:
  [[nodiscard]] std::span<const http::Field> view() const noexcept {
    return {fields_.data(), size_};
  }

 private:
  friend std::optional<ErrorCode> sign_request(const OutgoingRequest&, const Identity&,
                                               std::span<char>, SignedFields&) noexcept;
  std::array<http::Field, 5> fields_;
  std::size_t size_ = 0;
  // Room for what is signed, which sign_request() sorts.
  std::array<http::Field, kSignedHeadersMax> sorted_;
};

// Whether a field of a client's request must not be sent on, because sign_request() makes another:
// authorization, host, x-amz-content-sha256, x-amz-date, x-amz-security-token. REQUIRES: `name` is
// in lower case.
[[nodiscard]] bool is_replaced(std::string_view name) noexcept;

// kRequestHeaderSectionTooLarge: more than kSignedHeadersMax headers would be signed, or `memory`
// is too small. kInvalidURI: the path is not percent-encoded.
[[nodiscard]] std::optional<ErrorCode> sign_request(const OutgoingRequest& request,
                                                    const Identity& identity,
                                                    std::span<char> memory,
                                                    SignedFields& out) noexcept;

}  // namespace tercel::s3
