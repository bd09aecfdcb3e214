#include "tercel/edge/log_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "tercel/base/utf8.h"

namespace tercel::edge {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

// Bytes that stay as they are in both forms: printable ASCII without '"' and '\'.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0x20; byte < 0x7F; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}();

bool is_plain(char c) noexcept {
  return kPlain[static_cast<unsigned char>(c)];
}

struct Character {
  std::uint32_t code_point;
  std::size_t bytes;
};

// The first one. REQUIRES: !text.empty().
Character take_character(std::string_view text) noexcept {
  constexpr Character kNone{0xFFFD, 1};
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (text.size() < bytes || !is_utf8(text.substr(0, bytes))) return kNone;
  std::uint32_t code_point = lead & (0xFFU >> (bytes + 1));
  for (const char c : text.substr(1, bytes - 1)) {
    code_point = code_point << 6 | (static_cast<unsigned char>(c) & 0x3FU);
  }
  return {code_point, bytes};
}

}  // namespace

void LogLine::put(std::string_view text) noexcept {
  std::memcpy(next_, text.data(), text.size());
  next_ += text.size();
}

void LogLine::put_number(std::uint64_t number) noexcept {
  next_ = std::to_chars(next_, next_ + kNumberBytesMax, number).ptr;
}

void LogLine::put_decimal(std::uint64_t number, int decimals) noexcept {
  std::uint64_t unit = 1;
  for (int i = 0; i < decimals; ++i) unit *= 10;
  put_number(number / unit);
  put('.');
  for (std::uint64_t rest = number % unit; unit > 1; rest %= unit) {
    unit /= 10;
    put(static_cast<char>('0' + rest / unit));
  }
}

void LogLine::put_escaped(std::string_view text, Escape escape) noexcept {
  if (escape == Escape::kJson) put('"');
  while (!text.empty()) {
    const auto stop = std::find_if_not(text.begin(), text.end(), is_plain);
    const auto plain = static_cast<std::size_t>(stop - text.begin());
    put(text.substr(0, plain));
    if (plain == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[plain]);
    put('\\');
    if (byte == '"' || byte == '\\') {
      put(text[plain]);
    } else {
      put(escape == Escape::kJson ? std::string_view{"u00"} : std::string_view{"x"});
      put(kHex[byte >> 4]);
      put(kHex[byte & 15]);
    }
    text.remove_prefix(plain + 1);
  }
  if (escape == Escape::kJson) put('"');
}

void LogLine::put_code_point(std::uint32_t code_point) noexcept {
  constexpr std::uint32_t kFirstAbove16Bits = 0x10000;
  if (code_point >= kFirstAbove16Bits) {
    const std::uint32_t rest = code_point - kFirstAbove16Bits;
    put_code_point(0xD800 + (rest >> 10));
    code_point = 0xDC00 + (rest & 0x3FF);
  }
  put(std::string_view{"\\u"});
  for (int shift = 12; shift >= 0; shift -= 4) put(kHex[code_point >> shift & 15]);
}

void LogLine::put_utf8(std::string_view text) noexcept {
  put('"');
  while (!text.empty()) {
    const auto stop = std::find_if_not(text.begin(), text.end(), is_plain);
    put(text.substr(0, static_cast<std::size_t>(stop - text.begin())));
    text.remove_prefix(static_cast<std::size_t>(stop - text.begin()));
    if (text.empty()) break;
    if (text[0] == '"' || text[0] == '\\') {
      put('\\');
      put(text[0]);
      text.remove_prefix(1);
      continue;
    }
    const Character character = take_character(text);
    put_code_point(character.code_point);
    text.remove_prefix(character.bytes);
  }
  put('"');
}

}  // namespace tercel::edge
