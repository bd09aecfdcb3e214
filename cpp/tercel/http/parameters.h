// Parameters of a field value, "; name=value", and lists of elements that may hold quoted strings:
// what Content-Type, Accept and Content-Disposition are made of.
//
// Views into the value, which may be from anyone: no copies, no recursion, linear. Source: RFC 9110
// sections 5.6.1, 5.6.4 and 5.6.6. Tested by parameters_test.cc, fuzzed by media_type_fuzz.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tercel::http {

struct Parameter {
  std::string_view name;  // A token, as it was sent.
  std::string_view
      value;  // A token, perhaps empty, or what is between quotes, backslashes included.
  bool quoted = false;
};

class Parameters {
 public:
  enum class Next : std::uint8_t { kParameter, kEnd, kBad };

  // `text` is what follows a type: empty, or from a ';' on.
  explicit Parameters(std::string_view text) noexcept : rest_{text} {}

  // Blanks may stand around ';', none around '='. A ';' without a parameter behind it is nothing.
  // After kBad do not call again.
  [[nodiscard]] Next next(Parameter& parameter) noexcept;

 private:
  std::string_view rest_;
};

// Which backslashes in a quoted string stand for the byte behind them.
enum class Backslash : std::uint8_t {
  kEscapesAll,             // RFC 9110
  kEscapesQuoteAndItself,  // Forms, where browsers send names of files with backslashes in them.
};

// The text that the inside of a quoted string stands for, written to `out`, which may be the memory
// of `inside`. REQUIRES: out.size() >= inside.size().
[[nodiscard]] std::string_view unescape(std::string_view inside, std::span<char> out,
                                        Backslash backslash) noexcept;

// Whether a parameter's value, unescaped as RFC 9110 says, is `lower` in any case. REQUIRES:
// `lower` has no upper-case letter.
[[nodiscard]] bool value_is(const Parameter& parameter, std::string_view lower) noexcept;

// Cuts `text` at the first comma that is not within quotes: returns what is before it, without
// blanks around it, leaves in `text` what is behind. A quoted string that does not end reaches to
// the end of `text`.
[[nodiscard]] std::string_view next_list_element(std::string_view& text) noexcept;

}  // namespace tercel::http
