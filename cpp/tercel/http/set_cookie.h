// Writes the value of a Set-Cookie field.
//
//   const SetCookie cookie{.name = "session", .value = id, .path = "/", .http_only = true};
//   std::vector<char> room(set_cookie_bytes_max(cookie));
//   const Result<std::string_view> value = write_set_cookie(cookie, room);
//
// What a browser would drop without a word is refused here, with kBadCookie: a byte that the
// grammar does not allow, which could also end the value early; more bytes than browsers keep;
// attributes that contradict each other or the prefix of the name. Values are written as they are:
// who wants other bytes encodes them.
// Source: draft-ietf-httpbis-rfc6265bis sections 4.1 and 5.6; draft-cutler-httpbis-partitioned-
// cookies (CHIPS). Tested by set_cookie_test.cc, fuzzed by cookies_fuzz.cc, read by http.cookies in
// test_input_agrees.py.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/base/result.h"

namespace tercel::http {

enum class SameSite : std::uint8_t { kUnset, kStrict, kLax, kNone };

struct SetCookie {
  std::string_view name;                             // A token.
  std::string_view value;                            // May be empty, or stand in quotes.
  std::optional<std::chrono::seconds> max_age = {};  // Not negative; 0 deletes the cookie.
  std::optional<std::chrono::seconds> expires = {};  // Since 1970.
  std::string_view domain = {};                      // Empty: of this host alone.
  std::string_view path = {};  // Begins with '/'; empty: the request's folder.
  SameSite same_site = SameSite::kUnset;
  bool secure = false;
  bool http_only = false;
  bool partitioned = false;
};

// Browsers ignore a cookie whose name and value are longer, and an attribute that is.
inline constexpr std::size_t kCookieBytesMax = 4096;
inline constexpr std::size_t kCookieAttributeBytesMax = 1024;

// No value of write_set_cookie() is longer.
[[nodiscard]] std::size_t set_cookie_bytes_max(const SetCookie& cookie) noexcept;

// Returns the view of what was written to `out`. Fails with kBadCookie. REQUIRES: out.size() >=
// set_cookie_bytes_max(cookie).
[[nodiscard]] Result<std::string_view> write_set_cookie(const SetCookie& cookie,
                                                        std::span<char> out) noexcept;

}  // namespace tercel::http
