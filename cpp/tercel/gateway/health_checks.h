// Looks at endpoints when nobody asks them for anything, so that one that is gone is known before a
// request meets it, and one that is back is used again.
//
//   HealthChecks checks{{loop, pools, calls, config, counts}};
//   checks.follow();                              // At each request: the configuration may be new.
//
// Of all loops one looks at an endpoint, and the next time perhaps another one. A check is bounded:
// by the time limit of a connection, and as much for an answer; a loop begins no other one of the
// endpoint before that. What it learns goes to the health of the endpoint, and its connection to
// the pool. Resource: lives in its station. Thread: the loop's. Tested by health_checks_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "tercel/gateway/config.h"
#include "tercel/gateway/counts.h"
#include "tercel/net/loop.h"
#include "tercel/proxy/call.h"

namespace tercel::gateway {

class Pools;

class HealthChecks final : private net::Timer, private net::Deferred {
 public:
  // Of one loop; all outlive it.
  struct With {
    net::Loop& loop;
    Pools& pools;
    proxy::CallContext& calls;
    ConfigView& config;
    Counts& counts;
  };

  explicit HealthChecks(const With& with) noexcept;
  ~HealthChecks() override;

  // Begins if the configuration that the view has now is another one than before, with something to
  // look at. Cost: a comparison, if it is not.
  void follow() noexcept {
    if (with_.config.version() != followed_) begin_with_new();
  }
  // How many are under way.
  [[nodiscard]] std::size_t running() const noexcept { return running_.size(); }

 private:
  class Probe;

  void begin_with_new() noexcept;
  void on_timer() noexcept override;
  void run_deferred() noexcept override;
  [[nodiscard]] bool looks_at(const Endpoint& endpoint) const noexcept;
  void begin(const Endpoint& endpoint) noexcept;
  void end(Probe& probe) noexcept;

  const With with_;
  std::uint64_t followed_ = 0;  // The version of a configuration.
  std::vector<std::unique_ptr<Probe>> running_;
  std::vector<std::unique_ptr<Probe>> ended_;  // In calls of their own, until those returned.
};

}  // namespace tercel::gateway
