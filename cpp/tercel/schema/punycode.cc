#include "tercel/schema/punycode.h"

#include <algorithm>
#include <cstdint>

#include "tercel/schema/text.h"

namespace tercel::schema {
namespace {

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

}  // namespace

std::optional<Label> decode_punycode(std::string_view text) noexcept {
  Label label;
  const std::size_t hyphen = text.rfind('-');
  if (hyphen != std::string_view::npos) {
    for (const char c : take(text, hyphen)) {
      label.points[label.size++] = static_cast<unsigned char>(c);
    }
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

namespace {

// Appends a delta as a number of variable length. Returns false when there is no room.
bool put_delta(EncodedLabel& out, std::uint64_t delta, std::uint32_t bias) noexcept {
  for (std::uint32_t k = kBase;; k += kBase) {
    const std::uint32_t limit = threshold(k, bias);
    const bool last = delta < limit;
    const std::uint64_t digit = last ? delta : limit + (delta - limit) % (kBase - limit);
    if (out.size == out.bytes.size()) return false;
    out.bytes[out.size++] = static_cast<char>(digit < 26 ? 'a' + digit : '0' + (digit - 26));
    if (last) return true;
    delta = (delta - limit) / (kBase - limit);
  }
}

}  // namespace

// RFC 3492 section 6.3.
std::optional<EncodedLabel> encode_punycode(const Label& label) noexcept {
  EncodedLabel out;
  const char32_t* const end = label.points.data() + label.size;
  for (const char32_t* at = label.points.data(); at != end; ++at) {
    if (*at < kInitialPoint) out.bytes[out.size++] = static_cast<char>(*at);
  }
  const std::size_t basic = out.size;
  std::size_t done = basic;
  if (basic > 0) out.bytes[out.size++] = '-';
  std::uint64_t point = kInitialPoint;
  std::uint64_t delta = 0;
  std::uint32_t bias = kInitialBias;
  while (done < label.size) {
    char32_t next = kPointMax;
    for (const char32_t* at = label.points.data(); at != end; ++at) {
      if (*at >= point) next = std::min(next, *at);
    }
    delta += (next - point) * (done + 1);
    point = next;
    for (const char32_t* at = label.points.data(); at != end; ++at) {
      if (*at < point) ++delta;
      if (*at != point) continue;
      if (!put_delta(out, delta, bias)) return std::nullopt;
      bias = adapt(static_cast<std::uint32_t>(delta), static_cast<std::uint32_t>(done + 1),
                   done == basic);
      delta = 0;
      ++done;
    }
    ++delta;
    ++point;
  }
  return out;
}

}  // namespace tercel::schema
