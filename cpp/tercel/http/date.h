// The Date field, rendered once a second.
//
// A value, one a loop. Source: RFC 9110 sections 5.6.7 (IMF-fixdate) and 6.6.1. Tested by
// date_test.cc.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace tercel::http {

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
