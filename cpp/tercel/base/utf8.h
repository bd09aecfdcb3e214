// Is it UTF-8? Asked piece by piece, and answered with the first byte that cannot be.
//
//   Utf8Validator text;
//   if (!text.feed(part)) ...       // No continuation makes this valid.
//   if (!text.complete()) ...       // It ended within a character.
//
// A value of four bytes. Surrogates, overlong forms and what is above U+10FFFF are refused at the
// earliest byte that gives them away. Cost: ASCII 32 bytes a step. Source: RFC 3629 section 4,
// Unicode table 3-7. Tested by utf8_test.cc, at every split.
#pragma once

#include <cstdint>
#include <string_view>

namespace tercel {

class Utf8Validator {
 public:
  // Takes the next part. False: not UTF-8, whatever comes behind; then it must not be asked again.
  [[nodiscard]] bool feed(std::string_view part) noexcept;
  // True between two characters.
  [[nodiscard]] bool complete() const noexcept { return missing_ == 0; }

 private:
  // Judges the first byte of a character that is not ASCII. False: it begins none.
  [[nodiscard]] bool begin(std::uint8_t byte) noexcept;

  std::uint8_t missing_ = 0;  // Bytes of the character that are still to come.
  std::uint8_t low_ = 0x80;   // What the next of them may be.
  std::uint8_t high_ = 0xBF;
};

// Whether `text` is UTF-8, from its first byte to its last.
[[nodiscard]] inline bool is_utf8(std::string_view text) noexcept {
  Utf8Validator validator;
  return validator.feed(text) && validator.complete();
}

}  // namespace tercel
