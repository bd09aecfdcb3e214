#include "tercel/s3/amz_date.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace tercel::s3 {
namespace {

using std::chrono::seconds;
using std::chrono::sys_days;

// First second of 1970, last of 9999.
constexpr seconds kFirst{0};
constexpr seconds kLast{253402300799};

// Where a form has its fields: year, month, day, hour, minute, second.
struct Form {
  std::string_view text;
  std::size_t begin[6];
};
constexpr Form kAmz{"00000000T000000Z", {0, 4, 6, 9, 11, 13}};
constexpr Form kIso{"0000-00-00T00:00:00Z", {0, 5, 8, 11, 14, 17}};

template <typename Text>
Text write(const Form& form, seconds time) noexcept {
  time = std::clamp(time, kFirst, kLast);
  const sys_days day = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds{time});
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day.time_since_epoch()};
  const unsigned values[] = {
      static_cast<unsigned>(static_cast<int>(date.year())),
      static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()),
      static_cast<unsigned>(clock.hours().count()),
      static_cast<unsigned>(clock.minutes().count()),
      static_cast<unsigned>(clock.seconds().count()),
  };
  Text out;
  std::copy(form.text.begin(), form.text.end(), out.begin());
  for (std::size_t i = 0; i < 6; ++i) {
    unsigned value = values[i];
    for (std::size_t digit = i == 0 ? 4 : 2; digit-- > 0; value /= 10) {
      out[form.begin[i] + digit] = static_cast<char>('0' + value % 10);
    }
  }
  return out;
}

}  // namespace

std::optional<seconds> parse_amz_date(std::string_view text) noexcept {
  if (text.size() != kAmz.text.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool right =
        kAmz.text[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == kAmz.text[i];
    if (!right) return std::nullopt;
  }
  unsigned values[6];
  for (std::size_t i = 0; i < 6; ++i) {
    values[i] = 0;
    for (std::size_t digit = 0; digit < (i == 0 ? 4 : 2); ++digit) {
      values[i] = values[i] * 10 + static_cast<unsigned>(text[kAmz.begin[i] + digit] - '0');
    }
  }
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(values[0])},
                                         std::chrono::month{values[1]},
                                         std::chrono::day{values[2]}};
  if (!date.ok() || values[3] > 23 || values[4] > 59 || values[5] > 59) return std::nullopt;
  const seconds time = sys_days{date}.time_since_epoch() + std::chrono::hours{values[3]} +
                       std::chrono::minutes{values[4]} + seconds{values[5]};
  if (time < kFirst) return std::nullopt;
  return time;
}

AmzDate to_amz_date(seconds time) noexcept {
  return write<AmzDate>(kAmz, time);
}

IsoDate to_iso_date(seconds time) noexcept {
  return write<IsoDate>(kIso, time);
}

}  // namespace tercel::s3
