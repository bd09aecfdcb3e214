// Media types: what a body is, as Content-Type says it.
//
//   const Result<MediaType> type = parse_media_type(value);
//   if (!type) ...                                    // kBadMediaType, 415
//   if (type->is_json() && type->charset != Charset::kOther) ...
//
// Views into the value. Strict: what does not follow the grammar to its end is refused, and so is a
// charset or a boundary that is named twice, which two readers may understand in two ways. Other
// parameters are checked for their form and left to the caller (parameters.h). Cost: linear.
// Source: RFC 9110 section 8.3, RFC 6838 section 4.2.8 (suffixes). Tested by media_type_test.cc,
// fuzzed by media_type_fuzz.cc, compared with email.message by test_input_agrees.py.
#pragma once

#include <cstdint>
#include <string_view>

#include "tercel/base/result.h"

namespace tercel::http {

enum class Charset : std::uint8_t {
  kAbsent,
  kUtf8,  // UTF-8 by that name or as "utf8", or US-ASCII, which is a part of it.
  kOther
};

struct MediaType {
  std::string_view type;  // As sent, in any case.
  std::string_view subtype;
  std::string_view parameters;  // From the first ';' on, or empty.
  std::string_view boundary;    // As sent, without quotes; null: none. Not checked yet.
  Charset charset = Charset::kAbsent;

  // REQUIRES: both are in lower case.
  [[nodiscard]] bool is(std::string_view lower_type, std::string_view lower_subtype) const noexcept;
  // application/json, or any type whose subtype ends in "+json".
  [[nodiscard]] bool is_json() const noexcept;
  [[nodiscard]] bool is_urlencoded_form() const noexcept;
  [[nodiscard]] bool is_multipart_form() const noexcept;
};

// Fails with kBadMediaType.
[[nodiscard]] Result<MediaType> parse_media_type(std::string_view value) noexcept;

}  // namespace tercel::http
