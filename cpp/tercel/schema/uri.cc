#include "tercel/schema/uri.h"

#include <algorithm>

#include "tercel/base/parse_number.h"

namespace tercel::schema {
namespace {

// The five parts of RFC 3986 appendix B, those in front and behind with their delimiters.
struct Parts {
  std::string_view scheme;     // "http:"
  std::string_view authority;  // "//host"
  std::string_view path;
  std::string_view query;  // "?a"
  std::string_view fragment;
};

bool is_scheme(std::string_view text) noexcept {
  const auto letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  if (text.empty() || !letter(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [letter](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
}

std::string_view take(std::string_view& text, std::size_t size) noexcept {
  const std::string_view part = text.substr(0, size);
  text.remove_prefix(part.size());
  return part;
}

Parts split(std::string_view text) noexcept {
  Parts parts;
  const std::size_t fragment = text.find('#');
  if (fragment != std::string_view::npos) {
    parts.fragment = text.substr(fragment);
    text = text.substr(0, fragment);
  }
  const std::size_t query = text.find('?');
  if (query != std::string_view::npos) {
    parts.query = text.substr(query);
    text = text.substr(0, query);
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && is_scheme(text.substr(0, colon))) {
    parts.scheme = take(text, colon + 1);
  }
  if (text.starts_with("//")) {
    parts.authority = take(text, std::min(text.find('/', 2), text.size()));
  }
  parts.path = text;
  return parts;
}

// RFC 3986 section 5.2.4.
std::string remove_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);
    const bool last = end == path.size();
    if (segment == "/." || segment == ".") {
      if (last) out += '/';
    } else if (segment == "/.." || segment == "..") {
      out.resize(out.rfind('/') == std::string::npos ? 0 : out.rfind('/'));
      if (last) out += '/';
    } else {
      out += segment;
    }
    path.remove_prefix(end);
  }
  return out;
}

std::string merged_path(const Parts& base, std::string_view path) {
  if (!base.authority.empty() && base.path.empty()) return "/" + std::string{path};
  const std::size_t slash = base.path.rfind('/');
  const std::string_view folder =
      slash == std::string_view::npos ? std::string_view{} : base.path.substr(0, slash + 1);
  return std::string{folder}.append(path);
}

std::string join(const Parts& parts, std::string_view path) {
  std::string uri{parts.scheme};
  return uri.append(parts.authority).append(path).append(parts.query).append(parts.fragment);
}

}  // namespace

std::string resolve_uri(std::string_view base_text, std::string_view reference) {
  Parts parts = split(reference);
  const Parts base = split(base_text);
  const bool hierarchical = base.path.starts_with('/') || !base.authority.empty();
  if (!parts.scheme.empty()) {
    const bool rooted = !parts.authority.empty() || parts.path.starts_with('/');
    return join(parts, rooted ? remove_dot_segments(parts.path) : std::string{parts.path});
  }
  if (parts.path.empty() && parts.authority.empty()) {
    if (parts.query.empty()) parts.query = base.query;
    parts.authority = base.authority;
    parts.scheme = base.scheme;
    return join(parts, base.path);
  }
  if (!hierarchical) return std::string{reference};
  parts.scheme = base.scheme;
  if (!parts.authority.empty()) return join(parts, remove_dot_segments(parts.path));
  parts.authority = base.authority;
  if (parts.path.starts_with('/')) return join(parts, remove_dot_segments(parts.path));
  return join(parts, remove_dot_segments(merged_path(base, parts.path)));
}

SplitUri split_fragment(std::string_view uri) noexcept {
  const std::size_t at = uri.find('#');
  if (at == std::string_view::npos) return {.document = uri, .fragment = {}};
  return {.document = uri.substr(0, at), .fragment = uri.substr(at + 1)};
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size();
    const Result<std::uint64_t> byte = parse_hex(escape ? text.substr(i + 1, 2) : "");
    out += byte ? static_cast<char>(*byte) : text[i];
    i += byte ? 2 : 0;
  }
  return out;
}

}  // namespace tercel::schema
