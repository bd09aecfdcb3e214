#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "proxy/test_waiter.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "support/tcp_listener.h"
#include "tercel/gateway/station.h"

namespace tercel::gateway {
namespace {

Backend backend_of(std::string key, std::uint16_t port) {
  Backend backend;
  backend.host = "127.0.0.1";
  backend.port = port;
  backend.pool_key = std::move(key);
  return backend;
}

using test::TestUser;
using test::TestWaiter;

TEST(PoolsTest, BackendsThatAreGoneLeaveNoPoolBehind) {
  const test::ManualClock clock;
  test::FailingSyscalls syscalls;
  const std::unique_ptr<net::Loop> loop = *net::Loop::create(clock, syscalls);
  net::Resolver resolver{*loop};
  const test::TcpListener listener;
  Pools pools{*loop, resolver};
  proxy::Source* const used = pools.source_of(backend_of("used", listener.address().port));
  TestWaiter waiter;
  used->acquire(waiter, proxy::Freshness::kAny);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(loop->wait(std::chrono::milliseconds{1}));
    loop->dispatch();
  }
  ASSERT_NE(waiter.connection, nullptr);
  TestUser user;
  waiter.connection->begin(user);
  for (int i = 0; i < 100; ++i) {
    EXPECT_NE(pools.source_of(backend_of(std::to_string(i), 9)), nullptr);
  }
  EXPECT_EQ(pools.size(), 2U);  // The last one, and the one that is used.
  EXPECT_EQ(pools.source_of(backend_of("used", listener.address().port)), used);
  waiter.connection->end();
  used->release(*waiter.connection);
}

// Each of them is used, so none goes.
TEST(PoolsTest, HostsThatBackendsSendOnToAreNotTooMany) {
  const test::ManualClock clock;
  test::FailingSyscalls syscalls;
  const std::unique_ptr<net::Loop> loop = *net::Loop::create(clock, syscalls);
  net::Resolver resolver{*loop};
  const test::TcpListener listener;
  Pools pools{*loop, resolver};
  std::vector<std::unique_ptr<TestWaiter>> waiters;
  std::vector<proxy::Source*> sources;
  const auto use = [&](std::size_t i, bool sent_on) {
    Backend backend = backend_of(std::to_string(i), listener.address().port);
    backend.sent_on = sent_on;
    proxy::Source* const source = pools.source_of(backend);
    if (source == nullptr) return false;
    sources.push_back(source);
    source->acquire(*waiters.emplace_back(std::make_unique<TestWaiter>()), proxy::Freshness::kAny);
    return true;
  };
  for (std::size_t i = 0; i < Pools::kSentOnMax; ++i) ASSERT_TRUE(use(i, true));
  EXPECT_FALSE(use(1000, true));
  EXPECT_TRUE(use(1001, false));
  sources.front()->withdraw(*waiters.front());
  // The connection that was begun for it is nobody's; it is not made yet.
  EXPECT_TRUE(use(0, true)) << "it is there";
  for (std::size_t i = 1; i < waiters.size(); ++i) sources[i]->withdraw(*waiters[i]);
}

}  // namespace
}  // namespace tercel::gateway
