#include "tercel/http/range.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "tercel/base/assert.h"
#include "tercel/base/parse_number.h"
#include "tercel/http/chars.h"

namespace tercel::http {
namespace {

constexpr std::size_t kDigitsMax = 20;  // Of 2^64 - 1.

// One element of the list, before it is held against a representation.
struct Spec {
  std::optional<std::uint64_t> first;  // Nothing: a suffix.
  std::optional<std::uint64_t> last;   // Of a suffix: its size. Nothing: to the end.
};

// What does not fit is beyond every representation, as is the largest number that does.
std::optional<std::uint64_t> parse_position(std::string_view text) noexcept {
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
  if (!digits) return std::nullopt;
  const auto number = parse_decimal(text);
  return number ? *number : UINT64_MAX;
}

// Nothing: malformed.
std::optional<Spec> parse_spec(std::string_view text) noexcept {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view before = text.substr(0, dash);
  const std::string_view behind = text.substr(dash + 1);
  Spec spec;
  if (!before.empty()) {
    spec.first = parse_position(before);
    if (!spec.first) return std::nullopt;
    if (behind.empty()) return spec;
  }
  spec.last = parse_position(behind);
  if (!spec.last || (spec.first && *spec.first > *spec.last)) return std::nullopt;
  return spec;
}

// The bytes that `spec` means; nothing: it means none. REQUIRES: size > 0.
std::optional<ByteRange> resolve(const Spec& spec, std::uint64_t size) noexcept {
  if (!spec.first) {
    if (*spec.last == 0) return std::nullopt;
    return ByteRange{size - std::min(*spec.last, size), size - 1};
  }
  if (*spec.first >= size) return std::nullopt;
  return ByteRange{*spec.first, std::min(spec.last.value_or(size - 1), size - 1)};
}

// Takes "bytes=" off the front of `value`.
bool take_unit(std::string_view& value) noexcept {
  constexpr std::string_view kUnit = "bytes=";
  if (!equals_ignoring_case(value.substr(0, kUnit.size()), kUnit)) return false;
  value.remove_prefix(kUnit.size());
  return true;
}

char* put(char* out, std::string_view text) noexcept {
  return std::copy(text.begin(), text.end(), out);
}

char* put(char* out, std::uint64_t number) noexcept {
  return std::to_chars(out, out + kDigitsMax, number).ptr;
}

}  // namespace

void ByteRanges::add(ByteRange range) noexcept {
  TERCEL_ASSERT(count_ < kRangesMax);
  // Those that end before it, with a gap; those that it joins; those that begin behind it, with a
  // gap. No sum wraps: the last byte of all has a number below 2^64 - 1.
  auto* const end = ranges_.data() + count_;
  auto* const from = std::find_if(
      ranges_.data(), end, [&](const ByteRange& other) { return other.last + 1 >= range.first; });
  auto* const to =
      std::find_if(from, end, [&](const ByteRange& other) { return other.first > range.last + 1; });
  if (from == to) {
    std::move_backward(from, end, end + 1);
    *from = range;
    ++count_;
    return;
  }
  from->first = std::min(from->first, range.first);
  from->last = std::max((to - 1)->last, range.last);
  count_ = static_cast<std::size_t>(std::move(to, end, from + 1) - ranges_.data());
}

RangeVerdict parse_range(std::string_view value, std::uint64_t size, ByteRanges& ranges) noexcept {
  ranges.clear();
  if (!take_unit(value)) return RangeVerdict::kWhole;
  std::size_t specs = 0;
  bool suffix_of_nothing = false;
  while (!value.empty()) {
    const std::string_view element = next_element(value);
    if (element.empty()) continue;
    const auto spec = parse_spec(element);
    if (!spec || ++specs > kRangesMax) {
      ranges.clear();
      return RangeVerdict::kWhole;
    }
    if (size == 0) {
      suffix_of_nothing = suffix_of_nothing || (!spec->first && *spec->last > 0);
    } else if (const auto range = resolve(*spec, size)) {
      ranges.add(*range);
    }
  }
  // A suffix of what is empty is satisfied by it, and no Content-Range can say so.
  if (specs == 0 || suffix_of_nothing) return RangeVerdict::kWhole;
  return ranges.all().empty() ? RangeVerdict::kUnsatisfiable : RangeVerdict::kPartial;
}

char* write_content_range(char* out, ByteRange range, std::uint64_t size) noexcept {
  out = put(put(out, "bytes "), range.first);
  out = put(put(out, "-"), range.last);
  return put(put(out, "/"), size);
}

char* write_unsatisfied_range(char* out, std::uint64_t size) noexcept {
  return put(put(out, "bytes */"), size);
}

}  // namespace tercel::http
