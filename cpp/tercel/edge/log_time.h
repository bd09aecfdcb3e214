// The time of day as logs write it, rendered once a second.
//
// Local time with its offset from UTC: a person compares it with the clock on the wall and with
// other logs, a program needs no knowledge of the zone. A value, one a loop.
// Tested by log_time_test.cc.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

#include "tercel/base/clock.h"

namespace tercel::edge {

// Time since 1970, CLOCK_REALTIME_COARSE: a tick (1 to 4 ms) old, for a tenth of the price.
class WallClock final : public Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept override;
};

class LogTime {
 public:
  // Views are valid until the next update().
  void update(std::chrono::seconds now) noexcept;

  // Seconds since 1970.
  [[nodiscard]] std::chrono::seconds unix_time() const noexcept { return now_; }
  // "[10/Oct/2000:13:55:36 -0700]", as in the Common Log Format.
  [[nodiscard]] std::string_view common() const noexcept {
    return {common_.data(), common_.size()};
  }
  // "2000-10-10T13:55:36-07:00", RFC 3339.
  [[nodiscard]] std::string_view iso() const noexcept { return {iso_.data(), iso_.size()}; }

 private:
  std::chrono::seconds now_{-1};
  std::array<char, 28> common_{};
  std::array<char, 25> iso_{};
};

// The same in UTC and with milliseconds: for records that are compared with those of other
// machines. A value, one a loop.
class UtcTime {
 public:
  // `now`: since 1970. "2000-10-10T20:55:36.123Z", RFC 3339; valid until the next call.
  [[nodiscard]] std::string_view text(std::chrono::nanoseconds now) noexcept;

 private:
  std::chrono::seconds second_{-1};
  std::array<char, 24> text_{};
};

}  // namespace tercel::edge
