// Writes one line of a log into memory that is large enough, escaping what came from outside.
//
// A value: a cursor. It never checks for the end: its user asks for room first, with the bounds
// below. Tested by log_line_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tercel::edge {

// How a text from outside is written, so that whatever its bytes it stays one field of one line.
enum class Escape : std::uint8_t {
  kText,  // Printable ASCII stays, '"' and '\' get a backslash, the rest becomes \xHH.
  kJson   // As a JSON string, quotes included; a byte above 0x7E is the Latin-1 character, \u00HH.
};

class LogLine {
 public:
  static constexpr std::size_t kNumberBytesMax = 20;

  // REQUIRES: what is written fits into `room`.
  explicit LogLine(std::span<char> room) noexcept : begin_{room.data()}, next_{begin_} {}

  void put(char c) noexcept { *next_++ = c; }
  void put(std::string_view text) noexcept;
  void put_number(std::uint64_t number) noexcept;
  // `number` divided by 10^`decimals`, with all of its decimals: put_decimal(1500, 3) is "1.500".
  void put_decimal(std::uint64_t number, int decimals) noexcept;
  void put_escaped(std::string_view text, Escape escape) noexcept;
  // `text`, which should be UTF-8, as a JSON string of printable ASCII, quotes included: no reader
  // takes a character of it for the end of the line. A byte that is no UTF-8 is U+FFFD. Needs the
  // room of put_escaped().
  void put_utf8(std::string_view text) noexcept;

  [[nodiscard]] std::size_t size() const noexcept {
    return static_cast<std::size_t>(next_ - begin_);
  }
  [[nodiscard]] std::string_view text() const noexcept { return {begin_, size()}; }

 private:
  // "\uHHHH", or two of them.
  void put_code_point(std::uint32_t code_point) noexcept;

  char* begin_;
  char* next_;
};

// Room that put_escaped() needs for `bytes` bytes, at most.
[[nodiscard]] constexpr std::size_t escaped_room(std::size_t bytes) noexcept {
  constexpr std::size_t kQuotes = 2;
  constexpr std::size_t kPerByteMax = 6;  // \u00HH
  return kQuotes + kPerByteMax * bytes;
}

}  // namespace tercel::edge
