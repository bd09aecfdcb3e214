#include "tercel/route/converter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <system_error>
#include <vector>

#include "tercel/base/parse_number.h"
#include "tercel/base/percent.h"
#include "tercel/route/convert_time.h"

namespace tercel::route {
namespace {

constexpr std::size_t kUuidTextBytes = 36;

// Names of arguments, in the order in which they come without a name.
constexpr std::array<std::string_view, 2> kStrArguments{"min_length", "max_length"};
constexpr std::array<std::string_view, 3> kIntArguments{"num_digits", "min", "max"};
constexpr std::array<std::string_view, 2> kFloatArguments{"min", "max"};
constexpr std::array<std::string_view, 1> kDateTimeArguments{"format"};

struct Native {
  std::string_view name;
  ConverterKind kind;
  std::span<const std::string_view> arguments;
};
constexpr std::array<Native, 7> kNatives{
    {{"str", ConverterKind::kStr, kStrArguments},
     {"int", ConverterKind::kInt, kIntArguments},
     {"float", ConverterKind::kFloat, kFloatArguments},
     {"uuid", ConverterKind::kUuid, {}},
     {"date", ConverterKind::kDate, {}},
     {"datetime", ConverterKind::kDateTime, kDateTimeArguments},
     {"path", ConverterKind::kPath, {}}}};

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  constexpr std::uint64_t kMax = INT64_MAX;
  const auto magnitude = parse_decimal(text, negative ? kMax + 1 : kMax);
  if (!magnitude) return std::nullopt;
  return static_cast<std::int64_t>(negative ? 0 - *magnitude : *magnitude);
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// std::from_chars() knows infinities and hexadecimal digits, too: it gets what looks like a number.
std::optional<double> parse_number(std::string_view text) noexcept {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || !is_digit(digits.front())) return std::nullopt;
  const std::size_t dot = digits.find('.');
  if (dot != std::string_view::npos && (dot + 1 == digits.size() || !is_digit(digits[dot + 1]))) {
    return std::nullopt;
  }
  double value = 0;
  const auto end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

std::optional<std::uint32_t> parse_count(std::string_view text) noexcept {
  const auto count = parse_decimal(text, UINT32_MAX);
  if (!count) return std::nullopt;
  return static_cast<std::uint32_t>(*count);
}

template <typename T>
bool assign(T& to, const std::optional<T>& from) noexcept {
  if (from) to = *from;
  return from.has_value();
}

std::optional<Uuid> parse_uuid(std::string_view text) noexcept {
  if (text.size() != kUuidTextBytes) return std::nullopt;
  Uuid out;
  std::size_t at = 0;
  for (std::size_t byte = 0; byte < out.size(); ++byte, at += 2) {
    if ((byte == 4 || byte == 6 || byte == 8 || byte == 10) && text[at++] != '-') {
      return std::nullopt;
    }
    const int high = hex_value(text[at]);
    const int low = hex_value(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out[byte] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return out;
}

// Of UTF-8; elsewhere, bytes that could begin a character.
std::size_t count_characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

template <typename T>
bool store(const std::optional<T>& from, Value& value) noexcept {
  if (from) value = *from;
  return from.has_value();
}

}  // namespace

std::optional<Converter> Converter::make(std::string_view name, std::string_view arguments,
                                         UserConverters* users, std::string& problem) {
  Converter out;
  const auto native = std::find_if(kNatives.begin(), kNatives.end(),
                                   [&](const Native& each) { return each.name == name; });
  if (native == kNatives.end()) {
    const auto number = users == nullptr ? std::nullopt : users->bind(name, arguments, problem);
    if (!number && problem.empty()) problem = "is unknown: " + std::string{name};
    if (!number) return std::nullopt;
    out.kind_ = ConverterKind::kUser;
    out.user_number_ = *number;
    return out;
  }
  out.kind_ = native->kind;
  const auto parsed = parse_arguments(arguments);
  if (!parsed) problem = "has malformed arguments";
  for (std::size_t i = 0; parsed && problem.empty() && i < parsed->size(); ++i) {
    Argument argument = (*parsed)[i];
    if (argument.name.empty() && i < native->arguments.size()) argument.name = native->arguments[i];
    const auto same_name = [&](std::string_view each) { return each == argument.name; };
    const auto& names = native->arguments;
    if (std::find_if(names.begin(), names.end(), same_name) == names.end()) {
      problem = "takes no such argument: " +
                std::string{argument.name.empty() ? argument.value : argument.name};
    } else if (!out.set(argument)) {
      problem = "has a malformed " + std::string{argument.name};
    }
  }
  if (!problem.empty()) return std::nullopt;
  if (out.integer_min_ > out.integer_max_ || out.number_min_ > out.number_max_ ||
      out.length_min_ > out.length_max_) {
    problem = "has a minimum above its maximum";
    return std::nullopt;
  }
  return out;
}

bool Converter::set(const Argument& argument) {
  const auto& [name, value] = argument;
  limited_ = true;
  if (name == "min_length") return assign(length_min_, parse_count(value)) && length_min_ > 0;
  if (name == "max_length") return assign(length_max_, parse_count(value));
  if (name == "num_digits") return assign(num_digits_, parse_count(value)) && num_digits_ > 0;
  if (name == "format") {
    format_ = value;
    return valid_time_format(value);
  }
  const bool is_min = name == "min";
  if (kind_ == ConverterKind::kInt) {
    return assign(is_min ? integer_min_ : integer_max_, parse_integer(value));
  }
  return assign(is_min ? number_min_ : number_max_, parse_number(value));
}

bool Converter::convert_slowly(std::string_view text, Value& value,
                               UserConverters* users) const noexcept {
  switch (kind_) {
    case ConverterKind::kStr:
    case ConverterKind::kPath:
      value.emplace<std::monostate>();
      return kind_ == ConverterKind::kPath || has_right_length(text);
    case ConverterKind::kInt:
      return convert_integer(text, value);
    case ConverterKind::kFloat:
      return convert_number(text, value);
    case ConverterKind::kUuid:
      return store(parse_uuid(text), value);
    case ConverterKind::kDate:
      return store(parse_date(text), value);
    case ConverterKind::kDateTime:
      return store(format_.empty() ? parse_rfc3339(text) : parse_time(text, format_), value);
    case ConverterKind::kUser:
      return users != nullptr && store(users->convert(user_number_, text), value);
  }
  return false;
}

bool Converter::convert_integer(std::string_view text, Value& value) const noexcept {
  const std::size_t digits = text.size() - (text.starts_with('-') ? 1 : 0);
  if (num_digits_ != 0 && digits != num_digits_) return false;
  const auto integer = parse_integer(text);
  if (!integer || *integer < integer_min_ || *integer > integer_max_) return false;
  value = *integer;
  return true;
}

bool Converter::convert_number(std::string_view text, Value& value) const noexcept {
  const auto number = parse_number(text);
  if (!number || *number < number_min_ || *number > number_max_) return false;
  value = *number;
  return true;
}

bool Converter::has_right_length(std::string_view text) const noexcept {
  // The common case is decided without counting: a character has one to four bytes.
  if (text.size() < length_min_) return false;
  const std::size_t characters = count_characters(text);
  return characters >= length_min_ && characters <= length_max_;
}

}  // namespace tercel::route
