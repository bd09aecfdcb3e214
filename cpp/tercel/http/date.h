// Dates of HTTP: written in the one form that is not obsolete, read in all three, and the Date
// field, rendered once a second.
//
// Source: RFC 9110 sections 5.6.7 and 6.6.1. Tested by date_test.cc, fuzzed by conditional_fuzz.cc,
// compared with Werkzeug by test_input_agrees.py.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tercel::http {

inline constexpr std::size_t kImfFixdateBytes = 29;

// Writes "Sun, 06 Nov 1994 08:49:37 GMT" for `time` since 1970; returns the end. Times before 1970
// and after the year 9999 become the nearest that can be written. REQUIRES: kImfFixdateBytes of
// room.
char* write_imf_fixdate(char* out, std::chrono::seconds time) noexcept;

// Seconds since 1970 of an IMF-fixdate, an RFC 850 date or the form of asctime(). Nothing: it is
// none of them, in every byte; or no day of the calendar; or its weekday is another. A second 60 is
// the first of the next minute. `now` decides the century of RFC 850's two digits: the last that is
// at most 50 years ahead.
[[nodiscard]] std::optional<std::chrono::seconds> parse_http_date(
    std::string_view text, std::chrono::seconds now) noexcept;

// A value, one a loop.
class DateField {
 public:
  static constexpr std::size_t kBytes = 37;

  // "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" for `now` seconds since 1970. Valid until the next
  // call. Cost: one comparison, unless the second changed.
  [[nodiscard]] std::string_view render(std::chrono::seconds now) noexcept;

 private:
  std::array<char, kBytes> text_{};
  std::chrono::seconds second_{-1};
};

}  // namespace tercel::http
