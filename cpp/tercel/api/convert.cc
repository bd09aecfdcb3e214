#include "tercel/api/convert.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "tercel/base/utf8.h"

namespace tercel::api {
namespace {

// So many digits fit std::int64_t whatever they are.
constexpr std::size_t kWordDigitsMax = 18;

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

std::optional<FailureKind> convert_integer(std::string_view text, json::Node* nodes) noexcept {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative ? 1 : 0);
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) {
    return FailureKind::kIntParsing;
  }
  if (digits.size() > kWordDigitsMax) {
    if (digits.size() > kIntegerDigitsMax) return FailureKind::kIntSize;
    if (!json::make_number(nodes, text)) return FailureKind::kIntParsing;
    return std::nullopt;
  }
  std::int64_t value = 0;
  for (const char digit : digits) value = value * 10 + (digit - '0');
  json::make_integer(nodes, negative ? -value : value);
  return std::nullopt;
}

std::optional<FailureKind> convert_number(std::string_view text, json::Node* nodes) noexcept {
  if (!json::make_number(nodes, text)) return FailureKind::kFloatParsing;
  const bool is_long = nodes->kind == json::Kind::kBigInteger && nodes->size > kIntegerDigitsMax;
  if (is_long) return FailureKind::kIntSize;
  if (!std::isfinite(json::Value{nodes}.float64())) return FailureKind::kFloatSize;
  return std::nullopt;
}

constexpr std::size_t kBooleanBytesMax = 5;

constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::optional<FailureKind> convert_boolean(std::string_view text, json::Node* nodes) noexcept {
  static constexpr std::string_view kTrue[] = {"true", "1", "yes", "on"};
  static constexpr std::string_view kFalse[] = {"false", "0", "no", "off"};
  if (text.size() > kBooleanBytesMax) return FailureKind::kBoolParsing;
  std::array<char, kBooleanBytesMax> lower{};
  std::transform(text.begin(), text.end(), lower.begin(), to_lower);
  const std::string_view word{lower.data(), text.size()};
  const auto is_word = [word](std::string_view known) { return known == word; };
  const bool is_true = std::any_of(std::begin(kTrue), std::end(kTrue), is_word);
  if (!is_true && std::none_of(std::begin(kFalse), std::end(kFalse), is_word)) {
    return FailureKind::kBoolParsing;
  }
  json::make_boolean(nodes, is_true);
  return std::nullopt;
}

}  // namespace

std::optional<FailureKind> convert(Type type, std::string_view text, json::Node* nodes) noexcept {
  switch (type) {
    case Type::kString:
    case Type::kFile:
      if (!is_utf8(text)) return FailureKind::kNotUnicode;
      json::make_string(nodes, text);
      return std::nullopt;
    case Type::kInteger:
      return convert_integer(text, nodes);
    case Type::kNumber:
      return convert_number(text, nodes);
    case Type::kBoolean:
      return convert_boolean(text, nodes);
  }
  return FailureKind::kNotUnicode;
}

}  // namespace tercel::api
