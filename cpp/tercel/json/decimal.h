// Exact arithmetic on numbers as they are written: order, equality, divisibility.
//
// Numbers of JSON are decimal, and of any size. Doubles decide where they can, which is nearly
// always: rounding keeps the order, so what differs after it differs before. Where the doubles are
// equal the digits decide. Cost: O(1), then O(digits).
// Values. Tested by decimal_test.cc.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "tercel/base/keyed_hash.h"
#include "tercel/json/value.h"

namespace tercel::json {

// A number as its sign, its digits without zeros at either end, and a power of ten.
// Not copied: the digits of an integer are in the object itself, those of a text stay there.
class Decimal {
 public:
  // REQUIRES: a number.
  explicit Decimal(Value number) noexcept;
  Decimal(const Decimal&) = delete;
  Decimal& operator=(const Decimal&) = delete;

  [[nodiscard]] bool zero() const noexcept { return size() == 0; }
  // False for zero.
  [[nodiscard]] bool negative() const noexcept { return negative_; }
  [[nodiscard]] std::size_t size() const noexcept { return head_.size() + tail_.size(); }
  // REQUIRES: index < size().
  [[nodiscard]] unsigned digit(std::size_t index) const noexcept {
    const char c = index < head_.size() ? head_[index] : tail_[index - head_.size()];
    return static_cast<unsigned>(c - '0');
  }
  // Of the last digit.
  [[nodiscard]] std::int64_t exponent() const noexcept { return exponent_; }

  // The digits as a number. REQUIRES: size() <= kWordDigitsMax.
  static constexpr std::size_t kWordDigitsMax = 19;
  [[nodiscard]] std::uint64_t word() const noexcept;

 private:
  void read(std::string_view text) noexcept;

  std::string_view head_;  // Digits before the point, and behind it.
  std::string_view tail_;
  std::int64_t exponent_ = 0;
  bool negative_ = false;
  std::array<char, 24> digits_;
};

// REQUIRES of all: numbers.
[[nodiscard]] std::strong_ordering compare_numbers(Value a, Value b) noexcept;
// True for 1, 1.0 and 10e-1.
[[nodiscard]] bool is_integral(Value number) noexcept;
// Equal for numbers that are equal.
[[nodiscard]] std::uint64_t hash_number(Value number, const KeyedHash& hash) noexcept;

// What `multipleOf` divides by.
class Divisor {
 public:
  // Empty when `number` is not above zero, or has more than Decimal::kWordDigitsMax digits besides
  // zeros at its ends.
  [[nodiscard]] static std::optional<Divisor> from(Value number) noexcept;

  // REQUIRES: a number.
  [[nodiscard]] bool divides(Value number) const noexcept;

 private:
  Divisor(std::uint64_t digits, std::int64_t exponent) noexcept;
  [[nodiscard]] bool divides_decimal(const Decimal& number) const noexcept;

  std::uint64_t digits_;
  std::int64_t exponent_;
  std::uint64_t whole_ = 0;  // The divisor, where it is an integer that fits; else 0.
};

}  // namespace tercel::json
