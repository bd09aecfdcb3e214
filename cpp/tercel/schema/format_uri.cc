// URIs and IRIs. Source: RFC 3986 appendix A; RFC 3987 section 2.2, where an IRI may have any
// character that is not ASCII, private or not.
#include "tercel/schema/format.h"
#include "tercel/schema/text.h"

namespace tercel::schema {
namespace {

enum class Charset : bool { kAscii, kAny };

constexpr std::string_view kSubDelims = "!$&'()*+,;=";

bool is_unreserved(char c) noexcept {
  return is_alphanumeric(c) || is_one_of(c, "-._~");
}

// Escapes, unreserved characters, sub-delims and `more`.
bool consists_of(std::string_view text, std::string_view more, Charset charset) noexcept {
  while (!text.empty()) {
    if (take_escape(text)) continue;
    const char c = text.front();
    const bool allowed = is_ascii(c)
                             ? is_unreserved(c) || is_one_of(c, kSubDelims) || is_one_of(c, more)
                             : charset == Charset::kAny;
    if (!allowed) return false;
    text.remove_prefix(1);
  }
  return true;
}

// RFC 3986 section 3.2.2: "v" HEXDIG+ "." and characters.
bool is_future_address(std::string_view text) noexcept {
  if (!take_char(text, 'v') && !take_char(text, 'V')) return false;
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const std::string_view version = text.substr(0, dot);
  const std::string_view rest = text.substr(dot + 1);
  return std::all_of(version.begin(), version.end(), is_hex) && !rest.empty() &&
         std::all_of(rest.begin(), rest.end(), [](char c) {
           return is_unreserved(c) || is_one_of(c, kSubDelims) || c == ':';
         });
}

bool is_authority(std::string_view text, Charset charset) noexcept {
  const std::size_t at = text.rfind('@');
  if (at != std::string_view::npos) {
    if (!consists_of(text.substr(0, at), ":", charset)) return false;
    text.remove_prefix(at + 1);
  }
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view address = text.substr(1, end - 1);
    if (!is_ipv6(address) && !is_future_address(address)) return false;
    text.remove_prefix(end + 1);
    return text.empty() || (take_char(text, ':') && all_digits(text));
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && !all_digits(text.substr(colon + 1))) return false;
  return consists_of(text.substr(0, colon), "", charset);
}

bool is_scheme(std::string_view text) noexcept {
  return !text.empty() && is_alpha(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || is_one_of(c, "+-."); });
}

// The part of `text` behind `mark`, which is cut off with it.
std::string_view cut(std::string_view& text, char mark) noexcept {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return {};
  const std::string_view part = text.substr(at + 1);
  text = text.substr(0, at);
  return part;
}

// Everything behind the scheme.
bool is_rest(std::string_view text, Charset charset) noexcept {
  const std::string_view fragment = cut(text, '#');
  const std::string_view query = cut(text, '?');
  if (!consists_of(fragment, ":@/?", charset) || !consists_of(query, ":@/?", charset)) return false;
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    if (!is_authority(take(text, std::min(text.find('/'), text.size())), charset)) return false;
  }
  return consists_of(text, ":@/", charset);
}

// The scheme in front of the first colon that is before any other delimiter; empty: none.
std::string_view scheme_of(std::string_view text) noexcept {
  const std::size_t end = text.find_first_of(":/?#");
  if (end == std::string_view::npos || text[end] != ':') return {};
  return text.substr(0, end);
}

bool is_absolute(std::string_view text, Charset charset) noexcept {
  const std::string_view scheme = scheme_of(text);
  return is_scheme(scheme) && is_rest(text.substr(scheme.size() + 1), charset);
}

bool is_reference(std::string_view text, Charset charset) noexcept {
  if (is_absolute(text, charset)) return true;
  // The first segment of a relative path has no colon: it would be a scheme.
  const std::size_t end = text.find_first_of(":/?#");
  return (end == std::string_view::npos || text[end] != ':') && is_rest(text, charset);
}

}  // namespace

bool is_uri(std::string_view text) noexcept {
  return is_absolute(text, Charset::kAscii);
}
bool is_uri_reference(std::string_view text) noexcept {
  return is_reference(text, Charset::kAscii);
}
bool is_iri(std::string_view text) noexcept {
  return is_absolute(text, Charset::kAny);
}
bool is_iri_reference(std::string_view text) noexcept {
  return is_reference(text, Charset::kAny);
}

}  // namespace tercel::schema
