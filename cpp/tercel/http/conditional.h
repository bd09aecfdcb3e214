// Conditional requests: whether a request is to be done, in the light of what the client knows.
//
//   const Validators current{.etag = parse_entity_tag("\"abc\""), .last_modified = mtime};
//   switch (evaluate_conditions(request.method, request.fields, current, now)) {
//     case Verdict::kProceed: ...
//     case Verdict::kNotModified: ...                 // 304, with the validators
//     case Verdict::kPreconditionFailed: ...          // 412
//   }
//   if (range_applies(request.fields, current, now)) ... // range.h
//
// Pure functions of their arguments. To be asked when everything else is well: a request that would
// be answered with an error, or a redirect, is answered with that (RFC 9110 section 13.2.1).
//
// What is malformed never lets a change pass: an If-Match or If-None-Match that is no list of
// entity tags fails with 412, but for GET and HEAD, which are answered in full. A date that is
// none, or comes twice, is ignored, as the RFC says. Cost: linear in the fields. Source: RFC 9110
// sections 8.8 and 13. Tested by conditional_test.cc, fuzzed by conditional_fuzz.cc, compared with
// Django by test_input_agrees.py.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/http/message.h"

namespace tercel::http {

struct EntityTag {
  std::string_view opaque;  // Without the quotes.
  bool weak = false;
};

// W/"abc" or "abc". Nothing: anything else.
[[nodiscard]] std::optional<EntityTag> parse_entity_tag(std::string_view text) noexcept;

// The same bytes / the same for the purpose. Source: RFC 9110 section 8.8.3.2.
[[nodiscard]] bool strong_match(const EntityTag& a, const EntityTag& b) noexcept;
[[nodiscard]] bool weak_match(const EntityTag& a, const EntityTag& b) noexcept;

// What is known of the representation that the request is about, as it is now.
struct Validators {
  bool exists = true;
  std::optional<EntityTag> etag = {};
  std::optional<std::chrono::seconds> last_modified = {};  // Since 1970.
  // It cannot have changed twice within that second, so the date tells one state from all others:
  // RFC 9110 section 8.8.2.2. Only then does If-Range take a date.
  bool last_modified_is_strong = false;
};

enum class Verdict : std::uint8_t { kProceed, kNotModified, kPreconditionFailed };

// If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since, in the order of RFC 9110
// section 13.2.2. OPTIONS is about no representation, and proceeds. `now`: for the century of
// obsolete dates.
[[nodiscard]] Verdict evaluate_conditions(std::string_view method, std::span<const Field> fields,
                                          const Validators& current,
                                          std::chrono::seconds now) noexcept;

// False: If-Range says that the client has another state, so Range is to be ignored.
[[nodiscard]] bool range_applies(std::span<const Field> fields, const Validators& current,
                                 std::chrono::seconds now) noexcept;

}  // namespace tercel::http
