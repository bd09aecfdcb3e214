// What stands for a character, or for several, in a pattern.
#include <algorithm>
#include <charconv>

#include "tercel/schema/regex_class.h"
#include "tercel/schema/regex_translator.h"

namespace tercel::schema {

// The character at at_, which is moved behind it.
char32_t Translator::code_point() {
  const auto first = static_cast<unsigned char>(text_[at_]);
  const std::size_t size = first < 0x80 ? 1 : (first < 0xE0 ? 2 : (first < 0xF0 ? 3 : 4));
  char32_t c = size == 1 ? first : first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size && at_ + i < text_.size(); ++i) {
    c = c << 6 | (static_cast<unsigned char>(text_[at_ + i]) & 0x3F);
  }
  at_ = std::min(at_ + size, text_.size());
  return c;
}

void Translator::atom_escape() {
  const std::size_t start = at_;
  const char letter = peek(1);
  if (letter == 'b' || letter == 'B') {
    at_ += 2;
    return assertion(letter == 'b' ? "\\b" : "\\B");
  }
  if (letter >= '1' && letter <= '9') {
    for (++at_; is_digit(peek());) ++at_;
    unsupported("back-reference", start);
    return atom("");
  }
  if (letter == 'k' && peek(2) == '<') {
    at_ += 3;
    group_name();
    unsupported("back-reference", start);
    return atom("");
  }
  if (const auto several = class_escape(false)) return atom(*several);
  atom(literal(character_escape()));
}

// \d \D \w \W \s \S \p{} \P{}: what RE2 writes for it; nothing for other escapes.
std::optional<std::string> Translator::class_escape(bool in_class) {
  const char letter = peek(1);
  switch (letter) {
    case 'd':
    case 'D':
    case 'w':
    case 'W':
      at_ += 2;
      return std::string{'\\', letter};
    case 's':
    case 'S':
      at_ += 2;
      return space_class(letter == 'S', in_class);
    case 'p':
    case 'P':
      return property(letter == 'P', in_class);
    default:
      return std::nullopt;
  }
}

std::string Translator::property(bool inverted, bool in_class) {
  const std::size_t start = at_;
  at_ += 2;
  const std::size_t end = text_.find('}', at_);
  if (peek() != '{' || end == std::string_view::npos) {
    malformed("a property has no braces", start);
    return {};
  }
  const std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
  at_ = end + 1;
  Translation found = property_class(name, inverted, in_class);
  if (found.verdict == RegexVerdict::kMalformed) malformed(found.reason, start);
  if (found.verdict == RegexVerdict::kUnsupported) unsupported(found.reason, start);
  return std::move(found.re2);
}

std::optional<char32_t> Translator::hex(std::size_t digits) {
  std::uint32_t value = 0;
  const char* const first = text_.data() + at_;
  if (text_.size() - at_ < digits) return std::nullopt;
  const auto [end, error] = std::from_chars(first, first + digits, value, 16);
  if (error != std::errc{} || end != first + digits) return std::nullopt;
  at_ += digits;
  return value;
}

// Behind "\u".
char32_t Translator::unicode_escape(std::size_t start) {
  if (take("{")) {
    const std::size_t end = std::min(text_.find('}', at_), text_.size());
    const std::size_t zeros = text_.substr(at_, end - at_).find_first_not_of('0');
    at_ += zeros == std::string_view::npos ? (end > at_ ? end - at_ - 1 : 0) : zeros;
    const auto value = end - at_ <= 6 && end > at_ ? hex(end - at_) : std::nullopt;
    if (!value || *value > kCodePointMax || !take("}")) {
      malformed("the escape \\u{} is malformed", start);
    }
    return value.value_or(0);
  }
  const std::optional<char32_t> high = hex(4);
  if (!high) {
    malformed("the escape \\u is malformed", start);
    return 0;
  }
  if (*high < 0xD800 || *high > 0xDBFF || peek() != '\\' || peek(1) != 'u') return *high;
  const std::size_t behind = at_;
  at_ += 2;
  const std::optional<char32_t> low = hex(4);
  if (low && *low >= 0xDC00 && *low <= 0xDFFF) {
    return 0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00);
  }
  at_ = behind;
  return *high;
}

// The character that an escape stands for; at_ is at its backslash.
char32_t Translator::character_escape() {
  const std::size_t start = at_++;
  if (at_ == text_.size()) {
    malformed("nothing follows the backslash", start);
    return 0;
  }
  const char letter = peek();
  if (!is_word(letter) || letter == '_') return code_point();
  ++at_;
  switch (letter) {
    case 't':
      return '\t';
    case 'n':
      return '\n';
    case 'v':
      return '\v';
    case 'f':
      return '\f';
    case 'r':
      return '\r';
    case 'c':
      if (is_letter(peek())) return static_cast<char32_t>(text_[at_++] & 0x1F);
      break;
    case '0':
      if (!is_digit(peek())) return 0;
      break;
    case 'x':
      if (const auto value = hex(2)) return *value;
      break;
    case 'u':
      return unicode_escape(start);
    default:
      break;
  }
  malformed("this escape does not exist", start);
  return 0;
}

}  // namespace tercel::schema
