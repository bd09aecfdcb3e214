#include "tercel/json/writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "tercel/base/scan.h"

namespace tercel::json {
namespace {

// What cannot stand in a string as it is.
struct EscapeMark {
  static constexpr bool stops(std::uint8_t c) noexcept { return c < 0x20 || c == '"' || c == '\\'; }
#ifdef TERCEL_SCAN_BLOCKS
  static scan::Block stops(scan::Block b) noexcept {
    return b.within(0, 0x1f) | b.is('"') | b.is('\\');
  }
#endif
};

// "\u001f": what a byte becomes at most.
constexpr std::size_t kEscapeBytesMax = 6;
// "-1.7976931348623157e+308", and ".0" behind one without a point.
constexpr std::size_t kNumberBytesMax = 32;
// A string that may grow beyond its block is written in parts of this size.
constexpr std::size_t kPartBytes = 512;

char* write_escape(unsigned char c, char* at) noexcept {
  *at++ = '\\';
  switch (c) {
    case '"':
    case '\\':
      *at++ = static_cast<char>(c);
      return at;
    case '\b':
      *at++ = 'b';
      return at;
    case '\f':
      *at++ = 'f';
      return at;
    case '\n':
      *at++ = 'n';
      return at;
    case '\r':
      *at++ = 'r';
      return at;
    case '\t':
      *at++ = 't';
      return at;
    default:
      constexpr std::string_view kHex = "0123456789abcdef";
      for (const char digit : {'u', '0', '0', kHex[c >> 4], kHex[c & 15]}) *at++ = digit;
      return at;
  }
}

// REQUIRES: room for kEscapeBytesMax for each byte.
char* write_escaped(std::string_view text, char* out) noexcept {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    const char* const mark = scan::find<EscapeMark>(at, end);
    const auto plain = static_cast<std::size_t>(mark - at);
    if (plain > 0) std::memcpy(out, at, plain);
    out += plain;
    if (mark == end) return out;
    out = write_escape(static_cast<unsigned char>(*mark), out);
    at = mark + 1;
  }
}

}  // namespace

bool Writer::grow(std::size_t bytes) noexcept {
  if (failed_) return false;
  const std::size_t wanted = std::max({size_ + bytes, block_.capacity() * 2, kFirstBytes});
  failed_ = !pool_.grow(block_, size_, wanted);
  return !failed_;
}

void Writer::put(char c) noexcept {
  if (char* const at = room(1)) {
    *at = c;
    ++size_;
  }
}

// A comma is due behind anything but an opening bracket, a colon or a comma. A string ends with its
// quote, so the last byte says which.
char* Writer::separate(char* at) const noexcept {
  if (size_ == 0) return at;
  const char last = at[-1];
  if (last != '[' && last != '{' && last != ':') *at++ = ',';
  return at;
}

void Writer::begin(char bracket) noexcept {
  if (char* at = room(2)) {
    at = separate(at);
    *at++ = bracket;
    advance_to(at);
  }
}

void Writer::text_and(std::string_view text, std::string_view after) noexcept {
  char* at = room(2);
  if (at == nullptr) return;
  at = separate(at);
  *at++ = '"';
  advance_to(at);
  do {
    const std::string_view part = text.substr(0, kPartBytes);
    text.remove_prefix(part.size());
    at = room(part.size() * kEscapeBytesMax + after.size());
    if (at == nullptr) return;
    advance_to(write_escaped(part, at));
  } while (!text.empty());
  std::memcpy(block_.data() + size_, after.data(), after.size());
  size_ += after.size();
}

void Writer::key(std::string_view name) noexcept {
  text_and(name, "\":");
}

void Writer::string(std::string_view text) noexcept {
  text_and(text, "\"");
}

void Writer::integer(std::int64_t value) noexcept {
  if (char* at = room(kNumberBytesMax)) {
    at = separate(at);
    advance_to(std::to_chars(at, at + kNumberBytesMax - 1, value).ptr);
  }
}

void Writer::natural(std::uint64_t value) noexcept {
  if (char* at = room(kNumberBytesMax)) {
    at = separate(at);
    advance_to(std::to_chars(at, at + kNumberBytesMax - 1, value).ptr);
  }
}

bool Writer::number(double value) noexcept {
  if (!std::isfinite(value)) return false;
  char* at = room(kNumberBytesMax);
  if (at == nullptr) return true;
  at = separate(at);
  char* end = std::to_chars(at, at + kNumberBytesMax - 3, value).ptr;
  if (std::none_of(at, end, [](char c) { return c == '.' || c == 'e'; })) {
    *end++ = '.';
    *end++ = '0';
  }
  advance_to(end);
  return true;
}

void Writer::raw(std::string_view json) noexcept {
  if (char* at = room(json.size() + 1)) {
    at = separate(at);
    advance_to(std::copy(json.begin(), json.end(), at));
  }
}

Block Writer::take() noexcept {
  clear();
  return std::move(block_);
}

}  // namespace tercel::json
