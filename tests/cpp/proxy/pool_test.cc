#include "tercel/proxy/pool.h"

#include <sys/socket.h>

#include <memory>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "support/tcp_listener.h"

namespace tercel::proxy {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.

struct TestWaiter final : Waiter {
  void on_connection(UpstreamConnection& given) noexcept override { connection = &given; }
  void on_no_connection(Errc given) noexcept override { error = given; }
  UpstreamConnection* connection = nullptr;
  std::optional<Errc> error;
};

struct TestUser final : UpstreamConnection::User {
  void on_event() noexcept override {}
};

class PoolTest : public testing::Test {
 protected:
  PoolTest() : loop_{*net::Loop::create(clock_, syscalls_)}, resolver_{*loop_} { open({}); }
  void open(const PoolLimits& limits) {
    pool_.emplace(*loop_, resolver_, Origin{.host = "127.0.0.1", .port = listener_.address().port},
                  limits);
  }
  void turn(int times = 4) {
    for (int i = 0; i < times; ++i) {
      ASSERT_TRUE(loop_->wait(1ms));
      loop_->dispatch();
    }
  }
  void pass(std::chrono::nanoseconds time) {
    clock_.advance(time);
    turn();
  }
  UpstreamConnection* lend() {
    TestWaiter waiter;
    pool_->acquire(waiter, Freshness::kAny);
    turn();
    if (waiter.connection != nullptr) waiter.connection->begin(user_);
    return waiter.connection;
  }
  void give_back(UpstreamConnection* connection) {
    connection->end();
    pool_->release(*connection);
  }

  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  test::TcpListener listener_;
  std::unique_ptr<net::Loop> loop_;
  net::Resolver resolver_;
  TestUser user_;
  std::optional<Pool> pool_;
};

TEST_F(PoolTest, LendsTheOneThatWasIdleLast) {
  UpstreamConnection* const first = lend();
  UpstreamConnection* const second = lend();
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  give_back(first);
  give_back(second);
  EXPECT_EQ(pool_->idle(), 2U);
  UpstreamConnection* const third = lend();
  EXPECT_EQ(third, second);
  EXPECT_EQ(pool_->counts().opened, 2U);
  EXPECT_EQ(pool_->counts().lent, 1U);
  give_back(third);
}

TEST_F(PoolTest, ANewOneIsMadeForWhoWantsNoOther) {
  give_back(lend());
  TestWaiter waiter;
  pool_->acquire(waiter, Freshness::kNew);
  turn();
  ASSERT_NE(waiter.connection, nullptr);
  EXPECT_EQ(waiter.connection->requests(), 0U);
  EXPECT_EQ(pool_->connections(), 2U);
  waiter.connection->begin(user_);
  give_back(waiter.connection);
}

TEST_F(PoolTest, OneThatTheOriginClosedIsNotLent) {
  UpstreamConnection* const first = lend();
  test::Fd accepted = listener_.accept();
  give_back(first);
  accepted.reset();
  turn();
  EXPECT_EQ(pool_->connections(), 0U);
  UpstreamConnection* const second = lend();
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(pool_->counts().opened, 2U);
  give_back(second);
}

TEST_F(PoolTest, OneThatTheOriginClosedJustNowIsNotLentEither) {
  UpstreamConnection* const first = lend();
  test::Fd accepted = listener_.accept();
  give_back(first);
  accepted.reset();  // No turn in between.
  UpstreamConnection* const second = lend();
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(pool_->counts().opened, 2U);
  give_back(second);
}

// Whoever can try again may have one that turns out to be closed.
TEST_F(PoolTest, OneThatTheOriginClosedJustNowIsLentToWhoDoesNotMind) {
  UpstreamConnection* const first = lend();
  test::Fd accepted = listener_.accept();
  give_back(first);
  ASSERT_TRUE(first->still_usable());  // And so it is read to its end.
  accepted.reset();
  TestWaiter waiter;
  pool_->acquire(waiter, Freshness::kUnchecked);
  EXPECT_EQ(waiter.connection, first);
  waiter.connection->begin(user_);
  give_back(waiter.connection);
  turn();
  EXPECT_EQ(pool_->connections(), 0U);
}

TEST_F(PoolTest, WaitersAreServedInTheirOrder) {
  open({.connections_max = 1});
  UpstreamConnection* const only = lend();
  TestWaiter first, second;
  pool_->acquire(first, Freshness::kAny);
  pool_->acquire(second, Freshness::kAny);
  turn();
  EXPECT_EQ(first.connection, nullptr);
  give_back(only);
  EXPECT_EQ(first.connection, only);
  EXPECT_EQ(second.connection, nullptr);
  first.connection->begin(user_);
  // One that cannot be used again makes room for a new one.
  first.connection->spoil();
  give_back(first.connection);
  turn();
  ASSERT_NE(second.connection, nullptr);
  second.connection->begin(user_);
  give_back(second.connection);
  EXPECT_EQ(pool_->counts().waited, 2U);
}

TEST_F(PoolTest, WhoWaitsGetsNoneThatHasMoreThanItsResponses) {
  open({.connections_max = 1});
  UpstreamConnection* const only = lend();
  const test::Fd accepted = listener_.accept();
  TestWaiter waiter;
  pool_->acquire(waiter, Freshness::kAny);
  constexpr std::string_view kNobodyAsked = "HTTP/1.1 200 OK\r\n\r\n";
  ASSERT_GT(::send(accepted.get(), kNobodyAsked.data(), kNobodyAsked.size(), MSG_NOSIGNAL), 0);
  turn();
  give_back(only);
  turn();
  ASSERT_NE(waiter.connection, nullptr);
  EXPECT_EQ(pool_->counts().opened, 2U);
  waiter.connection->begin(user_);
  give_back(waiter.connection);
}

TEST_F(PoolTest, TheyWaitForABoundedTimeAndInABoundedNumber) {
  open({.connections_max = 1, .waiters_max = 1, .wait_timeout = 2s});
  UpstreamConnection* const only = lend();
  TestWaiter first, second;
  pool_->acquire(first, Freshness::kAny);
  pool_->acquire(second, Freshness::kAny);
  EXPECT_EQ(second.error, Errc::kUpstreamBusy);
  pass(1900ms);
  EXPECT_EQ(first.error, std::nullopt);
  pass(200ms);
  EXPECT_EQ(first.error, Errc::kUpstreamBusy);
  give_back(only);
}

TEST_F(PoolTest, AWaiterMayLeave) {
  open({.connections_max = 1});
  UpstreamConnection* const only = lend();
  TestWaiter first, second;
  pool_->acquire(first, Freshness::kAny);
  pool_->acquire(second, Freshness::kAny);
  pool_->withdraw(first);
  give_back(only);
  EXPECT_EQ(first.connection, nullptr);
  EXPECT_EQ(second.connection, only);
  only->begin(user_);
  give_back(only);
}

TEST_F(PoolTest, IdleOnesComeOfAgeAndAreNotTooMany) {
  open({.idle_max = 1, .idle_timeout = 10s});
  UpstreamConnection* const first = lend();
  UpstreamConnection* const second = lend();
  give_back(first);
  give_back(second);
  turn();
  EXPECT_EQ(pool_->connections(), 1U);
  pass(9s);
  EXPECT_EQ(pool_->idle(), 1U);
  EXPECT_FALSE(pool_->unused());
  pass(1100ms);
  EXPECT_EQ(pool_->connections(), 0U);
  EXPECT_TRUE(pool_->unused());
}

TEST_F(PoolTest, AfterAFailureTheNextAttemptIsPutOff) {
  const std::uint16_t closed = test::TcpListener{}.address().port;
  pool_.emplace(*loop_, resolver_, Origin{.host = "127.0.0.1", .port = closed},
                PoolLimits{.retry_min = 1s});
  TestWaiter first, second, third;
  pool_->acquire(first, Freshness::kAny);
  turn();
  EXPECT_EQ(first.error, Errc::kUpstreamUnreachable);
  const int sockets = syscalls_.calls(test::Call::kSocket);
  pool_->acquire(second, Freshness::kAny);
  EXPECT_EQ(second.error, Errc::kUpstreamUnreachable);
  EXPECT_EQ(syscalls_.calls(test::Call::kSocket), sockets);
  pass(1100ms);
  pool_->acquire(third, Freshness::kAny);
  turn();
  EXPECT_EQ(syscalls_.calls(test::Call::kSocket), sockets + 1);
  EXPECT_EQ(pool_->counts().failed, 2U);
}

}  // namespace
}  // namespace tercel::proxy
