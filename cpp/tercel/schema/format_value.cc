// Formats of tercel's own: texts that values of types can be made of.
//
// They are what msgspec makes values of Python's types of (tests/python/test_api_values.py compares
// both), and never more than that, so that a value which passed is made. Dates and times are those
// of RFC 3339 with less asked for: the offset may be missing, or be without its colon, and a blank
// may stand for the T. Durations are those of ISO 8601 whose units have one length: days, hours,
// minutes, seconds, with a sign and with a fraction of the last one.
#include <algorithm>
#include <cstdint>

#include "tercel/schema/format.h"
#include "tercel/schema/text.h"

namespace tercel::schema {
namespace {

enum class Offset : std::uint8_t { kNone, kAny, kRequired };

constexpr std::size_t kMicroDigits = 6;
// Of a duration, as those of Python.
constexpr std::int64_t kSecondsMax = std::int64_t{999'999'999} * 86'400;
// So many digits fit std::int64_t, and its product with a unit in seconds, whatever they are.
constexpr std::size_t kCountDigitsMax = 14;
// As many as Python makes an integer of.
constexpr std::size_t kIntegerDigitsMax = 4300;
// No implementation of decimals has larger exponents.
constexpr std::size_t kExponentDigitsMax = 17;

// +05:30, or +0530, or Z; or nothing at all.
bool is_offset(std::string_view text, Offset wanted) noexcept {
  if (text.empty()) return wanted != Offset::kRequired;
  if (wanted == Offset::kNone) return false;
  if (text == "Z" || text == "z") return true;
  if (!take_char(text, '+') && !take_char(text, '-')) return false;
  const int hours = take_number(text, 2);
  if (hours < 0 || hours > 23) return false;
  take_char(text, ':');
  const int minutes = take_number(text, 2);
  return minutes >= 0 && minutes <= 59 && text.empty();
}

// `rounds_up`: whether the fraction is nearer to the next second than to the last microsecond.
bool take_time(std::string_view& text, bool& rounds_up) noexcept {
  const int hour = take_number(text, 2);
  if (hour < 0 || hour > 23 || !take_char(text, ':')) return false;
  const int minute = take_number(text, 2);
  if (minute < 0 || minute > 59 || !take_char(text, ':')) return false;
  const int second = take_number(text, 2);
  if (second < 0 || second > 59) return false;
  rounds_up = false;
  if (!take_char(text, '.')) return true;
  const std::string_view fraction = take_digits(text);
  rounds_up = fraction.size() > kMicroDigits && fraction.starts_with("999999") &&
              fraction[kMicroDigits] >= '5';
  return !fraction.empty();
}

bool is_time_with(std::string_view text, Offset offset) noexcept {
  bool rounds_up = false;
  return take_time(text, rounds_up) && is_offset(text, offset);
}

bool is_date_time_with(std::string_view text, Offset offset) noexcept {
  constexpr std::size_t kDateBytes = 10;
  constexpr std::string_view kLastSecond = "23:59:59";
  const std::string_view date = take(text, kDateBytes);
  if (!is_calendar_date(date) || text.empty() || !is_one_of(text.front(), "Tt ")) return false;
  text.remove_prefix(1);
  const bool is_last = date == "9999-12-31" && text.starts_with(kLastSecond);
  bool rounds_up = false;
  if (!take_time(text, rounds_up)) return false;
  return !(is_last && rounds_up) && is_offset(text, offset);
}

// A count of a unit, whose seconds are added to `seconds`; `ends`: it has a fraction. A fraction
// counts as one more. False: it is none, or too much.
bool take_count(std::string_view& text, char unit, std::int64_t unit_seconds, std::int64_t& seconds,
                bool& ends) noexcept {
  std::string_view digits = take_digits(text);
  bool has_fraction = false;
  if (take_char(text, '.')) {
    has_fraction = true;
    if (take_digits(text).empty()) return false;
  }
  if (digits.empty() || text.empty() || (text.front() | 0x20) != (unit | 0x20)) return false;
  text.remove_prefix(1);
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.size() > kCountDigitsMax) return false;
  std::int64_t count = 0;
  for (const char digit : digits) count = count * 10 + (digit - '0');
  seconds += (count + (has_fraction ? 1 : 0)) * unit_seconds;
  ends = has_fraction;
  return seconds <= kSecondsMax;
}

}  // namespace

bool is_any_date_time(std::string_view text) noexcept {
  return is_date_time_with(text, Offset::kAny);
}
bool is_local_date_time(std::string_view text) noexcept {
  return is_date_time_with(text, Offset::kNone);
}
bool is_zoned_date_time(std::string_view text) noexcept {
  return is_date_time_with(text, Offset::kRequired);
}
bool is_any_time(std::string_view text) noexcept {
  return is_time_with(text, Offset::kAny);
}
bool is_local_time(std::string_view text) noexcept {
  return is_time_with(text, Offset::kNone);
}
bool is_zoned_time(std::string_view text) noexcept {
  return is_time_with(text, Offset::kRequired);
}

bool is_calendar_date(std::string_view text) noexcept {
  return is_date(text) && !text.starts_with("0000");
}

bool is_time_span(std::string_view text) noexcept {
  if (!take_char(text, '+')) take_char(text, '-');
  if (!take_char(text, 'P') && !take_char(text, 'p')) return false;
  std::int64_t seconds = 0;
  bool ends = false;
  if (!text.empty() && is_digit(text.front())) {
    if (!take_count(text, 'D', 86'400, seconds, ends)) return false;
    if (text.empty()) return true;
  }
  if (ends || (!take_char(text, 'T') && !take_char(text, 't')) || text.empty()) return false;
  struct Unit {
    char name;
    std::int64_t seconds;
  };
  for (const auto& [name, unit_seconds] : {Unit{'H', 3600}, Unit{'M', 60}, Unit{'S', 1}}) {
    if (text.empty()) return true;
    std::string_view after = text;
    take_digits(after);
    if (take_char(after, '.')) take_digits(after);
    if (after.empty() || (after.front() | 0x20) != (name | 0x20)) continue;
    if (ends || !take_count(text, name, unit_seconds, seconds, ends)) return false;
  }
  return text.empty();
}

bool is_decimal_text(std::string_view text) noexcept {
  if (!take_char(text, '+')) take_char(text, '-');
  const std::size_t whole = take_digits(text).size();
  std::size_t fraction = 0;
  if (take_char(text, '.')) fraction = take_digits(text).size();
  if (whole + fraction == 0) return false;
  if (text.empty()) return true;
  if (!take_char(text, 'e') && !take_char(text, 'E')) return false;
  if (!take_char(text, '+')) take_char(text, '-');
  return !text.empty() && text.size() <= kExponentDigitsMax && all_digits(text);
}

bool is_integer_text(std::string_view text) noexcept {
  take_char(text, '-');
  if (text.empty() || text.size() > kIntegerDigitsMax || !all_digits(text)) return false;
  return text.size() == 1 || text.front() != '0';
}

bool is_base64(std::string_view text) noexcept {
  if (text.size() % 4 != 0) return false;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '+' || c == '/'; });
}

}  // namespace tercel::schema
