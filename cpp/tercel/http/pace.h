// How long a peer may take for a transfer: not until when, but how slowly.
//
// A value. Thread: any.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace tercel::http {

// A peer has `grace` to begin with, every `bytes_per_second` bytes of progress buy another second,
// and it never has more than `grace` ahead of it: one that stalls is cut off after that time, one
// that dribbles soon after it, and a large honest transfer never. Zero bytes: nothing is bought.
struct Pace {
  std::chrono::nanoseconds grace;
  std::uint32_t bytes_per_second;

  // What `bytes` of progress make of the time that was left.
  [[nodiscard]] std::chrono::nanoseconds credited(std::chrono::nanoseconds left,
                                                  std::uint64_t bytes) const noexcept {
    if (bytes_per_second == 0) return left;
    constexpr std::uint64_t kBytesMax = UINT32_MAX;  // More would earn more than any grace.
    const auto earned = std::chrono::nanoseconds{std::chrono::seconds{1}} *
                        static_cast<std::int64_t>(std::min(bytes, kBytesMax)) /
                        static_cast<std::int64_t>(bytes_per_second);
    return std::min(grace, left + earned);
  }
};

// The time that one transfer has left. Stopped unless it was started.
class PaceClock {
 public:
  // With a grace of 0 it never runs out. Goes on where it was if it runs.
  void start(const Pace& pace, std::chrono::nanoseconds now) noexcept {
    if (due_ == std::chrono::nanoseconds{0} && pace.grace != std::chrono::nanoseconds{0}) {
      due_ = now + pace.grace;
    }
  }
  void credit(const Pace& pace, std::uint64_t bytes, std::chrono::nanoseconds now) noexcept {
    if (running()) due_ = now + pace.credited(due_ - now, bytes);
  }
  // Time that was nobody's fault does not count.
  void excuse(const Pace& pace, std::chrono::nanoseconds now) noexcept {
    if (running()) due_ = now + pace.grace;
  }
  void stop() noexcept { due_ = std::chrono::nanoseconds{0}; }
  [[nodiscard]] bool running() const noexcept { return due_ != std::chrono::nanoseconds{0}; }
  [[nodiscard]] bool expired(std::chrono::nanoseconds now) const noexcept {
    return running() && due_ <= now;
  }

 private:
  std::chrono::nanoseconds due_{0};
};

}  // namespace tercel::http
