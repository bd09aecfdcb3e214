// Percent-encoding as Signature Version 4 wants it: decoded once, then encoded once.
//
//   write_encoded(path, Part::kPath, sink);      // sink.put(std::string_view), several times.
//
// Every byte but A-Z a-z 0-9 - . _ ~ becomes %XX in upper case; in a path '/' stays, too. Nothing
// else is normalised: no dot segments, no double slashes, no Unicode. In a query '+' is a space, as
// all servers read it; in a path it is itself. Internal to tercel/s3, which checks with
// valid_percent_encoding() first. Source: AWS, "Create a signed AWS API request", UriEncode().
// Tested by uri_encoding_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tercel/base/percent.h"
#include "tercel/http/chars.h"

namespace tercel::s3 {

enum class Part : std::uint8_t { kPath, kQuery };

inline constexpr http::CharSet kUnreserved{"-._~", true};
inline constexpr http::CharSet kUnreservedOrSlash{"-._~/", true};

[[nodiscard]] constexpr const http::CharSet& plain_bytes(Part part) noexcept {
  return part == Part::kPath ? kUnreservedOrSlash : kUnreserved;
}

// Takes the first byte that `text` stands for off its front. REQUIRES: not empty, and a '%' has two
// hex digits behind it.
constexpr char take_decoded(std::string_view& text, Part part) noexcept {
  const char c = text.front();
  if (c == '%') {
    const int byte = hex_value(text[1]) << 4 | hex_value(text[2]);
    text.remove_prefix(3);
    return static_cast<char>(byte);
  }
  text.remove_prefix(1);
  return c == '+' && part == Part::kQuery ? ' ' : c;
}

// Whether `text` decoded is `plain`.
constexpr bool decodes_to(std::string_view text, std::string_view plain, Part part) noexcept {
  for (const char c : plain) {
    if (text.empty() || take_decoded(text, part) != c) return false;
  }
  return text.empty();
}

// The three bytes of %XX.
struct Escape {
  explicit constexpr Escape(char c) noexcept {
    constexpr char kDigits[] = "0123456789ABCDEF";
    text[1] = kDigits[static_cast<unsigned char>(c) >> 4];
    text[2] = kDigits[static_cast<unsigned char>(c) & 15];
  }
  char text[3] = {'%', '0', '0'};
};

template <typename Sink>
void write_encoded(std::string_view text, Part part, Sink& sink) noexcept {
  const http::CharSet& plain = plain_bytes(part);
  while (!text.empty()) {
    std::size_t run = 0;
    while (run < text.size() && plain.has(text[run])) ++run;
    if (run != 0) sink.put(text.substr(0, run));
    text.remove_prefix(run);
    if (text.empty()) return;
    const char c = take_decoded(text, part);
    const Escape escape{c};
    sink.put(plain.has(c) ? std::string_view{&c, 1} : std::string_view{escape.text, 3});
  }
}

// Whether `text` of a query stands for itself, without anything to decode.
constexpr bool is_plain(std::string_view text) noexcept {
  return text.find('%') == std::string_view::npos && text.find('+') == std::string_view::npos;
}

// Whether write_encoded() would write `text` as it is.
constexpr bool is_encoded(std::string_view text, Part part) noexcept {
  const http::CharSet& plain = plain_bytes(part);
  for (;;) {
    std::size_t run = 0;
    while (run < text.size() && plain.has(text[run])) ++run;
    text.remove_prefix(run);
    if (text.empty()) return true;
    if (text.front() != '%') return false;
    const std::string_view escape = text.substr(0, 3);
    const char c = take_decoded(text, part);
    if (plain.has(c) || escape != std::string_view{Escape{c}.text, 3}) return false;
  }
}

// The encoded text, byte by byte, without a place for it: to compare two.
class EncodedBytes {
 public:
  constexpr EncodedBytes(std::string_view text, Part part) noexcept : rest_{text}, part_{part} {}

  // -1: the end.
  constexpr int next() noexcept {
    if (pending_ != 0) return static_cast<unsigned char>(escape_.text[3 - pending_--]);
    if (rest_.empty()) return -1;
    const char c = take_decoded(rest_, part_);
    if (plain_bytes(part_).has(c)) return static_cast<unsigned char>(c);
    escape_ = Escape{c};
    pending_ = 2;
    return '%';
  }

 private:
  std::string_view rest_;
  Escape escape_{'\0'};
  int pending_ = 0;  // Bytes of escape_ that are still to come.
  Part part_;
};

// A sink that keeps the text. Allocates.
struct StringSink {
  void put(std::string_view text) { out.append(text); }
  std::string& out;
};

}  // namespace tercel::s3
