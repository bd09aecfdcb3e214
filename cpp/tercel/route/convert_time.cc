#include "tercel/route/convert_time.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace tercel::route {
namespace {

constexpr std::string_view kDirectives = "YmdHMSfz%";
constexpr std::size_t kFractionDigitsMax = 6;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool is_leap(unsigned year) noexcept {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

bool exists(const Date& date) noexcept {
  constexpr std::array<std::uint8_t, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (date.year < 1 || date.month < 1 || date.month > 12 || date.day < 1) return false;
  const unsigned leap_day = date.month == 2 && is_leap(date.year) ? 1 : 0;
  return date.day <= kDays[date.month - 1U] + leap_day;
}

// Takes what it reads off the front of the text. A false answer ends the reading.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : rest_{text} {}

  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] bool starts_with(char c) const noexcept { return rest_.starts_with(c); }

  bool skip(char c) noexcept {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  template <typename T>
  bool number(std::size_t digits, unsigned max, T& out) noexcept {
    if (rest_.size() < digits) return false;
    unsigned value = 0;
    for (const char c : rest_.substr(0, digits)) {
      if (!is_digit(c)) return false;
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    rest_.remove_prefix(digits);
    out = static_cast<T>(value);
    return value <= max;
  }

  bool fraction(std::uint32_t& microsecond) noexcept {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_digit);
    const auto digits = static_cast<std::size_t>(end - rest_.begin());
    if (digits == 0 || digits > kFractionDigitsMax) return false;
    if (!number(digits, 999'999, microsecond)) return false;
    for (std::size_t i = digits; i < kFractionDigitsMax; ++i) microsecond *= 10;
    return true;
  }

  enum class Colon : std::uint8_t { kRequired, kOptional };
  bool offset(Colon colon, DateTime& out) noexcept {
    out.has_offset = true;
    if (skip('Z')) return true;
    const bool west = starts_with('-');
    unsigned hours = 0;
    unsigned minutes = 0;
    if (!skip('-') && !skip('+')) return false;
    if (!number(2, 23, hours)) return false;
    if (!skip(':') && colon == Colon::kRequired) return false;
    if (!number(2, 59, minutes)) return false;
    const int total = static_cast<int>(hours * 60 + minutes);
    out.offset_minutes = static_cast<std::int16_t>(west ? -total : total);
    return true;
  }

  bool directive(char directive, DateTime& out) noexcept {
    switch (directive) {
      case 'Y':
        return number(4, 9999, out.date.year);
      case 'm':
        return number(2, 12, out.date.month);
      case 'd':
        return number(2, 31, out.date.day);
      case 'H':
        return number(2, 23, out.hour);
      case 'M':
        return number(2, 59, out.minute);
      case 'S':
        return number(2, 59, out.second);
      case 'f':
        return fraction(out.microsecond);
      case 'z':
        return offset(Colon::kOptional, out);
      default:
        return skip(directive);  // %%
    }
  }

  bool formatted(std::string_view format, DateTime& out) noexcept {
    for (std::size_t i = 0; i < format.size(); ++i) {
      const bool good = format[i] == '%' ? directive(format[++i], out) : skip(format[i]);
      if (!good) return false;
    }
    return true;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::optional<Date> parse_date(std::string_view text) noexcept {
  Reader reader{text};
  DateTime out;
  if (!reader.formatted("%Y-%m-%d", out) || !reader.at_end()) return std::nullopt;
  if (!exists(out.date)) return std::nullopt;
  return out.date;
}

std::optional<DateTime> parse_rfc3339(std::string_view text) noexcept {
  Reader reader{text};
  DateTime out;
  if (!reader.formatted("%Y-%m-%dT%H:%M:%S", out)) return std::nullopt;
  if (reader.skip('.') && !reader.fraction(out.microsecond)) return std::nullopt;
  if (!reader.offset(Reader::Colon::kRequired, out) || !reader.at_end()) return std::nullopt;
  if (!exists(out.date)) return std::nullopt;
  return out;
}

std::optional<DateTime> parse_time(std::string_view text, std::string_view format) noexcept {
  Reader reader{text};
  DateTime out;
  if (!reader.formatted(format, out) || !reader.at_end() || !exists(out.date)) return std::nullopt;
  return out;
}

bool valid_time_format(std::string_view format) noexcept {
  std::array<bool, kDirectives.size()> named{};
  for (std::size_t i = format.find('%'); i != std::string_view::npos; i = format.find('%', i + 2)) {
    if (i + 1 == format.size()) return false;
    const std::size_t place = kDirectives.find(format[i + 1]);
    if (place == std::string_view::npos) return false;
    if (named[place] && format[i + 1] != '%') return false;
    named[place] = true;
  }
  return named[0] && named[1] && named[2];
}

}  // namespace tercel::route
