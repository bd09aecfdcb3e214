#include "tercel/http/date.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "tercel/base/parse_number.h"

namespace tercel::http {
namespace {

constexpr std::string_view kField = "date: ";
constexpr char kForm[] = "Thu, 01 Jan 1970 00:00:00 GMT";
constexpr std::string_view kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};
constexpr std::size_t kShortBytes = 3;
constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
// Last second of the year 9999: the form has four digits.
constexpr std::chrono::seconds kMax{253402300799};

void put_two_digits(char* out, unsigned value) noexcept {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
}

// What a date says, before anybody looked whether it is one.
struct Parts {
  unsigned weekday = 0;
  unsigned day = 0;
  unsigned month = 0;
  int year = 0;
  bool two_digits = false;  // The century is to be found.
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
};

// Takes pieces off the front of a text. Each returns false when the piece is not there.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : rest_{text} {}

  bool done() const noexcept { return rest_.empty(); }

  bool literal(char c) noexcept {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool number(std::size_t digits, unsigned& value) noexcept {
    const auto read = parse_decimal(rest_.substr(0, digits));
    if (!read || rest_.size() < digits) return false;
    value = static_cast<unsigned>(*read);
    rest_.remove_prefix(digits);
    return true;
  }
  // The first `bytes` of a name, or all of it.
  bool name(std::span<const std::string_view> names, std::size_t bytes, unsigned& index) noexcept {
    for (index = 0; index < names.size(); ++index) {
      const std::string_view name = names[index].substr(0, bytes);
      if (!rest_.starts_with(name)) continue;
      rest_.remove_prefix(name.size());
      return true;
    }
    return false;
  }
  bool time(Parts& parts) noexcept {
    return number(2, parts.hour) && literal(':') && number(2, parts.minute) && literal(':') &&
           number(2, parts.second);
  }

 private:
  std::string_view rest_;
};

// One piece of a form, as strftime() names them; other characters stand for themselves.
bool read_piece(Reader& reader, char piece, Parts& parts) noexcept {
  unsigned year = 0;
  switch (piece) {
    case 'a':
      return reader.name(kDays, kShortBytes, parts.weekday);
    case 'A':
      return reader.name(kDays, std::string_view::npos, parts.weekday);
    case 'b':
      return reader.name(kMonths, kShortBytes, parts.month);
    case 'd':
      return reader.number(2, parts.day);
    case 'e':
      return reader.literal(' ') ? reader.number(1, parts.day) : reader.number(2, parts.day);
    case 'X':
      return reader.time(parts);
    case 'y':
    case 'Y':
      if (!reader.number(piece == 'y' ? 2 : 4, year)) return false;
      parts.year = static_cast<int>(year);
      parts.two_digits = piece == 'y';
      return true;
    default:
      return reader.literal(piece);
  }
}

std::optional<Parts> read_form(std::string_view form, std::string_view text) noexcept {
  Reader reader{text};
  Parts parts;
  for (const char piece : form) {
    if (!read_piece(reader, piece, parts)) return std::nullopt;
  }
  return reader.done() ? std::optional{parts} : std::nullopt;
}

// The time that `parts` name in `year`, wherever that day lies in the week.
std::chrono::seconds time_in(const Parts& parts, int year) noexcept {
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): the calendar is its names.
  const sys_days date{std::chrono::year{year} / month{parts.month + 1} / day{parts.day}};
  return date.time_since_epoch() + hours{parts.hour} + minutes{parts.minute} +
         seconds{parts.second};
}

int find_year(const Parts& parts, std::chrono::seconds now) noexcept {
  const std::chrono::sys_days today{std::chrono::floor<std::chrono::days>(now)};
  const int this_year{std::chrono::year_month_day{today}.year()};
  int year = (this_year / 100 + 1) * 100 + parts.year;
  while (time_in(parts, year - 50) > now) year -= 100;
  return year;
}

}  // namespace

char* write_imf_fixdate(char* out, std::chrono::seconds time) noexcept {
  static_assert(sizeof(kForm) - 1 == kImfFixdateBytes);
  time = std::clamp(time, std::chrono::seconds{0}, kMax);
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::sys_days date{days};
  const std::chrono::year_month_day ymd{date};
  const std::chrono::hh_mm_ss clock{time - days};
  const auto year = static_cast<unsigned>(static_cast<int>(ymd.year()));

  std::memcpy(out, kForm, kImfFixdateBytes);
  kDays[std::chrono::weekday{date}.c_encoding()].copy(out, kShortBytes);
  put_two_digits(out + 5, static_cast<unsigned>(ymd.day()));
  kMonths[static_cast<unsigned>(ymd.month()) - 1].copy(out + 8, kShortBytes);
  put_two_digits(out + 12, year / 100);
  put_two_digits(out + 14, year % 100);
  put_two_digits(out + 17, static_cast<unsigned>(clock.hours().count()));
  put_two_digits(out + 20, static_cast<unsigned>(clock.minutes().count()));
  put_two_digits(out + 23, static_cast<unsigned>(clock.seconds().count()));
  return out + kImfFixdateBytes;
}

std::optional<std::chrono::seconds> parse_http_date(std::string_view text,
                                                    std::chrono::seconds now) noexcept {
  auto parts = read_form("a, d b Y X GMT", text);
  if (!parts) parts = read_form("A, d-b-y X GMT", text);
  if (!parts) parts = read_form("a b e X Y", text);
  if (!parts || parts->hour > 23 || parts->minute > 59 || parts->second > 60) return std::nullopt;

  const int year = parts->two_digits ? find_year(*parts, now) : parts->year;
  const std::chrono::year_month_day date{
      std::chrono::year{year}, std::chrono::month{parts->month + 1}, std::chrono::day{parts->day}};
  if (!date.ok()) return std::nullopt;
  const std::chrono::weekday weekday{std::chrono::sys_days{date}};
  if (weekday.c_encoding() != parts->weekday) return std::nullopt;
  return time_in(*parts, year);
}

std::string_view DateField::render(std::chrono::seconds now) noexcept {
  static_assert(kBytes == kField.size() + kImfFixdateBytes + 2);
  now = std::clamp(now, std::chrono::seconds{0}, kMax);
  if (now == second_) return {text_.data(), kBytes};
  second_ = now;

  kField.copy(text_.data(), kField.size());
  std::memcpy(write_imf_fixdate(text_.data() + kField.size(), now), "\r\n", 2);
  return {text_.data(), kBytes};
}

}  // namespace tercel::http
