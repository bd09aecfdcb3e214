#include "tercel/json/string_scan.h"

#include <array>
#include <cstring>
#include <string_view>

namespace tercel::json {
namespace {

constexpr int kNotHex = -1;

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char folded = static_cast<char>(c | 0x20);
  return folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : kNotHex;
}

// Four hex digits at `at`; kNotHex when they are not there.
int read_unit(const char* at, const char* end) noexcept {
  if (end - at < 4) return kNotHex;
  int unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_value(at[i]);
    if (digit == kNotHex) return kNotHex;
    unit = unit << 4 | digit;
  }
  return unit;
}

char* write_utf8(std::uint32_t c, char* out) noexcept {
  const auto put = [&out](std::uint32_t byte) { *out++ = static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
  return out;
}

// What one letter behind the backslash stands for; 0: nothing.
constexpr std::array<char, 128> make_short_escapes() noexcept {
  std::array<char, 128> escapes{};
  escapes['"'] = '"';
  escapes['\\'] = '\\';
  escapes['/'] = '/';
  escapes['b'] = '\b';
  escapes['f'] = '\f';
  escapes['n'] = '\n';
  escapes['r'] = '\r';
  escapes['t'] = '\t';
  return escapes;
}
constexpr auto kShortEscapes = make_short_escapes();

// The escape whose "\u" is at `at`, a pair of them for what is above U+FFFF. Advances both.
FaultKind unescape_unit(const char*& at, const char* end, char*& out) noexcept {
  const int high = read_unit(at + 2, end);
  if (high == kNotHex) return FaultKind::kBadEscape;
  if (high >= 0xDC00 && high <= 0xDFFF) return FaultKind::kLoneSurrogate;
  if (high < 0xD800 || high > 0xDBFF) {
    out = write_utf8(static_cast<std::uint32_t>(high), out);
    at += 6;
    return FaultKind::kNone;
  }
  const bool pair = end - at >= 12 && at[6] == '\\' && at[7] == 'u';
  const int low = pair ? read_unit(at + 8, end) : kNotHex;
  if (low < 0xDC00 || low > 0xDFFF) return FaultKind::kLoneSurrogate;
  out = write_utf8(static_cast<std::uint32_t>(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)),
                   out);
  at += 12;
  return FaultKind::kNone;
}

}  // namespace

Unescaped unescape(const char* at, const char* end, char* out) noexcept {
  for (;;) {
    const char* const mark = scan::find<StringMark>(at, end);
    const auto plain = static_cast<std::size_t>(mark - at);
    std::memcpy(out, at, plain);
    out += plain;
    at = mark;
    if (at == end || *at == '"') return {.out_end = out, .at = at};
    // The closing quote follows, so there is a byte behind the backslash.
    const auto letter = static_cast<unsigned char>(at[1]);
    if (letter == 'u') {
      const FaultKind fault = unescape_unit(at, end, out);
      if (fault != FaultKind::kNone) return {.at = at, .fault = fault};
      continue;
    }
    const char meaning = letter < kShortEscapes.size() ? kShortEscapes[letter] : '\0';
    if (meaning == '\0') return {.at = at, .fault = FaultKind::kBadEscape};
    *out++ = meaning;
    at += 2;
  }
}

}  // namespace tercel::json
