#include "tercel/http/query.h"

#include <algorithm>

#include "tercel/base/assert.h"
#include "tercel/base/percent.h"
#include "tercel/base/utf8.h"
#include "tercel/http/scan.h"

namespace tercel::http {
namespace {

// What needs a look in a pair: its ends, and what may have to be decoded or is not ASCII.
struct PairMark {
  static constexpr bool stops(std::uint8_t c) noexcept {
    return c == '&' || c == '=' || c == '+' || c == '%' || c >= 0x80;
  }
#ifdef TERCEL_SCAN_BLOCKS
  static scan::Block stops(scan::Block b) noexcept {
    return b.is('&') | b.is('=') | b.is('+') | b.is('%') | b.within(0x80, 0xff);
  }
#endif
};

struct PairEnd {
  static constexpr bool stops(std::uint8_t c) noexcept { return c == '&' || c == '='; }
#ifdef TERCEL_SCAN_BLOCKS
  static scan::Block stops(scan::Block b) noexcept {
    return b.is('&') | b.is('=');
  }
#endif
};

enum class Half : std::uint8_t { kName, kValue };

struct Part {
  std::string_view text;
  bool plain;  // ASCII, with nothing to decode.
};

// The part that `rest` begins with: a name ends at '=' or '&', a value at '&'.
Part first_part(std::string_view rest, Half half) noexcept {
  const char* const end = rest.data() + rest.size();
  const char* at = scan::find<PairMark>(rest.data(), end);
  if (half == Half::kValue) {
    while (at != end && *at == '=') at = scan::find<PairMark>(at + 1, end);
  }
  const bool plain = at == end || *at == '&' || *at == '=';
  if (!plain) {
    // Marks may be dense from here on: only the end is looked for.
    at = half == Half::kName ? scan::find<PairEnd>(at, end) : std::find(at, end, '&');
  }
  return {{rest.data(), static_cast<std::size_t>(at - rest.data())}, plain};
}

}  // namespace

Result<void> QueryPairs::decode(std::string_view& part, bool& is_utf8) noexcept {
  const bool escaped = part.find('%') != std::string_view::npos;
  if (escapes_ == Escapes::kStrict && !valid_percent_encoding(part)) return fail(Errc::kBadQuery);
  if (escaped || part.find('+') != std::string_view::npos) {
    // At its own place in the scratch, so that the parts of all pairs stay valid.
    const auto offset = static_cast<std::size_t>(part.data() - text_.data());
    const std::span<char> out = scratch_.subspan(offset, part.size());
    std::transform(part.begin(), part.end(), out.begin(),
                   [](char c) { return c == '+' ? ' ' : c; });
    part = {out.data(), out.size()};
    if (escaped) part = percent_decode(part, out);
  }
  is_utf8 = tercel::is_utf8(part);
  return {};
}

Result<bool> QueryPairs::next(QueryPair& pair) noexcept {
  TERCEL_ASSERT(scratch_.size() >= text_.size());
  if (text_.size() > limits_.bytes_max) return fail(Errc::kFormTooLarge);
  rest_.remove_prefix(std::min(rest_.find_first_not_of('&'), rest_.size()));
  if (rest_.empty()) return false;
  if (++pairs_ > limits_.pairs_max) return fail(Errc::kTooManyPairs);

  const Part name = first_part(rest_, Half::kName);
  rest_.remove_prefix(name.text.size());
  Part value{{}, true};
  if (rest_.starts_with('=')) {
    rest_.remove_prefix(1);
    value = first_part(rest_, Half::kValue);
    rest_.remove_prefix(value.text.size());
  }

  pair = {name.text, value.text};
  if (!name.plain) {
    if (auto done = decode(pair.name, pair.name_is_utf8); !done) return fail(done.error());
  }
  if (!value.plain) {
    if (auto done = decode(pair.value, pair.value_is_utf8); !done) return fail(done.error());
  }
  return true;
}

}  // namespace tercel::http
