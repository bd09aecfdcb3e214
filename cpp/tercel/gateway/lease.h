// The part that one request has in the limits of a gateway, from its signature to its end.
//
//   Lease lease;                                            // Lives in its visit.
//   if (const auto wait = lease.enter(config, {"alice"}, "logs", loop.now()); wait > 0ns) ...
//   filters.throttle = lease.throttle();                    // Of the relay: null, or the lease.
//
// Resource: what it holds is given back when it is destroyed. Thread: the loop's. Cost: that of
// Limits::claims(), and two atomic operations for each limit that counts. Tested by limits_test.cc
// and tests/python/test_s3_limits.py.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tercel/edge/budget.h"
#include "tercel/gateway/config.h"
#include "tercel/proxy/throttle.h"

namespace tercel::gateway {

class Lease final : private proxy::Throttle {
 public:
  // Bytes of a body that are reserved ahead, at most.
  static constexpr std::uint64_t kReservedMax = 65'536;

  Lease() noexcept = default;
  ~Lease() { give_back(); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // Zero: it may go on, and asks no more; else how long to wait before it is tried again. `config`
  // outlives the lease.
  [[nodiscard]] std::chrono::nanoseconds enter(const Config& config, const Caller& caller,
                                               std::string_view bucket,
                                               std::chrono::nanoseconds now) noexcept {
    Asks asks;
    return enter(config, caller, bucket, now, asks);
  }
  // Budgets to ask about.
  struct Asks {
    std::array<edge::BudgetClaim, edge::SharedUse::kMax> claims{};
    std::uint8_t count = 0;
  };
  // The same; edge::BudgetShares::kUnknown: it waits until there is an answer.
  [[nodiscard]] std::chrono::nanoseconds enter(const Config& config, const Caller& caller,
                                               std::string_view bucket,
                                               std::chrono::nanoseconds now, Asks& asks) noexcept;
  // Null: its bodies are not limited.
  [[nodiscard]] proxy::Throttle* throttle() noexcept {
    return hold_.limits_bytes() ? this : nullptr;
  }

 private:
  // A body on its way.
  struct Body {
    std::uint64_t passed = 0;
    std::uint64_t reserved = 0;            // And not passed yet.
    std::chrono::nanoseconds ready_at{0};  // When those may.
  };

  [[nodiscard]] std::chrono::nanoseconds wait(proxy::Way way,
                                              std::optional<std::uint64_t> body_bytes,
                                              std::chrono::nanoseconds now) noexcept override;
  void passed(proxy::Way way, std::size_t bytes, std::chrono::nanoseconds now) noexcept override;
  void give_back() noexcept;

  edge::BudgetHold hold_;
  std::array<Body, 2> bodies_{};
  bool entered_ = false;
};

}  // namespace tercel::gateway
