#include "tercel/base/log_seldom.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace tercel {
namespace {

// In each the upper half of a text's hash, and when it was said: a second, never 0.
constinit std::array<std::atomic<std::uint64_t>, kSeldomTexts> said{};

constexpr bool is_over(std::uint64_t word, std::uint32_t second) noexcept {
  return word == 0 || second - static_cast<std::uint32_t>(word) >= kSeldom.count();
}

}  // namespace

void log_seldom(LogLevel level, std::string_view text, std::chrono::seconds now) noexcept {
  const std::uint64_t hash = std::hash<std::string_view>{}(text);
  const auto second = static_cast<std::uint32_t>(now.count() + 1);
  const std::uint64_t after = (hash >> 32 << 32) | second;
  const auto is_told = [&](std::uint64_t word) {
    return word >> 32 == hash >> 32 && !is_over(word, second);
  };
  for (const auto& place : said) {
    if (is_told(place.load(std::memory_order_relaxed))) return;
  }
  // From a place of the text's own, so that threads with the same one meet there.
  for (std::size_t i = 0; i < said.size(); ++i) {
    std::atomic<std::uint64_t>& place = said[(hash + i) % said.size()];
    std::uint64_t before = place.load(std::memory_order_relaxed);
    while (is_over(before, second)) {
      if (place.compare_exchange_weak(before, after, std::memory_order_relaxed)) {
        return log(level, text);
      }
    }
    if (is_told(before)) return;
  }
}

void log_seldom(LogLevel level, std::string_view text) noexcept {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  log_seldom(level, text, std::chrono::duration_cast<std::chrono::seconds>(now));
}

}  // namespace tercel
