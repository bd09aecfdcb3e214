// The attempts of one request: which endpoint of its backend each goes to, and what is learnt
// there.
//
//   const Endpoint& endpoint = attempts.next(backend, now, turn);
//   ...
//   if (const auto pause = attempts.after(failed, now)) try_again(*pause);    // Or:
//   attempts.passed();
//
// The first endpoint that does not rest is asked, or the next in turn; one that has failed this
// request is not asked again while there is another. When all rest it is the one that rests
// longest, and the next one if that is not there. A request that is sent on to another backend
// repeats on the budget of the endpoint that sent it. A value of a few words. Thread: the loop's.
// Tested by attempts_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "tercel/gateway/backend.h"
#include "tercel/gateway/counts.h"
#include "tercel/proxy/retry_rule.h"

namespace tercel::gateway {

// Both backends are on one storage: they have an endpoint in common.
[[nodiscard]] bool same_place(const Backend& one, const Backend& other) noexcept;

class Attempts {
 public:
  // `turn`: where to begin, of a backend that takes turns. `backend` lives as long as the request;
  // it may be another one than before, which lives as long, too.
  [[nodiscard]] const Endpoint& next(const Backend& backend, std::chrono::nanoseconds now,
                                     std::size_t turn) noexcept;
  // How long to wait before the next attempt; nothing: there is none.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> after(const proxy::FailedAttempt& failed,
                                                              std::chrono::nanoseconds now,
                                                              Counts& counts) noexcept;
  // Where the present attempt goes. REQUIRES: next() was called, and so for the rest.
  [[nodiscard]] const Endpoint& endpoint() const noexcept { return backend_->endpoint(index_); }
  // The endpoint answered as one that is well.
  void passed() noexcept { backend_->endpoint(index_).health->passed(); }

 private:
  [[nodiscard]] bool tried(std::size_t index) const noexcept { return (tried_ >> index & 1U) != 0; }
  [[nodiscard]] std::size_t choose(std::chrono::nanoseconds now, std::size_t turn) const noexcept;
  // Those that may be asked in place of the present one.
  [[nodiscard]] unsigned others(const proxy::FailedAttempt& failed,
                                std::chrono::nanoseconds now) const noexcept;

  const Backend* backend_ = nullptr;
  std::size_t index_ = 0;
  std::uint32_t tried_ = 0;  // A bit for each endpoint that has failed this request.
  // Of the endpoint that sent the request on to another backend; null: none did.
  proxy::RetryBudget* budget_ = nullptr;
  proxy::RetryRule rule_;
};

}  // namespace tercel::gateway
