// What a converter made of the text of a field, so that nobody parses it twice.
//
// Values. Source of the ranges: those of Python's datetime, which has no leap second.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <variant>

namespace tercel::route {

// In the order of the text: network byte order.
using Uuid = std::array<std::uint8_t, 16>;

struct Date {
  std::uint16_t year = 1;  // 1 to 9999
  std::uint8_t month = 1;  // 1 to 12
  std::uint8_t day = 1;    // 1 to the last of its month
  bool operator==(const Date&) const = default;
};

struct DateTime {
  Date date;
  std::uint8_t hour = 0;    // 0 to 23
  std::uint8_t minute = 0;  // 0 to 59
  std::uint8_t second = 0;  // 0 to 59
  bool has_offset = false;  // False: local to nobody knows where.
  std::uint32_t microsecond = 0;
  std::int16_t offset_minutes = 0;  // East of UTC; -1439 to 1439.
  bool operator==(const DateTime&) const = default;
};

// What a converter of the application's own answered: a number that it knows the meaning of.
struct UserValue {
  std::uint64_t handle = 0;
  bool operator==(const UserValue&) const = default;
};

// std::monostate: the text is the value (str, path).
using Value = std::variant<std::monostate, std::int64_t, double, Uuid, Date, DateTime, UserValue>;

static_assert(std::is_trivially_copyable_v<Value> && sizeof(Value) <= 24);

// A field of a path.
struct Capture {
  // Decoded; what a peer sent, be it UTF-8 or not. Points into the path or into the room for
  // decoding.
  std::string_view text;
  Value value;
};

}  // namespace tercel::route
