#include "tercel/json/number_scan.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <limits>
#include <system_error>

namespace tercel::json {
namespace {

// So many decimal digits fit std::uint64_t whatever they are.
constexpr std::ptrdiff_t kSafeDigits = 19;
// Every integer up to this one is a double.
constexpr std::uint64_t kExactMax = std::uint64_t{1} << 53;

// The powers of ten that are doubles exactly.
constexpr std::array<double, 23> kPowersOfTen{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// Adds the digits at `at` to `value`, which wraps around beyond kSafeDigits of them.
const char* take_digits(const char* at, const char* end, std::uint64_t& value) noexcept {
  for (; at != end && is_digit(*at); ++at) {
    value = value * 10 + static_cast<std::uint64_t>(*at - '0');
  }
  return at;
}

// The parts of a number, while it is read.
struct Parts {
  const char* begin;
  const char* at;
  bool negative;
  std::uint64_t digits = 0;   // Of integer and fraction together; see `count`.
  std::ptrdiff_t count = 0;   // How many digits they are. Above kSafeDigits: wrapped around.
  std::int64_t exponent = 0;  // Of the last digit.
};

// The exponent at parts.at, behind its letter.
FaultKind take_exponent(Parts& parts, const char* end) noexcept {
  bool negative = false;
  if (parts.at != end && (*parts.at == '+' || *parts.at == '-')) negative = *parts.at++ == '-';
  const char* const first = parts.at;
  std::int64_t value = 0;
  for (; parts.at != end && is_digit(*parts.at); ++parts.at) {
    value = value * 10 + (*parts.at - '0');
    if (value > kExponentMax) return FaultKind::kExponent;
  }
  if (parts.at == first) return FaultKind::kBadNumber;
  parts.exponent += negative ? -value : value;
  return FaultKind::kNone;
}

// Exact when digits and power of ten are both doubles, as the one operation rounds correctly:
// Clinger, "How to read floating point numbers accurately", 1990. It is true of nearly every
// number that people write.
double to_double(const Parts& parts) noexcept {
  const std::int64_t power = parts.exponent < 0 ? -parts.exponent : parts.exponent;
  if (parts.count > kSafeDigits || parts.digits > kExactMax ||
      power >= static_cast<std::int64_t>(kPowersOfTen.size())) {
    return nearest_double({parts.begin, static_cast<std::size_t>(parts.at - parts.begin)});
  }
  const double scale = kPowersOfTen[static_cast<std::size_t>(power)];
  const auto digits = static_cast<double>(parts.digits);
  const double value = parts.exponent < 0 ? digits / scale : digits * scale;
  return parts.negative ? -value : value;
}

void write_integer(const Parts& parts, Node* node) noexcept {
  constexpr auto kIntegerMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const std::uint64_t magnitude_max = parts.negative ? kIntegerMax + 1 : kIntegerMax;
  node->size = 0;
  node->step = 1;
  // Twenty digits may fit; then std::from_chars knows.
  std::uint64_t magnitude = parts.digits;
  bool fits = parts.count <= kSafeDigits;
  if (parts.count == kSafeDigits + 1) {
    fits = std::from_chars(parts.at - parts.count, parts.at, magnitude).ec == std::errc{};
  }
  if (fits && magnitude <= magnitude_max) {
    node->kind = Kind::kInteger;
    node->integer = static_cast<std::int64_t>(parts.negative ? 0 - magnitude : magnitude);
  } else if (fits && !parts.negative) {
    node->kind = Kind::kUnsigned;
    node->natural = magnitude;
  } else {
    node->kind = Kind::kBigInteger;
    node->text = parts.begin;
    node->size = static_cast<std::uint32_t>(parts.at - parts.begin);
  }
}

void write_decimal(const Parts& parts, Node* node) noexcept {
  node->kind = Kind::kDecimal;
  node->step = 2;
  node->size = static_cast<std::uint32_t>(parts.at - parts.begin);
  node->decimal = to_double(parts);
  node[1] = Node{.text = parts.begin, .size = 0, .kind = Kind::kNull, .step = 1, .key_hash = 0};
}

}  // namespace

double nearest_double(std::string_view number) noexcept {
  double value = 0;
  const char* const end = number.data() + number.size();
  if (std::from_chars(number.data(), end, value).ec == std::errc{}) return value;
  // Out of range: which side of it, the exponent of the first digit that counts tells.
  const bool negative = number.front() == '-';
  const std::size_t first = number.find_first_of("123456789");
  const std::size_t letter = number.find_first_of("eE");
  const std::size_t point = std::min(number.find('.'), std::min(letter, number.size()));
  std::int64_t exponent = 0;
  if (letter != std::string_view::npos) {
    const std::size_t sign = number[letter + 1] == '+' ? 2 : 1;  // std::from_chars takes no plus.
    std::from_chars(number.data() + letter + sign, end, exponent);
  }
  exponent += static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  const double limit = exponent > 0 ? std::numeric_limits<double>::infinity() : 0.0;
  return negative ? -limit : limit;
}

ScannedNumber scan_number(const char* at, const char* end, Node* node) noexcept {
  Parts parts{.begin = at, .at = at, .negative = *at == '-'};
  if (parts.negative) ++parts.at;
  const char* const integer = parts.at;
  parts.at = take_digits(integer, end, parts.digits);
  parts.count = parts.at - integer;
  if (parts.count == 0 || (*integer == '0' && parts.count > 1)) {
    return {.at = parts.at, .fault = FaultKind::kBadNumber};
  }
  if (parts.at == end || (*parts.at != '.' && (*parts.at | 0x20) != 'e')) {
    write_integer(parts, node);
    return {.at = parts.at};
  }
  if (*parts.at == '.') {
    const char* const fraction = ++parts.at;
    parts.at = take_digits(fraction, end, parts.digits);
    if (parts.at == fraction) return {.at = parts.at, .fault = FaultKind::kBadNumber};
    parts.count += parts.at - fraction;
    parts.exponent = fraction - parts.at;
  }
  if (parts.at != end && (*parts.at | 0x20) == 'e') {
    ++parts.at;
    const FaultKind fault = take_exponent(parts, end);
    if (fault != FaultKind::kNone) return {.at = parts.at, .fault = fault};
  }
  write_decimal(parts, node);
  return {.at = parts.at};
}

}  // namespace tercel::json
