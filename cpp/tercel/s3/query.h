// The query of a request, cut into pairs once: to look at, to sign, and to send on.
//
//   Query query;
//   if (const auto error = query.parse(request.query)) return Refusal{*error};
//   std::string target;
//   query.write_canonical(Query::Without::kAuthentication, target);
//
// Cut at each '&' and at the first '=' of a piece; empty pieces are none, a piece without '=' has
// an empty value. Names are compared as they are decoded, in their case. What is sent on is the
// canonical form, so that nobody behind can read the query differently than it was signed.
// Source: AWS, "Create a signed AWS API request", canonical query string. Tested by query_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tercel/s3/error.h"
#include "tercel/s3/uri_encoding.h"

namespace tercel::s3 {

inline constexpr std::size_t kQueryPairsMax = 128;

// A pair as it was received, percent-encoded.
struct QueryPart {
  std::string_view name;
  std::string_view value;
  bool encoded = false;  // Both are in canonical form already.
  bool plain = false;    // The name stands for itself.

  [[nodiscard]] bool is(std::string_view decoded_name) const noexcept {
    return plain ? name == decoded_name : decodes_to(name, decoded_name, Part::kQuery);
  }
};

// A value of about 6 KiB: for the stack or an arena. Views into the text that was parsed.
class Query {
 public:
  enum class Without : std::uint8_t {
    kNothing,
    kSignature,      // All but X-Amz-Signature: what a presigned request signs.
    kAuthentication  // Nothing of what makes a request presigned: what is sent on.
  };

  // kInvalidURI: a '%' without two hex digits. kRequestHeaderSectionTooLarge: more pairs than
  // kQueryPairsMax. Then there are no pairs.
  [[nodiscard]] std::optional<ErrorCode> parse(std::string_view text) noexcept;

  // Sorted by encoded name, then by encoded value.
  [[nodiscard]] std::span<const QueryPart> parts() const noexcept { return {parts_.data(), size_}; }
  // The first of that name; null: none. Cost: linear.
  [[nodiscard]] const QueryPart* find(std::string_view decoded_name) const noexcept;

  template <typename Sink>
  void put_canonical(Without without, Sink& sink) const noexcept {
    bool first = true;
    for (const QueryPart& part : parts()) {
      if (left_out(part, without)) continue;
      if (!first) sink.put("&");
      first = false;
      put(part.name, part.encoded, sink);
      sink.put("=");
      put(part.value, part.encoded, sink);
    }
  }
  // Appends to `out`.
  void write_canonical(Without without, std::string& out) const;

 private:
  [[nodiscard]] static bool left_out(const QueryPart& part, Without without) noexcept;

  template <typename Sink>
  static void put(std::string_view text, bool encoded, Sink& sink) noexcept {
    if (encoded) {
      sink.put(text);
    } else {
      write_encoded(text, Part::kQuery, sink);
    }
  }

  std::array<QueryPart, kQueryPairsMax> parts_;
  std::size_t size_ = 0;
};

}  // namespace tercel::s3
