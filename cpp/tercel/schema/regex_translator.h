// One pattern on its way to RE2: the position in it, and what is written so far.
//
// Internal to tercel/schema. regex_syntax.cc has what patterns are made of, regex_escape.cc what
// stands for characters in them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tercel/schema/regex_syntax.h"

namespace tercel::schema {

// One code point, or what stands for several.
inline constexpr char32_t kNoPoint = 0xFFFFFFFF;

class Translator {
 public:
  explicit Translator(std::string_view pattern) noexcept : text_{pattern} {}

  Translation run() {
    while (at_ < text_.size() && !malformed()) token();
    if (depth_ > 0) malformed("a group has no end", text_.size());
    if (result_.verdict == RegexVerdict::kTranslated) result_.re2 = std::move(out_);
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool malformed() const noexcept {
    return result_.verdict == RegexVerdict::kMalformed;
  }
  void malformed(std::string_view reason, std::size_t offset) noexcept {
    if (malformed()) return;
    result_.verdict = RegexVerdict::kMalformed;
    result_.reason = reason;
    result_.offset = offset;
  }
  // Reading goes on: it may be malformed besides.
  void unsupported(std::string_view reason, std::size_t offset) noexcept {
    if (result_.verdict != RegexVerdict::kTranslated) return;
    result_.verdict = RegexVerdict::kUnsupported;
    result_.reason = reason;
    result_.offset = offset;
  }

  [[nodiscard]] char peek(std::size_t ahead = 0) const noexcept {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] bool take(std::string_view expected) noexcept {
    if (!text_.substr(at_).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }

  // --- regex_syntax.cc
  void token();
  void group();
  void close_group();
  void group_name();
  void modifiers(std::size_t start);
  void end_repeat();
  void repeat_sign(char c);
  void repeat_braces();
  void character_class();
  [[nodiscard]] char32_t class_atom(std::string& item);

  // --- regex_escape.cc
  void atom_escape();
  [[nodiscard]] std::optional<std::string> class_escape(bool in_class);
  [[nodiscard]] std::string property(bool inverted, bool in_class);
  [[nodiscard]] char32_t character_escape();
  [[nodiscard]] char32_t unicode_escape(std::size_t start);
  [[nodiscard]] std::optional<char32_t> hex(std::size_t digits);
  [[nodiscard]] char32_t code_point();

  void atom(std::string_view re2) {
    out_ += re2;
    repeatable_ = true;
  }
  void assertion(std::string_view re2) {
    out_ += re2;
    repeatable_ = false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  bool repeatable_ = false;  // What is before may have a quantifier.
  std::string out_;
  Translation result_;
};

}  // namespace tercel::schema
