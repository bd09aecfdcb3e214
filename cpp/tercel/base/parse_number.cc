#include "tercel/base/parse_number.h"

#include <array>

namespace tercel {
namespace {

constexpr std::uint8_t kNoDigit = 255;

constexpr std::array<std::uint8_t, 256> make_digit_values() noexcept {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::uint8_t digit = 0; digit < 10; ++digit) values['0' + digit] = digit;
  for (std::uint8_t digit = 10; digit < 16; ++digit) {
    values['a' + digit - 10] = digit;
    values['A' + digit - 10] = digit;
  }
  return values;
}

constexpr auto kDigitValues = make_digit_values();

template <unsigned kBase>
Result<std::uint64_t> parse(std::string_view text, std::uint64_t max) noexcept {
  if (text.empty()) return fail(Errc::kNotANumber);
  std::uint64_t value = 0;
  for (const char byte : text) {
    const std::uint8_t digit = kDigitValues[static_cast<unsigned char>(byte)];
    if (digit >= kBase) return fail(Errc::kNotANumber);
    if (__builtin_mul_overflow(value, std::uint64_t{kBase}, &value)) return fail(Errc::kNotANumber);
    if (__builtin_add_overflow(value, std::uint64_t{digit}, &value)) return fail(Errc::kNotANumber);
  }
  if (value > max) return fail(Errc::kNotANumber);
  return value;
}

}  // namespace

Result<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max) noexcept {
  return parse<10>(text, max);
}

Result<std::uint64_t> parse_hex(std::string_view text, std::uint64_t max) noexcept {
  return parse<16>(text, max);
}

}  // namespace tercel
