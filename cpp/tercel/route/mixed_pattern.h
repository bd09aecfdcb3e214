// A segment of fields and literals, such as {name}.{ext} or {base}...{head}: without a regex
// engine.
//
// Between two fields is a literal of one byte at least; every field takes one byte at least. Of all
// the ways to cut a text, the one with each literal at its right-most position is the only one that
// is tried: the same that a regular expression with greedy fields finds. It is found from the
// right, each literal by Knuth, Morris and Pratt, so every byte of the text is looked at once,
// whatever the text is. Tested by mixed_pattern_test.cc against std::regex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/route/value.h"

namespace tercel::route {

// A value.
class MixedPattern {
 public:
  // `literals`: before, between and behind the fields. REQUIRES: two at least; only the first and
  // the last may be empty; each shorter than 64 KiB.
  explicit MixedPattern(std::span<const std::string> literals);

  // Cuts `text` into the texts of the fields, views into it. False: it does not match, and they are
  // undefined.
  // REQUIRES: fields.size() == this->fields(). Cost: two comparisons for each byte of the text at
  // most; their number is added to `steps`.
  [[nodiscard]] bool split(std::string_view text, std::span<Capture> fields,
                           std::uint32_t& steps) const noexcept;

  [[nodiscard]] std::size_t fields() const noexcept { return literals_.size() - 1; }

 private:
  struct Literal {
    std::uint32_t begin;  // In text_ and in border_.
    std::uint32_t bytes;
  };
  [[nodiscard]] std::string_view text_of(const Literal& literal) const noexcept {
    return std::string_view{text_}.substr(literal.begin, literal.bytes);
  }
  // Where the last occurrence of `literal` begins that lies within [begin, end) of `text`.
  [[nodiscard]] std::size_t find_last(const Literal& literal, std::string_view text,
                                      std::size_t begin, std::size_t end,
                                      std::uint32_t& steps) const noexcept;

  std::vector<Literal> literals_;
  std::string text_;  // Of all literals.
  // For the last n bytes of a literal, read from the right: how many of them begin it anew.
  std::vector<std::uint16_t> border_;
};

}  // namespace tercel::route
