#include "tercel/json/decimal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace tercel::json {
namespace {

__extension__ using Uint128 = unsigned __int128;

// 2^63.
constexpr double kIntegerEnd = 9223372036854775808.0;

// So many factors of 2, or of 5, has a word at most: more zeros behind a number change nothing.
constexpr std::int64_t kZerosMax = 64;

std::size_t count_leading_zeros(std::string_view digits) noexcept {
  return std::min(digits.find_first_not_of('0'), digits.size());
}
std::size_t count_trailing_zeros(std::string_view digits) noexcept {
  return digits.size() - (digits.find_last_not_of('0') + 1);
}

// REQUIRES: the same sign, and neither is zero.
std::strong_ordering compare_magnitudes(const Decimal& a, const Decimal& b) noexcept {
  // The exponents of the digits in front of which there are none.
  const std::int64_t a_top = static_cast<std::int64_t>(a.size()) + a.exponent();
  const std::int64_t b_top = static_cast<std::int64_t>(b.size()) + b.exponent();
  if (a_top != b_top) return a_top <=> b_top;
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (a.digit(i) != b.digit(i)) return a.digit(i) <=> b.digit(i);
  }
  return a.size() <=> b.size();
}

// The integer that the number is, if it fits.
std::optional<std::int64_t> to_integer(const Decimal& number) noexcept {
  if (number.zero()) return 0;
  if (number.exponent() < 0 || static_cast<std::int64_t>(number.size()) + number.exponent() > 19) {
    return std::nullopt;
  }
  std::uint64_t magnitude = number.word();
  for (std::int64_t i = 0; i < number.exponent(); ++i) magnitude *= 10;
  const std::uint64_t limit =
      static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) + number.negative();
  if (magnitude > limit) return std::nullopt;
  return static_cast<std::int64_t>(number.negative() ? 0 - magnitude : magnitude);
}

std::uint64_t hash_decimal(const Decimal& number, const KeyedHash& hash) noexcept {
  std::uint64_t result = hash(static_cast<std::uint64_t>(number.exponent()) ^
                              (number.negative() ? std::uint64_t{1} << 63 : 0));
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < number.size(); ++i) {
    word = word << 4 | number.digit(i);
    if (i % 16 == 15 || i + 1 == number.size()) {
      result = hash(result ^ word);
      word = 0;
    }
  }
  return result;
}

}  // namespace

Decimal::Decimal(Value number) noexcept {
  const Kind kind = number.kind();
  if (kind == Kind::kBigInteger || kind == Kind::kDecimal) {
    read(number.number_text());
    return;
  }
  char* const begin = digits_.data();
  char* const end = begin + digits_.size();
  char* const last = kind == Kind::kInteger ? std::to_chars(begin, end, number.int64()).ptr
                                            : std::to_chars(begin, end, number.uint64()).ptr;
  read({begin, static_cast<std::size_t>(last - begin)});
}

void Decimal::read(std::string_view text) noexcept {
  negative_ = text.front() == '-';
  text.remove_prefix(negative_ ? 1 : 0);
  if (const std::size_t letter = text.find_first_of("eE"); letter != std::string_view::npos) {
    const std::string_view exponent = text.substr(letter + (text[letter + 1] == '+' ? 2 : 1));
    std::from_chars(exponent.data(), exponent.data() + exponent.size(), exponent_);
    text = text.substr(0, letter);
  }
  const std::size_t point = std::min(text.find('.'), text.size());
  head_ = text.substr(0, point);
  tail_ = text.substr(std::min(point + 1, text.size()));

  exponent_ -= static_cast<std::int64_t>(tail_.size());
  const std::size_t tail_zeros = count_trailing_zeros(tail_);
  tail_.remove_suffix(tail_zeros);
  exponent_ += static_cast<std::int64_t>(tail_zeros);
  if (tail_.empty()) {
    const std::size_t head_zeros = count_trailing_zeros(head_);
    head_.remove_suffix(head_zeros);
    exponent_ += static_cast<std::int64_t>(head_zeros);
  }
  head_.remove_prefix(count_leading_zeros(head_));
  if (head_.empty()) tail_.remove_prefix(count_leading_zeros(tail_));
  if (zero()) {
    negative_ = false;
    exponent_ = 0;
  }
}

