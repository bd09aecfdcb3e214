// The small questions about URLs that a server asks. Percent-encoding is base/percent.h.
//
// Source: RFC 3986. Tested by url_test.cc, fuzzed by url_fuzz.cc.
#pragma once

#include <string_view>

namespace tercel::http {

// host[:port] of RFC 3986 section 3.2 without userinfo: a registered name or IPv4 in allowed
// characters, or a bracketed IPv6 literal; port digits up to 65535, perhaps none after the colon.
[[nodiscard]] bool valid_authority(std::string_view text) noexcept;

}  // namespace tercel::http
