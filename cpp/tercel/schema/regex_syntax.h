// ECMA-262 patterns: are they well-formed, and how are they written for RE2.
//
// Read as with the flag `u`, as JSON Schema asks: characters are code points. Braces and brackets
// that are literals without that flag are taken for literals. docs/internals/schema.md has the
// table. What RE2 cannot do (look-around, back-references, repeats above kRepeatMax) is valid, but
// has no translation. Source: ECMA-262 section 22.2.1; JSON Schema 2020-12 core section 6.4.
// Tested by regex_syntax_test.cc and by the official suite.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tercel::schema {

enum class RegexVerdict : std::uint8_t { kTranslated, kUnsupported, kMalformed };

struct Translation {
  RegexVerdict verdict = RegexVerdict::kTranslated;
  std::string re2;          // When it is translated.
  std::size_t offset = 0;   // Of what is unsupported or malformed.
  std::string_view reason;  // What that is.
};

// RE2's own limit.
inline constexpr unsigned kRepeatMax = 1000;

// REQUIRES: valid UTF-8. Cost: linear.
[[nodiscard]] Translation translate_regex(std::string_view pattern);

}  // namespace tercel::schema