std::uint64_t Decimal::word() const noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size(); ++i) value = value * 10 + digit(i);
  return value;
}

std::strong_ordering compare_numbers(Value a, Value b) noexcept {
  if (a.kind() == Kind::kInteger && b.kind() == Kind::kInteger) return a.int64() <=> b.int64();
  const double a_double = a.float64();
  const double b_double = b.float64();
  if (a_double < b_double) return std::strong_ordering::less;
  if (a_double > b_double) return std::strong_ordering::greater;
  const Decimal a_decimal{a};
  const Decimal b_decimal{b};
  if (a_decimal.zero() || b_decimal.zero()) {
    // One may be too small for a double.
    const int a_sign = a_decimal.zero() ? 0 : (a_decimal.negative() ? -1 : 1);
    const int b_sign = b_decimal.zero() ? 0 : (b_decimal.negative() ? -1 : 1);
    return a_sign <=> b_sign;
  }
  if (a_decimal.negative() != b_decimal.negative()) {
    return b_decimal.negative() <=> a_decimal.negative();
  }
  return a_decimal.negative() ? compare_magnitudes(b_decimal, a_decimal)
                              : compare_magnitudes(a_decimal, b_decimal);
}

bool is_integral(Value number) noexcept {
  if (number.kind() != Kind::kDecimal) return true;
  // What has a fraction after it was rounded had one before; large doubles have none.
  const double value = number.float64();
  if (value != std::trunc(value)) return false;
  return Decimal{number}.exponent() >= 0;
}

std::uint64_t hash_number(Value number, const KeyedHash& hash) noexcept {
  if (number.kind() == Kind::kInteger) return hash(static_cast<std::uint64_t>(number.int64()));
  const Decimal decimal{number};
  if (std::abs(number.float64()) <= kIntegerEnd) {
    if (const auto integer = to_integer(decimal)) return hash(static_cast<std::uint64_t>(*integer));
  }
  return hash_decimal(decimal, hash);
}

Divisor::Divisor(std::uint64_t digits, std::int64_t exponent) noexcept
    : digits_{digits}, exponent_{exponent} {
  if (exponent < 0 || exponent > static_cast<std::int64_t>(Decimal::kWordDigitsMax)) return;
  std::uint64_t whole = digits;
  for (std::int64_t i = 0; i < exponent; ++i) {
    if (__builtin_mul_overflow(whole, std::uint64_t{10}, &whole)) return;
  }
  whole_ = whole;
}

std::optional<Divisor> Divisor::from(Value number) noexcept {
  const Decimal decimal{number};
  if (decimal.zero() || decimal.negative() || decimal.size() > Decimal::kWordDigitsMax) {
    return std::nullopt;
  }
  return Divisor{decimal.word(), decimal.exponent()};
}

bool Divisor::divides(Value number) const noexcept {
  if (whole_ != 0 && number.kind() == Kind::kInteger) {
    const std::int64_t value = number.int64();
    const auto bits = static_cast<std::uint64_t>(value);
    return (value < 0 ? 0 - bits : bits) % whole_ == 0;
  }
  const Decimal decimal{number};
  return decimal.zero() || divides_decimal(decimal);
}

bool Divisor::divides_decimal(const Decimal& number) const noexcept {
  // Both are whole numbers times a power of ten, and those of `number` do not end with a zero: a
  // divisor of a higher power cannot divide it.
  const std::int64_t zeros = number.exponent() - exponent_;
  if (zeros < 0) return false;
  std::uint64_t rest = 0;
  if (number.size() <= Decimal::kWordDigitsMax) {
    rest = number.word() % digits_;
  } else {
    for (std::size_t i = 0; i < number.size(); ++i) {
      rest = static_cast<std::uint64_t>((Uint128{rest} * 10 + number.digit(i)) % digits_);
    }
  }
  for (std::int64_t i = std::min(zeros, kZerosMax); i > 0 && rest != 0; --i) {
    rest = static_cast<std::uint64_t>(Uint128{rest} * 10 % digits_);
  }
  return rest == 0;
}

}  // namespace tercel::json
