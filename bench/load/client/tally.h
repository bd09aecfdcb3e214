// What a load client counts, and the one JSON object that it prints.
//
// A resource: one a run. Tested by tests/python/test_load_client.py.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <vector>

namespace tercel::load {

// Durations in buckets that are at most 1/32 wide of what they hold. A value.
class Latencies {
 public:
  void add(std::chrono::nanoseconds latency) noexcept;
  // The middle of the bucket below which `percent` of all lie; 0 when there are none.
  [[nodiscard]] double percentile_us(double percent) const noexcept;
  [[nodiscard]] double max_us() const noexcept { return static_cast<double>(max_) / 1e3; }

 private:
  static constexpr unsigned kBits = 5;
  static constexpr std::size_t kPerOctave = std::size_t{1} << kBits;

  std::array<std::uint64_t, kPerOctave*(64 - kBits)> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

// Of a request: every one that is sent comes to exactly one of right, wrong and lost.
enum class Loss : std::uint8_t {
  kUnanswered,  // The connection ended before a byte of the answer.
  kCut,         // It ended within the answer.
  kTimedOut
};

class Tally {
 public:
  // Details that are kept of what went wrong; all of it is counted.
  static constexpr std::size_t kFaultsMax = 100;

  void right() noexcept { ++right_; }
  void wrong(std::uint64_t number, std::string_view why);
  void lost(std::uint64_t number, Loss how);
  // An answer that nobody asked for, or that was given before.
  void doubled(std::uint64_t number);
  // Of a connection: it was not accepted.
  void refused(int error) noexcept;

  void start(std::chrono::nanoseconds now) noexcept { started_ = now; }
  void stop(std::chrono::nanoseconds now) noexcept { stopped_ = now; }
  [[nodiscard]] std::uint64_t settled() const noexcept { return right_ + wrong_ + lost_; }
  void print(std::FILE* out) const;

  std::uint64_t sent = 0;
  std::uint64_t messages = 0;     // Of a broadcast: each is `sent` once for every member.
  std::uint64_t connections = 0;  // That were made.
  std::uint64_t reconnects = 0;   // Of those: to take the place of another.
  std::uint64_t closed_idle = 0;  // By the server, while nothing was asked.
  std::uint64_t late = 0;         // Requests that were not sent in the millisecond they were due.
  Latencies latencies;

 private:
  struct Fault {
    std::string_view what;  // Literals.
    std::string_view why;
    std::uint64_t number;
    std::chrono::nanoseconds at;
  };
  void note(std::string_view what, std::string_view why, std::uint64_t number);

  std::uint64_t right_ = 0;
  std::uint64_t wrong_ = 0;
  std::uint64_t lost_ = 0;
  std::array<std::uint64_t, 3> lost_by_{};
  std::uint64_t doubled_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t unreachable_ = 0;  // Another error than a refusal.
  std::chrono::nanoseconds started_{0};
  std::chrono::nanoseconds stopped_{0};
  std::vector<Fault> faults_;
};

}  // namespace tercel::load
