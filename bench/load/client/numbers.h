// Which numbered requests were answered, and what an answer says of itself.
//
// A value. One bit a number: half a million requests are 62 KiB. Tested by numbers_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tercel::load {

enum class Verdict : std::uint8_t {
  kRight,
  kWrong,
  kDoubled  // It answers a request that was answered before.
};

class Numbers {
 public:
  // The numbers are given out in order, from `first` on.
  explicit Numbers(std::uint64_t first) noexcept : first_{first} {}

  // Makes room for the next number, and returns it.
  [[nodiscard]] std::uint64_t take();

  // Judges a body that must hold `number`: as digits with none before or behind them. Notes that it
  // was answered when it does.
  [[nodiscard]] Verdict judge(std::string_view body, std::uint64_t number) noexcept;

 private:
  [[nodiscard]] bool was_answered(std::uint64_t number) const noexcept;

  std::uint64_t first_;
  std::vector<bool> answered_;
};

// The next run of digits in `text`, which is cut behind it; nothing when there is none, or it is
// no number of 64 bits.
[[nodiscard]] std::optional<std::uint64_t> next_number(std::string_view& text) noexcept;

}  // namespace tercel::load
