#include "tercel/edge/log_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

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

}  // namespace tercel::edge
