// Percent-decoding and the small questions about URLs that a server asks.
//
// Source: RFC 3986. Tested by url_test.cc, fuzzed by url_fuzz.cc.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace tercel::http {

// Decodes %XX of `text` into `out` and returns the view of what was written; a '%' without two hex
// digits stays as it is. `out` may be the memory of `text`. REQUIRES: out.size() >= text.size().
[[nodiscard]] std::string_view percent_decode(std::string_view text, std::span<char> out) noexcept;

// True when every '%' is followed by two hex digits.
[[nodiscard]] bool valid_percent_encoding(std::string_view text) noexcept;

// host[:port] of RFC 3986 section 3.2 without userinfo: a registered name or IPv4 in allowed
// characters, or a bracketed IPv6 literal; port digits up to 65535, perhaps none after the colon.
[[nodiscard]] bool valid_authority(std::string_view text) noexcept;

}  // namespace tercel::http
