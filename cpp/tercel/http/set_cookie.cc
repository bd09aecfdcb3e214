#include "tercel/http/set_cookie.h"

#include <algorithm>
#include <charconv>

#include "tercel/base/assert.h"
#include "tercel/http/chars.h"
#include "tercel/http/date.h"

namespace tercel::http {
namespace {

// Every attribute with its longest value, but for the texts of the caller's.
constexpr std::string_view kLongest =
    "=; Max-Age=-9223372036854775808; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Domain=; Path="
    "; SameSite=Strict; Secure; HttpOnly; Partitioned";

constexpr CharSet kDomain{"-.", true};

// cookie-octet: visible ASCII but for quotes, comma, semicolon and backslash.
bool is_value_byte(char c) noexcept {
  return c > ' ' && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
}

bool valid_value(std::string_view value) noexcept {
  if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
    value = value.substr(1, value.size() - 2);
  }
  return std::all_of(value.begin(), value.end(), is_value_byte);
}

bool valid_domain(std::string_view domain) noexcept {
  return domain.size() <= kCookieAttributeBytesMax &&
         std::all_of(domain.begin(), domain.end(), [](char c) { return kDomain.has(c); });
}

bool valid_path(std::string_view path) noexcept {
  if (path.empty()) return true;
  return path.front() == '/' && path.size() <= kCookieAttributeBytesMax &&
         std::all_of(path.begin(), path.end(),
                     [](char c) { return c >= ' ' && c < 0x7f && c != ';'; }) &&
         !is_blank(path.back());
}

bool has_prefix(std::string_view name, std::string_view lower) noexcept {
  return equals_ignoring_case(name.substr(0, lower.size()), lower);
}

// What the attributes, and the prefix of the name, ask of each other.
bool consistent(const SetCookie& cookie) noexcept {
  const bool host = has_prefix(cookie.name, "__host-");
  const bool needs_secure = host || has_prefix(cookie.name, "__secure-") || cookie.partitioned ||
                            cookie.same_site == SameSite::kNone;
  if (needs_secure && !cookie.secure) return false;
  return !host || (cookie.domain.empty() && cookie.path == "/");
}

bool valid(const SetCookie& cookie) noexcept {
  return is_token(cookie.name) && valid_value(cookie.value) &&
         cookie.name.size() + cookie.value.size() <= kCookieBytesMax &&
         (!cookie.max_age || cookie.max_age->count() >= 0) && valid_domain(cookie.domain) &&
         valid_path(cookie.path) && consistent(cookie);
}

std::string_view text_of(SameSite same_site) noexcept {
  switch (same_site) {
    case SameSite::kStrict:
      return "; SameSite=Strict";
    case SameSite::kLax:
      return "; SameSite=Lax";
    case SameSite::kNone:
      return "; SameSite=None";
    case SameSite::kUnset:
      break;
  }
  return {};
}

char* put(char* out, std::string_view text) noexcept {
  return std::copy(text.begin(), text.end(), out);
}

}  // namespace

std::size_t set_cookie_bytes_max(const SetCookie& cookie) noexcept {
  return cookie.name.size() + cookie.value.size() + cookie.domain.size() + cookie.path.size() +
         kLongest.size();
}

Result<std::string_view> write_set_cookie(const SetCookie& cookie, std::span<char> out) noexcept {
  TERCEL_ASSERT(out.size() >= set_cookie_bytes_max(cookie));
  if (!valid(cookie)) return fail(Errc::kBadCookie);
  char* end = put(put(put(out.data(), cookie.name), "="), cookie.value);
  if (cookie.max_age) {
    end = put(end, "; Max-Age=");
    end = std::to_chars(end, out.data() + out.size(), cookie.max_age->count()).ptr;
  }
  if (cookie.expires) end = write_imf_fixdate(put(end, "; Expires="), *cookie.expires);
  if (!cookie.domain.empty()) end = put(put(end, "; Domain="), cookie.domain);
  if (!cookie.path.empty()) end = put(put(end, "; Path="), cookie.path);
  end = put(end, text_of(cookie.same_site));
  if (cookie.secure) end = put(end, "; Secure");
  if (cookie.http_only) end = put(end, "; HttpOnly");
  if (cookie.partitioned) end = put(end, "; Partitioned");
  return std::string_view{out.data(), static_cast<std::size_t>(end - out.data())};
}

}  // namespace tercel::http
