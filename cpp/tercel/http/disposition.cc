#include "tercel/http/disposition.h"

#include <algorithm>

#include "tercel/http/chars.h"

namespace tercel::http {
namespace {

constexpr CharSet kAttributeChar{"!#$&+-.^_`|~", true};  // RFC 8187 section 3.2.1.

bool is_control(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

bool is_plain(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\' && c != '%';
}

}  // namespace

std::string attachment(std::string_view filename) {
  if (const auto folder = filename.find_last_of("/\\"); folder != std::string_view::npos) {
    filename.remove_prefix(folder + 1);
  }
  std::string value = "attachment";
  if (filename.empty()) return value;
  value += "; filename=\"";
  // A character of several bytes is one underscore.
  for (const char c : filename) {
    if ((static_cast<unsigned char>(c) & 0xc0) == 0x80) continue;
    value += is_plain(c) ? c : '_';
  }
  value += '"';
  if (std::all_of(filename.begin(), filename.end(), is_plain)) return value;
  value += "; filename*=UTF-8''";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : filename) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_control(c)) {
      value += '_';
    } else if (kAttributeChar.has(c)) {
      value += c;
    } else {
      value += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return value;
}

}  // namespace tercel::http
