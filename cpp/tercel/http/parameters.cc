#include "tercel/http/parameters.h"

#include <algorithm>

#include "tercel/base/assert.h"
#include "tercel/http/chars.h"

namespace tercel::http {
namespace {

// Bytes of `text` before the quote that ends a quoted string; npos: it does not end.
std::size_t quoted_bytes(std::string_view text) noexcept {
  std::size_t at = text.find_first_of("\\\"");
  while (at < text.size() && text[at] == '\\') at = text.find_first_of("\\\"", at + 2);
  return at;
}

std::string_view take_token(std::string_view& text) noexcept {
  const auto stop =
      std::find_if_not(text.begin(), text.end(), [](char c) { return kToken.has(c); });
  const std::string_view token = text.substr(0, static_cast<std::size_t>(stop - text.begin()));
  text.remove_prefix(token.size());
  return token;
}

bool escapes(char c, Backslash backslash) noexcept {
  return backslash == Backslash::kEscapesAll || c == '"' || c == '\\';
}

}  // namespace

Parameters::Next Parameters::next(Parameter& parameter) noexcept {
  for (;;) {
    rest_ = trim_blanks(rest_);
    if (rest_.empty()) return Next::kEnd;
    if (rest_.front() != ';') return Next::kBad;
    rest_.remove_prefix(1);
    rest_ = trim_blanks(rest_);
    if (!rest_.empty() && rest_.front() != ';') break;
  }
  parameter.name = take_token(rest_);
  if (parameter.name.empty() || !rest_.starts_with('=')) return Next::kBad;
  rest_.remove_prefix(1);
  parameter.quoted = rest_.starts_with('"');
  if (!parameter.quoted) {
    parameter.value = take_token(rest_);
    return Next::kParameter;
  }
  rest_.remove_prefix(1);
  const std::size_t bytes = quoted_bytes(rest_);
  if (bytes >= rest_.size()) return Next::kBad;
  parameter.value = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes + 1);
  return Next::kParameter;
}

std::string_view unescape(std::string_view inside, std::span<char> out,
                          Backslash backslash) noexcept {
  TERCEL_ASSERT(out.size() >= inside.size());
  char* end = out.data();
  for (std::size_t i = 0; i < inside.size(); ++i) {
    const bool escape =
        inside[i] == '\\' && i + 1 < inside.size() && escapes(inside[i + 1], backslash);
    if (escape) ++i;
    *end++ = inside[i];
  }
  return {out.data(), static_cast<std::size_t>(end - out.data())};
}

bool value_is(const Parameter& parameter, std::string_view lower) noexcept {
  std::size_t at = 0;
  for (std::size_t i = 0; i < parameter.value.size(); ++i, ++at) {
    const bool escape = parameter.quoted && parameter.value[i] == '\\';
    if (escape && i + 1 < parameter.value.size()) ++i;
    if (at == lower.size() || to_lower(parameter.value[i]) != lower[at]) return false;
  }
  return at == lower.size();
}

std::string_view next_list_element(std::string_view& text) noexcept {
  std::size_t at = text.find_first_of(",\"");
  while (at < text.size() && text[at] == '"') {
    const std::size_t inside = quoted_bytes(text.substr(at + 1));
    at = inside == std::string_view::npos ? inside : text.find_first_of(",\"", at + inside + 2);
  }
  const std::string_view element = text.substr(0, at);
  text = at < text.size() ? text.substr(at + 1) : std::string_view{};
  return trim_blanks(element);
}

}  // namespace tercel::http
