// The formats of JSON Schema: is a string a date, an address, a URI.
//
// All that 2020-12 defines, and those of tercel's own, whose names begin with `tercel:`: what a
// text must be so that a value of a type can be made of it (format_value.cc). Sources: RFC 3339
// (dates, times, durations), RFC 5321 and 6531 (mail), RFC 1123 and 5890 (host names), RFC 2673 and
// 4291 (IP), RFC 3986 and 3987 (URI, IRI), RFC 6570 (templates), RFC 4122 (UUID), RFC 6901 (JSON
// Pointer), ECMA-262 (regex). Limits: docs/internals/schema.md. Tested by format_test.cc and by the
// official suite.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tercel::schema {

#define TERCEL_SCHEMA_FORMATS(X)                                             \
  X(kDateTime, "date-time", is_date_time)                                    \
  X(kDate, "date", is_date)                                                  \
  X(kTime, "time", is_time)                                                  \
  X(kDuration, "duration", is_duration)                                      \
  X(kEmail, "email", is_email)                                               \
  X(kIdnEmail, "idn-email", is_idn_email)                                    \
  X(kHostname, "hostname", is_hostname)                                      \
  X(kIdnHostname, "idn-hostname", is_idn_hostname)                           \
  X(kIpv4, "ipv4", is_ipv4)                                                  \
  X(kIpv6, "ipv6", is_ipv6)                                                  \
  X(kUri, "uri", is_uri)                                                     \
  X(kUriReference, "uri-reference", is_uri_reference)                        \
  X(kIri, "iri", is_iri)                                                     \
  X(kIriReference, "iri-reference", is_iri_reference)                        \
  X(kUuid, "uuid", is_uuid)                                                  \
  X(kUriTemplate, "uri-template", is_uri_template)                           \
  X(kJsonPointer, "json-pointer", is_json_pointer)                           \
  X(kRelativeJsonPointer, "relative-json-pointer", is_relative_json_pointer) \
  X(kRegex, "regex", is_regex)                                               \
  X(kAnyDateTime, "tercel:date-time", is_any_date_time)                      \
  X(kLocalDateTime, "tercel:local-date-time", is_local_date_time)            \
  X(kZonedDateTime, "tercel:zoned-date-time", is_zoned_date_time)            \
  X(kAnyTime, "tercel:time", is_any_time)                                    \
  X(kLocalTime, "tercel:local-time", is_local_time)                          \
  X(kZonedTime, "tercel:zoned-time", is_zoned_time)                          \
  X(kCalendarDate, "tercel:date", is_calendar_date)                          \
  X(kTimeSpan, "tercel:duration", is_time_span)                              \
  X(kDecimalText, "tercel:decimal", is_decimal_text)                         \
  X(kIntegerText, "tercel:integer", is_integer_text)                         \
  X(kBase64, "tercel:base64", is_base64)

#define TERCEL_SCHEMA_ENUMERATOR(enumerator, name, check) enumerator,
enum class Format : std::uint8_t { TERCEL_SCHEMA_FORMATS(TERCEL_SCHEMA_ENUMERATOR) };
#undef TERCEL_SCHEMA_ENUMERATOR

// Nothing: the name is none of these, and says nothing about a value.
[[nodiscard]] std::optional<Format> find_format(std::string_view name) noexcept;

// REQUIRES: valid UTF-8. Cost: linear.
[[nodiscard]] bool has_format(std::string_view text, Format format) noexcept;

#define TERCEL_SCHEMA_CHECK(enumerator, name, check) \
  [[nodiscard]] bool check(std::string_view text) noexcept;
TERCEL_SCHEMA_FORMATS(TERCEL_SCHEMA_CHECK)
#undef TERCEL_SCHEMA_CHECK

}  // namespace tercel::schema
