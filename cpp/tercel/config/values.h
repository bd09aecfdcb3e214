// Settings values to and from text: the forms that are the same for every setting of a type.
//
// What is read here was written by the person who starts the server. Each function is strict all
// the same: a text is one value or none. Tested by values_test.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tercel::config {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;

// A size in bytes.
struct Bytes {
  std::uint64_t count = 0;
  bool unsaid = false;  // A default that what is served may replace.
  bool operator==(const Bytes& other) const { return count == other.count; }
};

// Permission bits of a file, 0 to 0777.
struct FileMode {
  std::uint32_t bits = 0;
  bool operator==(const FileMode&) const = default;
};

// A length of time; the resolution of every setting is one millisecond.
using Duration = std::chrono::milliseconds;

// Yes, no, or what the circumstances suggest.
enum class Toggle : std::uint8_t { kAuto, kOn, kOff };

// With ASCII letters in lower case.
[[nodiscard]] std::string lower(std::string_view text);

// true, yes, on, 1; false, no, off, 0; in any case.
[[nodiscard]] std::optional<bool> parse_bool(std::string_view text);
// As parse_bool(), and auto.
[[nodiscard]] std::optional<Toggle> parse_toggle(std::string_view text);
// "65536", "64KiB", "1MiB", "1GiB" (powers of 1024), "64kB", "1MB", "1GB" (powers of 1000); a unit
// in any case. "64K" is none of them: people disagree on what it means.
[[nodiscard]] std::optional<Bytes> parse_bytes(std::string_view text);
// Seconds with up to three decimals ("30", "0.5"), or a number with a unit: "500ms", "30s", "5min",
// "1h". At most 2^40 ms.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
// Octal digits: "0660", "660", "0o660".
[[nodiscard]] std::optional<FileMode> parse_mode(std::string_view text);

// The shortest text that parses to the same value: "64KiB", "0.5", "0660".
[[nodiscard]] std::string format(Bytes value);
[[nodiscard]] std::string format(Duration value);
[[nodiscard]] std::string format(FileMode value);

}  // namespace tercel::config
