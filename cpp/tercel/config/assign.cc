#include "tercel/config/assign.h"

#include <algorithm>
#include <type_traits>

#include "tercel/base/parse_number.h"

namespace tercel::config {
namespace {

template <typename T>
constexpr bool kIsChoice = std::is_enum_v<T> && !std::is_same_v<T, Toggle>;

bool in_range(const Row& row, std::uint64_t number) {
  return (number >= row.min && number <= row.max) || (number == 0 && !row.zero.empty());
}

// "off" is another way to write 0 where 0 is special: in a file it says what is meant.
std::string_view without_off(const Row& row, std::string_view text) {
  return text == "off" && !row.zero.empty() ? "0" : text;
}

bool follows_rule(const Row& row, std::string_view text) {
  return row.rule == nullptr || row.rule->accepts(text);
}

// One read() for each type of a member: the value of `text`, or nothing when `row` forbids it.

std::optional<bool> read(const Row&, std::string_view text, bool) {
  return parse_bool(text);
}

std::optional<Toggle> read(const Row&, std::string_view text, Toggle) {
  return parse_toggle(text);
}

std::optional<std::uint64_t> read(const Row& row, std::string_view text, std::uint64_t) {
  const auto number = parse_decimal(without_off(row, text));
  return number && in_range(row, *number) ? std::optional{*number} : std::nullopt;
}

std::optional<Bytes> read(const Row& row, std::string_view text, Bytes) {
  const auto size = parse_bytes(without_off(row, text));
  return size && in_range(row, size->count) ? size : std::nullopt;
}

std::optional<Duration> read(const Row& row, std::string_view text, Duration) {
  const auto time = parse_duration(without_off(row, text));
  return time && in_range(row, static_cast<std::uint64_t>(time->count())) ? time : std::nullopt;
}

std::optional<FileMode> read(const Row&, std::string_view text, FileMode) {
  return parse_mode(text);
}

std::optional<std::string> read(const Row& row, std::string_view text, const std::string&) {
  return follows_rule(row, text) ? std::optional{std::string{text}} : std::nullopt;
}

// What people write who come from elsewhere: the numbers of Python's ssl module, and the level of
// uvicorn below debug, which nothing is logged at here.
std::string_view known_as(CertReqs, std::string_view text) {
  constexpr std::string_view kNumbers = "012";
  const std::size_t number = text.size() == 1 ? kNumbers.find(text) : std::string_view::npos;
  return number == std::string_view::npos ? text : kCertReqsNames[number];
}

std::string_view known_as(LogLevel, std::string_view text) {
  return text == "trace" ? "debug" : text;
}

template <typename T>
std::string_view known_as(T, std::string_view text) {
  return text;
}

template <typename T>
requires kIsChoice<T> std::optional<T> read(const Row& row, std::string_view text, T member) {
  const std::string word = lower(text);
  const auto all = choices(row);
  const auto found = std::find(all.begin(), all.end(), known_as(member, word));
  if (found == all.end()) return std::nullopt;
  return static_cast<T>(found - all.begin());
}

std::string refusal(const Row& row, std::string_view label, std::string_view text) {
  return std::string{label} + " must be " + must_be(row) + ", not " + in_quotes(text) + '.';
}

Problem assign_list(Texts& list, const Row& row, std::span<const std::string_view> texts,
                    std::string_view label) {
  for (const std::string_view text : texts) {
    if (!follows_rule(row, text)) return refusal(row, label, text);
  }
  list.assign(texts.begin(), texts.end());
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace

Problem assign(Settings& settings, const Row& row, std::span<const std::string_view> texts,
               std::string_view label) {
  if (const auto* list = std::get_if<Texts Settings::*>(&row.member)) {
    return assign_list(settings.*(*list), row, texts, label);
  }
  if (texts.size() != 1) {
    return std::string{label} + " takes one value, not " + std::to_string(texts.size()) + '.';
  }
  const auto store = [&](auto member) {
    if constexpr (!std::is_same_v<decltype(member), Texts Settings::*>) {
      auto value = read(row, texts.front(), settings.*member);
      if (!value) return false;
      settings.*member = *std::move(value);
      return true;
    } else {
      return false;
    }
  };
  if (std::visit(store, row.member)) return std::nullopt;
  return refusal(row, label, texts.front());
}

std::vector<std::string_view> split(const Row& row, std::string_view text) {
  if (kind(row) != Kind::kList) return {text};
  if (trimmed(text).empty()) return {trimmed(text)};
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(row.separator);
    if (const auto part = trimmed(text.substr(0, end)); !part.empty()) parts.push_back(part);
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

Value value_of(const Settings& settings, const Row& row) {
  return std::visit(
      [&](auto member) -> Value {
        using T = std::remove_cvref_t<decltype(settings.*member)>;
        const T& value = settings.*member;
        if constexpr (std::is_same_v<T, Toggle>) {
          if (value == Toggle::kAuto) return std::monostate{};
          return value == Toggle::kOn;
        } else if constexpr (kIsChoice<T>) {
          return std::string{choices(row)[static_cast<std::size_t>(value)]};
        } else if constexpr (std::is_same_v<T, Bytes>) {
          return value.count;
        } else if constexpr (std::is_same_v<T, Duration>) {
          return std::chrono::duration<double>(value).count();
        } else if constexpr (std::is_same_v<T, FileMode>) {
          return std::uint64_t{value.bits};
        } else {
          return value;
        }
      },
      row.member);
}

Texts texts_of(const Settings& settings, const Row& row) {
  return std::visit(
      [&](auto member) -> Texts {
        using T = std::remove_cvref_t<decltype(settings.*member)>;
        const T& value = settings.*member;
        if constexpr (std::is_same_v<T, Texts>) {
          return value;
        } else if constexpr (std::is_same_v<T, std::string>) {
          return {value};
        } else if constexpr (std::is_same_v<T, bool>) {
          return {value ? "true" : "false"};
        } else if constexpr (std::is_same_v<T, Toggle>) {
          if (value == Toggle::kAuto) return {"auto"};
          return {value == Toggle::kOn ? "true" : "false"};
        } else if constexpr (kIsChoice<T>) {
          return {std::string{choices(row)[static_cast<std::size_t>(value)]}};
        } else if constexpr (std::is_same_v<T, std::uint64_t>) {
          return {std::to_string(value)};
        } else {
          return {format(value)};
        }
      },
      row.member);
}

}  // namespace tercel::config
