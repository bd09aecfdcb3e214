#include "tercel/config/values.h"

#include <array>

#include "tercel/base/parse_number.h"
#include "tercel/config/problem.h"

namespace tercel::config {
namespace {

struct Unit {
  std::string_view name;  // In lower case.
  std::uint64_t factor;
};

constexpr std::uint64_t kKilo = 1000;
// Larger units first: format() takes the first that divides.
constexpr std::array kByteUnits{
    Unit{"gib", 1024 * kMiB}, Unit{"mib", kMiB}, Unit{"kib", kKiB}, Unit{"gb", kKilo* kKilo* kKilo},
    Unit{"mb", kKilo* kKilo}, Unit{"kb", kKilo}, Unit{"b", 1}};
constexpr std::array kTimeUnits{Unit{"ms", 1}, Unit{"s", 1000}, Unit{"min", 60'000},
                                Unit{"h", 3'600'000}};
constexpr std::uint64_t kDurationMax = std::uint64_t{1} << 40;

// The digits (and a point, if `point`) that `text` begins with; the rest is the unit.
std::string_view number_part(std::string_view text, bool point) {
  std::size_t end = 0;
  while (end < text.size() &&
         ((text[end] >= '0' && text[end] <= '9') || (point && text[end] == '.'))) {
    ++end;
  }
  return text.substr(0, end);
}

// `digits` in steps of `unit`, if it is a number and the product is at most `max`.
std::optional<std::uint64_t> scaled(std::string_view digits, std::uint64_t unit,
                                    std::uint64_t max) {
  const auto number = parse_decimal(digits, max / unit);
  if (!number) return std::nullopt;
  return *number * unit;
}

// Seconds with up to three decimals, in milliseconds.
std::optional<std::uint64_t> parse_seconds(std::string_view text) {
  const std::size_t point = text.find('.');
  const auto whole = scaled(text.substr(0, point), 1000, kDurationMax);
  if (!whole || point == std::string_view::npos) return whole;
  std::string decimals{text.substr(point + 1)};
  if (decimals.empty() || decimals.size() > 3) return std::nullopt;
  decimals.resize(3, '0');
  const auto thousandths = parse_decimal(decimals);
  if (!thousandths) return std::nullopt;
  return *whole + *thousandths;
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShownMax = 80;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out{'"'};
  for (const char c : text.substr(0, kShownMax)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      out += c;
    } else {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  if (text.size() > kShownMax) out += "...";
  return out + '"';
}

std::optional<bool> parse_bool(std::string_view text) {
  const std::string word = lower(text);
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  return std::nullopt;
}

std::optional<Toggle> parse_toggle(std::string_view text) {
  if (lower(text) == "auto") return Toggle::kAuto;
  const auto on = parse_bool(text);
  if (!on) return std::nullopt;
  return *on ? Toggle::kOn : Toggle::kOff;
}

std::optional<Bytes> parse_bytes(std::string_view text) {
  const std::string_view digits = number_part(text, false);
  const std::string unit = lower(text.substr(digits.size()));
  if (unit.empty()) {
    const auto count = scaled(digits, 1, UINT64_MAX);
    return count ? std::optional{Bytes{*count}} : std::nullopt;
  }
  for (const Unit& known : kByteUnits) {
    if (unit != known.name) continue;
    const auto count = scaled(digits, known.factor, UINT64_MAX);
    return count ? std::optional{Bytes{*count}} : std::nullopt;
  }
  return std::nullopt;
}

std::optional<Duration> parse_duration(std::string_view text) {
  const std::string_view number = number_part(text, true);
  const std::string_view unit = text.substr(number.size());
  std::optional<std::uint64_t> ms;
  if (unit.empty() || unit == "s") {
    ms = parse_seconds(number);
  } else {
    for (const Unit& known : kTimeUnits) {
      if (unit == known.name) ms = scaled(number, known.factor, kDurationMax);
    }
  }
  if (!ms) return std::nullopt;
  return Duration{static_cast<Duration::rep>(*ms)};
}

std::optional<FileMode> parse_mode(std::string_view text) {
  if (text.substr(0, 2) == "0o") text.remove_prefix(2);
  if (text.empty() || text.size() > 4) return std::nullopt;
  std::uint32_t bits = 0;
  for (const char c : text) {
    if (c < '0' || c > '7') return std::nullopt;
    bits = bits * 8 + static_cast<std::uint32_t>(c - '0');
  }
  return bits <= 0777 ? std::optional{FileMode{bits}} : std::nullopt;
}

std::string format(Bytes value) {
  constexpr std::array<std::string_view, 3> kNames{"GiB", "MiB", "KiB"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const std::uint64_t factor = kByteUnits[i].factor;
    if (value.count >= factor && value.count % factor == 0) {
      return std::to_string(value.count / factor) + std::string{kNames[i]};
    }
  }
  return std::to_string(value.count);
}

std::string format(Duration value) {
  const auto ms = value.count();
  std::string out = std::to_string(ms / 1000);
  if (ms % 1000 == 0) return out;
  std::string decimals = std::to_string(1000 + ms % 1000).substr(1);
  while (decimals.back() == '0') decimals.pop_back();
  return out + '.' + decimals;
}

std::string format(FileMode value) {
  std::string out = "0";
  for (int shift = 6; shift >= 0; shift -= 3) {
    out += static_cast<char>('0' + ((value.bits >> shift) & 7));
  }
  return out;
}

}  // namespace tercel::config
