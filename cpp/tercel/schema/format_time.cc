// Dates, times and durations. Source: RFC 3339 section 5.6 and appendix A.
#include <cstdint>

#include "tercel/schema/format.h"
#include "tercel/schema/text.h"

namespace tercel::schema {
namespace {

constexpr int kMinutesOfDay = 24 * 60;

int days_of(int month, int year) noexcept {
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (month == 2) return leap ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

bool take_date(std::string_view& text) noexcept {
  const int year = take_number(text, 4);
  if (year == kNoNumber || !take_char(text, '-')) return false;
  const int month = take_number(text, 2);
  if (month < 1 || month > 12 || !take_char(text, '-')) return false;
  const int day = take_number(text, 2);
  return day >= 1 && day <= days_of(month, year);
}

// Minutes east of UTC, or nothing when there is no offset.
std::optional<int> take_offset(std::string_view& text) noexcept {
  if (take_char(text, 'Z') || take_char(text, 'z')) return 0;
  const bool west = text.starts_with('-');
  if (!take_char(text, '+') && !take_char(text, '-')) return std::nullopt;
  const int hours = take_number(text, 2);
  if (hours < 0 || hours > 23 || !take_char(text, ':')) return std::nullopt;
  const int minutes = take_number(text, 2);
  if (minutes < 0 || minutes > 59) return std::nullopt;
  return (hours * 60 + minutes) * (west ? -1 : 1);
}

// One number with its unit; the units come in the order of `units`, none left out between two, of
// which the first that is there is returned as taken.
bool take_units(std::string_view& text, std::string_view units) noexcept {
  std::size_t next = std::string_view::npos;
  while (!text.empty() && is_digit(text.front())) {
    take_digits(text);
    const std::size_t unit = text.empty() ? std::string_view::npos : units.find(text.front());
    if (unit == std::string_view::npos) return false;
    if (next != std::string_view::npos && unit != next) return false;
    next = unit + 1;
    text.remove_prefix(1);
  }
  return next != std::string_view::npos;
}

}  // namespace

bool is_date(std::string_view text) noexcept {
  return take_date(text) && text.empty();
}

bool is_time(std::string_view text) noexcept {
  const int hour = take_number(text, 2);
  if (hour < 0 || hour > 23 || !take_char(text, ':')) return false;
  const int minute = take_number(text, 2);
  if (minute < 0 || minute > 59 || !take_char(text, ':')) return false;
  const int second = take_number(text, 2);
  if (second < 0 || second > 60) return false;
  if (take_char(text, '.') && take_digits(text).empty()) return false;
  const std::optional<int> offset = take_offset(text);
  if (!offset || !text.empty()) return false;
  // A leap second is the last of a day in UTC.
  const int utc = (hour * 60 + minute - *offset + 2 * kMinutesOfDay) % kMinutesOfDay;
  return second < 60 || utc == kMinutesOfDay - 1;
}

bool is_date_time(std::string_view text) noexcept {
  if (!take_date(text)) return false;
  return (take_char(text, 'T') || take_char(text, 't')) && is_time(text);
}

bool is_duration(std::string_view text) noexcept {
  if (!take_char(text, 'P')) return false;
  const std::string_view date = take(text, std::min(text.find('T'), text.size()));
  if (!date.empty()) {
    std::string_view weeks = date;
    if (!take_digits(weeks).empty() && weeks == "W") return text.empty();
    std::string_view rest = date;
    if (!take_units(rest, "YMD") || !rest.empty()) return false;
  }
  if (text.empty()) return !date.empty();
  text.remove_prefix(1);
  return take_units(text, "HMS") && text.empty();
}

}  // namespace tercel::schema
