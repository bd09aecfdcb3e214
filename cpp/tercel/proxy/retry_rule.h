// Whether a request that failed is tried again, and when.
//
//   RetryRule rule;                                                  // One a request.
//   if (const auto pause = rule.after(failed, {options, budget})) again_after(*pause);
//   budget.earn();                                                   // A request went well.
//
// Nothing is tried again once a byte of the body was taken from the client, or one of the answer
// went to it. A request of which nothing was lost goes to another connection at once: one that the
// origin closed while it was idle, or another origin in place of one that cannot be reached. What
// the origin may have worked on is repeated after a pause, and a bounded number of times, where
// that does no harm: GET and HEAD after 500, 502, 503, 504 and a connection that broke; others
// after 503 alone, with which an origin says that it did not begin.
// The pause doubles, and has chance in it so that clients do not come back together. Of all
// requests to an origin about one in ten is repeated at most: what is overloaded does not get a
// multiple of its load. No I/O, no clock. Thread: one for a rule, any for a budget. Source: RFC
// 9110 section 9.2.2; the error codes of Amazon S3 (SlowDown). Tested by retry_rule_test.cc.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tercel/base/errors.h"
#include "tercel/proxy/progress.h"

namespace tercel::proxy {

// How an attempt ended.
struct FailedAttempt {
  unsigned attempt = 1;      // Which one.
  std::uint16_t status = 0;  // Of an answer; 0: there is none, for `error`.
  Errc error = Errc::kUpstreamFailed;
  Progress progress = Progress::kUnsent;
  bool reused = false;      // The connection carried other requests before.
  bool replayable = false;  // Nothing was taken of the body, and nothing given of an answer.
  bool has_body = false;
  std::string_view method = {};
};

// An origin says that it failed, and not that the request is wrong: 500, 502, 503 or 504.
[[nodiscard]] constexpr bool is_transient(unsigned status) noexcept {
  return status == 500 || (status >= 502 && status <= 504);
}

// 408 Request Timeout, by which an origin also says that it waited long enough for a next request
// of a connection, and closes it: to a request that crosses it on its way, it looks like an answer.
// Source: RFC 9110 section 15.5.9.
inline constexpr std::uint16_t kWaitedTooLong = 408;

// Nothing was lost, whatever the request is: the origin did not work on it. In most cases it had
// closed the connection while that was idle.
[[nodiscard]] bool nothing_was_lost(const FailedAttempt& failed) noexcept;

struct RetryOptions {
  unsigned retries = 2;  // Repetitions of a request; 0: none.
  std::chrono::milliseconds pause_min{50};
  std::chrono::milliseconds pause_max{1000};
};

// Of an origin, for all who ask it. A resource of one atomic number.
class RetryBudget {
 public:
  static constexpr std::int32_t kRetriesMax = 10;
  static constexpr std::int32_t kRequestsForOne = 10;

  // Writes nothing when it is full, which it is as long as all goes well.
  void earn() noexcept {
    if (parts_.load(std::memory_order_relaxed) < kFull) {
      parts_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  // False: there have been too many.
  [[nodiscard]] bool spend() noexcept;

 private:
  static constexpr std::int32_t kFull = kRetriesMax * kRequestsForOne;
  std::atomic<std::int32_t> parts_{kFull};
};

class RetryRule {
 public:
  struct With {
    const RetryOptions& options;
    RetryBudget& budget;
    unsigned others = 0;       // Origins that can be asked in place of this one.
    std::uint32_t chance = 0;  // Any number, another one each time.
  };

  // How long to wait before the next attempt; nothing: there is none.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> after(const FailedAttempt& failed,
                                                              const With& with) noexcept;

 private:
  std::uint8_t repeated_ = 0;
};

}  // namespace tercel::proxy
