#include "tercel/schema/idna.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "tercel/schema/format.h"
#include "tercel/schema/text.h"

namespace tercel::schema {
namespace {

constexpr std::size_t kLabelBytesMax = 63;
constexpr std::size_t kNameBytesMax = 253;

// A label as its characters. No label has more of them than bytes.
struct Label {
  std::array<char32_t, kLabelBytesMax + 1> points;
  std::size_t size = 0;
};

// RFC 3492 section 5.
constexpr std::uint32_t kBase = 36;
constexpr std::uint32_t kThresholdMin = 1;
constexpr std::uint32_t kThresholdMax = 26;
constexpr std::uint32_t kSkew = 38;
constexpr std::uint32_t kDamp = 700;
constexpr std::uint32_t kInitialBias = 72;
constexpr std::uint32_t kInitialPoint = 128;
constexpr std::uint32_t kPointMax = 0x10FFFF;

std::uint32_t adapt(std::uint32_t delta, std::uint32_t points, bool first) noexcept {
  delta = first ? delta / kDamp : delta / 2;
  delta += delta / points;
  std::uint32_t k = 0;
  for (; delta > (kBase - kThresholdMin) * kThresholdMax / 2; k += kBase) {
    delta /= kBase - kThresholdMin;
  }
  return k + (kBase - kThresholdMin + 1) * delta / (delta + kSkew);
}

std::uint32_t threshold(std::uint32_t k, std::uint32_t bias) noexcept {
  return k <= bias ? kThresholdMin : std::min(k - bias, kThresholdMax);
}

std::uint32_t digit_value(char c) noexcept {
  if (is_digit(c)) return static_cast<std::uint32_t>(c - '0') + 26;
  return is_alpha(c) ? static_cast<std::uint32_t>((c | 0x20) - 'a') : kBase;
}

// The next delta, a number of variable length. Advances `text`. Nothing: malformed, or too large.
std::optional<std::uint32_t> take_delta(std::string_view& text, std::uint32_t bias) noexcept {
  std::uint64_t value = 0;
  std::uint64_t weight = 1;
  for (std::uint32_t k = kBase;; k += kBase) {
    if (text.empty()) return std::nullopt;
    const std::uint32_t digit = digit_value(take(text, 1).front());
    value += digit * weight;
    if (digit == kBase || value > UINT32_MAX) return std::nullopt;
    const std::uint32_t limit = threshold(k, bias);
    if (digit < limit) return static_cast<std::uint32_t>(value);
    weight *= kBase - limit;
    if (weight > UINT32_MAX) return std::nullopt;
  }
}

// RFC 3492 section 6.2. `text` is what follows "xn--".
std::optional<Label> decode(std::string_view text) noexcept {
  Label label;
  const std::size_t hyphen = text.rfind('-');
  if (hyphen != std::string_view::npos) {
    for (const char c : take(text, hyphen))
      label.points[label.size++] = static_cast<unsigned char>(c);
    text.remove_prefix(1);
  }
  std::uint64_t point = kInitialPoint;
  std::uint64_t index = 0;
  std::uint32_t bias = kInitialBias;
  for (bool first = true; !text.empty(); first = false) {
    const std::optional<std::uint32_t> delta = take_delta(text, bias);
    if (!delta || label.size == label.points.size()) return std::nullopt;
    index += *delta;
    const std::uint64_t places = label.size + 1;
    bias = adapt(*delta, static_cast<std::uint32_t>(places), first);
    point += index / places;
    index %= places;
    if (point > kPointMax) return std::nullopt;
    char32_t* const at = label.points.data() + index;
    std::copy_backward(at, label.points.data() + label.size, label.points.data() + label.size + 1);
    *at = static_cast<char32_t>(point);
    ++label.size;
    ++index;
  }
  return label;
}

}  // namespace

bool is_valid_a_label(std::string_view label) noexcept {
  const std::optional<Label> decoded = decode(label.substr(4));
  return decoded && std::any_of(decoded->points.data(), decoded->points.data() + decoded->size,
                                [](char32_t c) { return c >= 0x80; });
}

bool is_lenient_idn_hostname(std::string_view text) noexcept {
  if (text.empty() || text.size() > 4 * kNameBytesMax) return false;
  for (;;) {
    const std::size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    const bool plain = std::all_of(label.begin(), label.end(), [](char c) {
      return is_alphanumeric(c) || c == '-' || !is_ascii(c);
    });
    if (label.empty() || !plain || label.front() == '-' || label.back() == '-') return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_idn_hostname(std::string_view text) noexcept {
  return is_lenient_idn_hostname(text);
}

}  // namespace tercel::schema
