#include "tercel/base/log_seldom.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace tercel {
namespace {

// In each the upper half of the text's hash, and when it was said: seconds, never 0.
constinit std::array<std::atomic<std::uint64_t>, 64> said{};

}  // namespace

void log_seldom(LogLevel level, std::string_view text, std::chrono::seconds now) noexcept {
  const std::uint64_t hash = std::hash<std::string_view>{}(text);
  const auto second = static_cast<std::uint32_t>(now.count() + 1);
  std::atomic<std::uint64_t>& place = said[hash % said.size()];
  std::uint64_t before = place.load(std::memory_order_relaxed);
  const bool is_same = before != 0 && before >> 32 == hash >> 32;
  if (is_same && second - static_cast<std::uint32_t>(before) < kSeldom.count()) return;
  const std::uint64_t after = (hash >> 32 << 32) | second;
  // Somebody else says it, or something else, at this moment.
  if (!place.compare_exchange_strong(before, after, std::memory_order_relaxed) &&
      before >> 32 == hash >> 32) {
    return;
  }
  log(level, text);
}

void log_seldom(LogLevel level, std::string_view text) noexcept {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  log_seldom(level, text, std::chrono::duration_cast<std::chrono::seconds>(now));
}

}  // namespace tercel
