// The connections of one loop to one origin.
//
//   Pool pool{loop, resolver, {.host = "backend.example", .port = 8080}, {}};
//   pool.acquire(waiter, Freshness::kAny);
//
// The connection that was idle last is lent first, so that those which are not needed come of age.
// What nobody lends is watched: one that the origin closes is gone before anybody gets it. When as
// many are open as may be, waiters wait in the order in which they came, for a bounded time and in
// a bounded number; those who want a new one come first when there is one, and get no other. After
// a failure to connect the next attempt is put off, longer each time, with some chance in it so
// that loops do not come together. Whoever could only wait for that is told at once; others wait
// for a connection that is on its way, or is lent and will come back.
// Resource: outlives what it lent. Thread: the loop's. Tested by pool_test.cc.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "tercel/base/intrusive_list.h"
#include "tercel/net/connector.h"
#include "tercel/net/loop.h"
#include "tercel/net/resolver.h"
#include "tercel/net/tls_client.h"
#include "tercel/proxy/origin.h"
#include "tercel/proxy/source.h"
#include "tercel/proxy/upstream_connection.h"

namespace tercel::proxy {

struct PoolLimits {
  std::size_t connections_max = 256;
  std::size_t idle_max = 64;
  std::size_t waiters_max = 4096;
  std::chrono::milliseconds connect_timeout{5000};  // With the name and TLS.
  std::chrono::milliseconds wait_timeout{5000};     // For a connection of others.
  std::chrono::milliseconds idle_timeout{60'000};
  // After a failure to connect; doubled each time. More than 0.
  std::chrono::milliseconds retry_min{100};
  std::chrono::milliseconds retry_max{5000};
};

struct PoolCounts {
  std::uint64_t opened = 0;
  std::uint64_t failed = 0;
  std::uint64_t lent = 0;    // Of those that were there, how often.
  std::uint64_t waited = 0;  // For one of others.
};

class Pool final : public Source,
                   private UpstreamConnection::Keeper,
                   private net::Timer,
                   private net::Deferred {
 public:
  // Both outlive it.
  Pool(net::Loop& loop, net::Resolver& resolver, Origin origin, const PoolLimits& limits);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  // REQUIRES: nothing is lent, nobody waits.
  ~Pool() override;

  // --- Source
  void acquire(Waiter& waiter, Freshness freshness) noexcept override;
  void withdraw(Waiter& waiter) noexcept override;
  void release(UpstreamConnection& connection) noexcept override;

  [[nodiscard]] const Origin& origin() const noexcept { return origin_; }
  [[nodiscard]] const PoolCounts& counts_for_test() const noexcept { return counts_; }
  [[nodiscard]] std::size_t connections() const noexcept { return connections_.size(); }
  [[nodiscard]] std::size_t idle() const noexcept { return idle_.size(); }
  // It has no connection, and nobody waits for one: it may be destroyed.
  [[nodiscard]] bool unused() const noexcept {
    return connections_.empty() && dials_.empty() && waiting_ == 0 && ended_.empty() &&
           ended_dials_.empty();
  }

 private:
  // A connection on its way.
  class Dial final : public net::Resolver::Waiter, public net::Connector::Client {
   public:
    explicit Dial(Pool& pool) noexcept : pool_{pool}, connector_{pool.loop_, *this} {}
    void start() noexcept;

   private:
    void on_resolved(const net::Resolver::Found& found) noexcept override;
    void on_connected(std::unique_ptr<net::Stream> stream) noexcept override;
    void on_failed(Errc error) noexcept override;

    Pool& pool_;
    net::Connector connector_;
    std::chrono::nanoseconds due_{0};
  };
  struct Idle {
    UpstreamConnection* connection;
    std::chrono::nanoseconds since;
  };

  [[nodiscard]] UpstreamConnection* take_idle(Freshness freshness) noexcept;
  [[nodiscard]] bool may_open() const noexcept {
    return connections_.size() + dials_.size() < limits_.connections_max;
  }
  [[nodiscard]] bool must_pause() const noexcept { return loop_.now() < retry_after_; }
  // Whether there is something to wait for, for who takes any connection.
  [[nodiscard]] bool one_comes_back() const noexcept;
  [[nodiscard]] bool end_oldest_idle() noexcept;
  void open_for_waiters() noexcept;
  void on_dialed(Dial& dial, std::unique_ptr<net::Stream> stream) noexcept;
  void on_dial_failed(Dial& dial, Errc error) noexcept;
  // No connection could be made.
  void put_off(Errc error) noexcept;
  void refuse_in_vain() noexcept;
  void refuse(IntrusiveList<Waiter>& waiters, Errc error) noexcept;
  void refuse_overdue(IntrusiveList<Waiter>& waiters) noexcept;
  void end(Dial& dial) noexcept;
  void end(UpstreamConnection& connection) noexcept;
  void keep(UpstreamConnection& connection) noexcept;
  void on_unusable(UpstreamConnection& connection) noexcept override;
  void on_timer() noexcept override;
  void run_deferred() noexcept override;
  void arm() noexcept;

  net::Loop& loop_;
  net::Resolver& resolver_;
  const Origin origin_;
  const PoolLimits limits_;
  net::TlsSessions sessions_;
  std::unordered_map<UpstreamConnection*, std::unique_ptr<UpstreamConnection>> connections_;
  std::vector<Idle> idle_;  // The one that was idle last is the last.
  std::vector<std::unique_ptr<Dial>> dials_;
  IntrusiveList<Waiter> waiters_;      // For any connection.
  IntrusiveList<Waiter> new_waiters_;  // For one that was never used.
  std::size_t waiting_ = 0;            // In both.
  // What ended in a call of its own, until that has returned.
  std::vector<std::unique_ptr<UpstreamConnection>> ended_;
  std::vector<std::unique_ptr<Dial>> ended_dials_;
  std::chrono::nanoseconds retry_after_{0};
  Errc last_error_ = Errc::kUpstreamUnreachable;
  std::uint32_t failures_ = 0;  // In a row.
  std::uint32_t spread_ = 1;
  PoolCounts counts_;
};

}  // namespace tercel::proxy
