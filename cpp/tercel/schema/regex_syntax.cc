#include "tercel/schema/regex_syntax.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "tercel/schema/regex_class.h"
#include "tercel/schema/regex_translator.h"

namespace tercel::schema {

void Translator::token() {
  const char c = peek();
  switch (c) {
    case '\\':
      return atom_escape();
    case '[':
      return character_class();
    case '(':
      return group();
    case ')':
      return close_group();
    case '|':
    case '^':
    case '$':
      ++at_;
      return assertion(std::string_view{&c, 1});
    case '*':
    case '+':
    case '?':
      return repeat_sign(c);
    case '{':
      return repeat_braces();
    case '.':
      ++at_;
      return atom(kDotClass);
    default:
      return atom(literal(code_point()));
  }
}

void Translator::group() {
  const std::size_t start = at_++;
  ++depth_;
  repeatable_ = false;
  out_ += "(?:";  // Nobody asks what was captured.
  if (!take("?") || take(":")) return;
  if (take("=") || take("!")) return unsupported("look-ahead", start);
  if (take("<=") || take("<!")) return unsupported("look-behind", start);
  if (take("<")) return group_name();
  modifiers(start);
}

void Translator::close_group() {
  if (depth_ == 0) return malformed("a group ends that did not begin", at_);
  --depth_;
  ++at_;
  atom(")");
}

void Translator::group_name() {
  const std::size_t start = at_;
  while (at_ < text_.size() && peek() != '>') {
    const bool valid = static_cast<unsigned char>(peek()) >= 0x80 || is_word(peek()) ||
                       peek() == '$' || peek() == '\\';
    if (!valid || (at_ == start && is_digit(peek()))) break;
    ++at_;
  }
  if (at_ == start || !take(">")) malformed("the name of a group is malformed", start);
}

// "(?i:" and "(?-i:" of ECMA-262 2025.
void Translator::modifiers(std::size_t start) {
  const std::size_t first = at_;
  while (peek() == 'i' || peek() == 'm' || peek() == 's' || peek() == '-') ++at_;
  const std::string_view flags = text_.substr(first, at_ - first);
  if (flags.empty() || flags == "-" || !take(":")) {
    return malformed("this kind of group does not exist", start);
  }
  if (flags != "i" && flags != "-i") return unsupported("modifiers other than i", start);
  out_.pop_back();  // The colon behind the flags.
  out_ += flags;
  out_ += ':';
}

void Translator::end_repeat() {
  if (take("?")) out_ += '?';
  repeatable_ = false;
}

void Translator::repeat_sign(char c) {
  if (!repeatable_) return malformed("there is nothing to repeat", at_);
  ++at_;
  out_ += c;
  end_repeat();
}

void Translator::repeat_braces() {
  const std::size_t start = at_;
  const auto number = [this]() -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const std::size_t first = ++at_;
    for (; is_digit(peek()); ++at_) {
      value = std::min<std::uint64_t>(value * 10 + static_cast<unsigned>(peek() - '0'), UINT32_MAX);
    }
    return at_ == first ? std::nullopt : std::optional{value};
  };
  const std::optional<std::uint64_t> low = number();
  const bool comma = low && peek() == ',';
  const std::optional<std::uint64_t> high = comma ? number() : low;
  if (!low || !take("}")) {
    at_ = start + 1;  // A literal.
    return atom("\\{");
  }
  if (!repeatable_) return malformed("there is nothing to repeat", start);
  if (high && *high < *low) return malformed("the numbers of a repeat are out of order", start);
  if (std::max(*low, high.value_or(0)) > kRepeatMax) unsupported("a repeat above 1000", start);
  out_ += text_.substr(start, at_ - start);
  end_repeat();
}

// One item of a class into `item`: returns its code point, or kNoPoint when it stands for several.
char32_t Translator::class_atom(std::string& item) {
  char32_t c = kNoPoint;
  if (peek() != '\\') {
    c = code_point();
  } else if (peek(1) == 'b') {
    at_ += 2;
    c = '\b';
  } else if (peek(1) == '-') {
    at_ += 2;
    c = '-';
  } else if (auto several = class_escape(true)) {
    item = std::move(*several);
    return kNoPoint;
  } else {
    c = character_escape();
  }
  item = hex_escape(c);
  return c;
}

void Translator::character_class() {
  const std::size_t start = at_++;
  const bool inverted = take("^");
  std::string inside;
  while (at_ < text_.size() && peek() != ']' && !malformed()) {
    std::string item;
    const char32_t low = class_atom(item);
    if (peek() != '-' || peek(1) == ']' || at_ + 1 >= text_.size()) {
      if (low < 0xD800 || low > 0xDFFF) inside += item;
      continue;
    }
    const std::size_t dash = at_++;
    std::string last;
    const char32_t high = class_atom(last);
    if (low == kNoPoint || high == kNoPoint) {
      return malformed("a range needs a character at each end", dash);
    }
    if (low > high) return malformed("a range is out of order", dash);
    inside += range(low, high);
  }
  if (!take("]")) return malformed("a class has no end", start);
  if (inside.empty()) return atom(inverted ? kAnyClass : kNothingClass);
  atom((inverted ? "[^" : "[") + inside + "]");
}

Translation translate_regex(std::string_view pattern) {
  return Translator{pattern}.run();
}

}  // namespace tercel::schema
