#include "tercel/route/arguments.h"

#include <algorithm>

namespace tercel::route {
namespace {

bool is_quote(char c) noexcept {
  return c == '"' || c == '\'';
}

void skip_blanks(std::string_view& text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
}

// Takes a value off the front of `text`. Nothing: there is none.
std::optional<std::string_view> take_value(std::string_view& text) noexcept {
  const bool quoted = !text.empty() && is_quote(text[0]);
  const std::size_t begin = quoted ? 1 : 0;
  const std::size_t end = quoted ? text.find(text[0], 1) : text.find_first_of(" ,='\"()");
  if (quoted && end == std::string_view::npos) return std::nullopt;
  const std::string_view value = text.substr(begin, std::min(end, text.size()) - begin);
  text.remove_prefix(std::min(end, text.size() - begin) + begin);
  if (value.empty() && !quoted) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::vector<Argument>> parse_arguments(std::string_view text) {
  std::vector<Argument> out;
  skip_blanks(text);
  while (!text.empty()) {
    if (!out.empty()) {
      if (text[0] != ',') return std::nullopt;
      text.remove_prefix(1);
      skip_blanks(text);
    }
    const bool quoted = !text.empty() && is_quote(text[0]);
    auto value = take_value(text);
    if (!value) return std::nullopt;
    skip_blanks(text);
    Argument argument{{}, *value};
    if (!quoted && text.starts_with('=')) {
      text.remove_prefix(1);
      skip_blanks(text);
      value = take_value(text);
      if (!value) return std::nullopt;
      argument = {argument.value, *value};
      skip_blanks(text);
    }
    out.push_back(argument);
  }
  return out;
}

std::size_t find_arguments_end(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ')') return i;
    if (!is_quote(text[i])) continue;
    i = text.find(text[i], i + 1);
    if (i == std::string_view::npos) break;
  }
  return std::string_view::npos;
}

}  // namespace tercel::route
