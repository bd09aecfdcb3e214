#include "tercel/schema/format.h"

#include <algorithm>
#include <array>

#include "tercel/schema/regex_syntax.h"
#include "tercel/schema/text.h"

namespace tercel::schema {
namespace {

struct Row {
  std::string_view name;
  bool (*check)(std::string_view) noexcept;
};
#define TERCEL_SCHEMA_ROW(enumerator, name, check) {name, check},
constexpr Row kTable[] = {TERCEL_SCHEMA_FORMATS(TERCEL_SCHEMA_ROW)};
#undef TERCEL_SCHEMA_ROW

// RFC 6570 section 2.2.
constexpr std::string_view kOperators = "+#./;?&";
constexpr std::size_t kPrefixDigitsMax = 4;

// RFC 6570 section 2.1.
bool is_template_literal(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x80) return true;
  return byte > 0x20 && byte != 0x7F &&
         std::string_view{"\"%<>\\^`{|}"}.find(c) == std::string_view::npos;
}

bool is_varname(std::string_view name) noexcept {
  bool dotted = true;  // A dot, or the beginning, was before.
  while (!name.empty()) {
    if (name.front() == '.') {
      if (dotted) return false;
      dotted = true;
      name.remove_prefix(1);
      continue;
    }
    if (!take_escape(name)) {
      if (!is_alphanumeric(name.front()) && name.front() != '_') return false;
      name.remove_prefix(1);
    }
    dotted = false;
  }
  return !dotted;
}

bool is_varspec(std::string_view spec) noexcept {
  if (spec.ends_with('*')) return is_varname(spec.substr(0, spec.size() - 1));
  const std::size_t colon = spec.find(':');
  if (colon == std::string_view::npos) return is_varname(spec);
  const std::string_view length = spec.substr(colon + 1);
  return is_varname(spec.substr(0, colon)) && !length.empty() &&
         length.size() <= kPrefixDigitsMax && length.front() != '0' && all_digits(length);
}

bool is_expression(std::string_view text) noexcept {
  if (!text.empty() && kOperators.find(text.front()) != std::string_view::npos) {
    text.remove_prefix(1);
  }
  for (;;) {
    const std::size_t comma = text.find(',');
    if (!is_varspec(text.substr(0, comma))) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

std::optional<Format> find_format(std::string_view name) noexcept {
  const auto* const row = std::find_if(std::begin(kTable), std::end(kTable),
                                       [name](const Row& each) { return each.name == name; });
  if (row == std::end(kTable)) return std::nullopt;
  return static_cast<Format>(row - std::begin(kTable));
}

bool has_format(std::string_view text, Format format) noexcept {
  return kTable[static_cast<std::size_t>(format)].check(text);
}

bool is_uuid(std::string_view text) noexcept {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return text.size() == kForm.size() &&
         std::equal(text.begin(), text.end(), kForm.begin(),
                    [](char c, char form) { return form == '-' ? c == '-' : is_hex(c); });
}

bool is_json_pointer(std::string_view text) noexcept {
  if (!text.empty() && text.front() != '/') return false;
  for (std::size_t at = text.find('~'); at != std::string_view::npos; at = text.find('~', at + 1)) {
    if (at + 1 == text.size() || (text[at + 1] != '0' && text[at + 1] != '1')) return false;
  }
  return true;
}

bool is_relative_json_pointer(std::string_view text) noexcept {
  const auto number = [&text] {
    const std::string_view digits = take_digits(text);
    return !digits.empty() && (digits.size() == 1 || digits.front() != '0');
  };
  if (!number()) return false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    text.remove_prefix(1);
    if (!number()) return false;
  }
  return text == "#" || is_json_pointer(text);
}

bool is_regex(std::string_view text) noexcept {
  return translate_regex(text).verdict != RegexVerdict::kMalformed;
}

bool is_uri_template(std::string_view text) noexcept {
  while (!text.empty()) {
    if (text.front() == '{') {
      const std::size_t end = text.find('}');
      if (end == std::string_view::npos || !is_expression(text.substr(1, end - 1))) return false;
      text.remove_prefix(end + 1);
    } else if (!take_escape(text)) {
      if (!is_template_literal(text.front())) return false;
      text.remove_prefix(1);
    }
  }
  return true;
}

}  // namespace tercel::schema
