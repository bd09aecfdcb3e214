// The request that goes to a backend: its bucket's name there, and its signature.
//
//   Departure departure;                              // One a loop.
//   if (auto refusal = departure.write(request, arrival, {backend, credentials, keys, now})) ...
//   call.begin(source, departure.head(), ...);
//
// Where the backend has the client's keys behind a prefix, it is put before them: in the path, in
// the query of a list, and before the source of a copy.
//
// Path and query are sent in the canonical form that the client signed, so that nobody behind reads
// them differently. Left out are what signed the client's request, what belongs to its connection,
// what proxies before this one have said, and what backends do beyond S3 (extensions.h). A resource
// whose memory is used again. Source: docs/internals/sigv4.md. Tested by departure_test.cc, fuzzed
// by gateway_fuzz.cc.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tercel/gateway/arrival.h"
#include "tercel/gateway/backend.h"
#include "tercel/http/h1_request_writer.h"
#include "tercel/s3/amz_date.h"
#include "tercel/s3/error.h"
#include "tercel/s3/payload.h"
#include "tercel/s3/sign_request.h"
#include "tercel/s3/signing_key.h"

namespace tercel::gateway {

// What becomes of the body on its way. Source: docs/internals/s3-bodies.md.
struct BodyPlan {
  s3::PayloadMode mode = s3::PayloadMode::kPass;
  http::Framing framing = http::Framing::kNone;
  std::uint64_t content_length = 0;  // Of kLength.
  // What was decoded goes in chunks that are not signed, with the client's checksum behind them.
  bool reframes = false;
};

// `hash_is_signed`: the backend verifies what the client says of the body, because its hash is
// signed again.
[[nodiscard]] BodyPlan plan_body(const http::Request& request, const s3::PayloadPlan& payload,
                                 const Backend& backend, bool hash_is_signed) noexcept;

// A body that goes instead of the client's.
struct OtherBody {
  std::uint64_t bytes;
  std::string_view sha256;  // Hex digits.
  std::string_view md5;     // Base64.
};

class Departure {
 public:
  struct With {
    const Backend& backend;
    const Credentials& credentials;
    s3::SigningKeyCache& keys;
    std::chrono::seconds now;            // Since 1970.
    const Backend* source = nullptr;     // Of what is copied.
    const OtherBody* body = nullptr;     // Null: the client's.
    const Endpoint* endpoint = nullptr;  // Null: the backend's first.
  };

  Departure() = default;
  Departure(const Departure&) = delete;
  Departure& operator=(const Departure&) = delete;

  // Nothing: head() and body() are set, as long as the arguments live and until the next write().
  [[nodiscard]] std::optional<s3::Refusal> write(const http::Request& request,
                                                 const Arrival& arrival, const With& with) noexcept;
  [[nodiscard]] const http::RequestHead& head() const noexcept { return head_; }
  [[nodiscard]] const BodyPlan& body() const noexcept { return body_; }

 private:
  static constexpr std::size_t kFieldsMax = 160;

  void write_host(const With& with, std::string_view bucket);
  [[nodiscard]] std::optional<s3::Refusal> write_target(const Arrival& arrival, const With& with,
                                                        std::string_view bucket);
  // What is copied, as the backend has it; nothing: it is too long.
  [[nodiscard]] std::optional<std::string_view> write_source(const Arrival& arrival,
                                                             const With& with) noexcept;
  [[nodiscard]] bool add(std::string_view name, std::string_view value) noexcept;
  // The backend gets the bytes of the object alone, no chunks around them.
  [[nodiscard]] bool decodes() const noexcept {
    return body_.mode == s3::PayloadMode::kDecode && !body_.reframes;
  }
  // It is true of the request that came, and not of the one that goes.
  [[nodiscard]] bool is_withheld(std::string_view name, const Arrival& arrival,
                                 const With& with) const noexcept;
  // What a field says to the backend; nothing: it cannot be said. `encodings` is room.
  [[nodiscard]] std::optional<std::string_view> write_value(const http::Field& field,
                                                            const Arrival& arrival,
                                                            const With& with,
                                                            std::span<char>& encodings) noexcept;
  [[nodiscard]] std::optional<s3::Refusal> copy_fields(const http::Request& request,
                                                       const Arrival& arrival,
                                                       const With& with) noexcept;
  [[nodiscard]] std::optional<s3::Refusal> sign(const http::Request& request,
                                                const Arrival& arrival, const With& with,
                                                const Hmac& hmac) noexcept;

  std::string host_;
  std::string path_;
  std::string query_text_;
  std::string target_;
  std::string authorization_;
  s3::Query query_;
  std::array<http::Field, kFieldsMax> fields_;
  std::size_t field_count_ = 0;
  std::array<char, s3::kCopySourceBytesMax> copy_source_;
  std::array<char, 1024> encoding_;
  std::array<char, s3::kSignedFieldsBytes> signed_memory_;
  s3::SignedFields signed_;
  std::chrono::seconds dated_{-1};
  s3::AmzDate date_;  // Of that second.
  http::RequestHead head_;
  BodyPlan body_;
  bool virtual_ = false;
};

}  // namespace tercel::gateway
