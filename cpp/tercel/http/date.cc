#include "tercel/http/date.h"

#include <algorithm>
#include <cstring>

namespace tercel::http {
namespace {

constexpr char kForm[] = "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n";
constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
// Last second of the year 9999: the form has four digits.
constexpr std::chrono::seconds kMax{253402300799};

void put_two_digits(char* out, unsigned value) noexcept {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::string_view DateField::render(std::chrono::seconds now) noexcept {
  static_assert(sizeof(kForm) - 1 == kBytes);
  now = std::clamp(now, std::chrono::seconds{0}, kMax);
  if (now == second_) return {text_.data(), kBytes};
  second_ = now;

  const auto days = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::sys_days date{days};
  const std::chrono::year_month_day ymd{date};
  const std::chrono::hh_mm_ss time{now - days};
  const auto year = static_cast<unsigned>(static_cast<int>(ymd.year()));

  char* const out = text_.data();
  std::memcpy(out, kForm, kBytes);
  std::memcpy(out + 6, kDays[std::chrono::weekday{date}.c_encoding()], 3);
  put_two_digits(out + 11, static_cast<unsigned>(ymd.day()));
  std::memcpy(out + 14, kMonths[static_cast<unsigned>(ymd.month()) - 1], 3);
  put_two_digits(out + 18, year / 100);
  put_two_digits(out + 20, year % 100);
  put_two_digits(out + 23, static_cast<unsigned>(time.hours().count()));
  put_two_digits(out + 26, static_cast<unsigned>(time.minutes().count()));
  put_two_digits(out + 29, static_cast<unsigned>(time.seconds().count()));
  return {out, kBytes};
}

}  // namespace tercel::http
