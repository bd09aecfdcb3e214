#include "tercel/proxy/pool.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "proxy/test_waiter.h"
#include "support/connect.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "support/name_server.h"
#include "support/tcp_listener.h"

namespace tercel::proxy {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.

using test::TestUser;
using test::TestWaiter;

class PoolTest : public testing::Test {
 protected:
  PoolTest() : loop_{*net::Loop::create(clock_, syscalls_)}, resolver_{*loop_} { open({}); }
  void open(const PoolLimits& limits) {
    pool_.emplace(*loop_, resolver_, Origin{.host = "127.0.0.1", .port = listener_->address().port},
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
  void end(UpstreamConnection* connection) {
    connection->spoil();
    give_back(connection);
    turn();
  }
  // Of one that has got a connection, or waits.
  void settle(TestWaiter& waiter) {
    if (waiter.connection != nullptr) {
      waiter.connection->begin(user_);
      give_back(waiter.connection);
    } else if (!waiter.error) {
      pool_->withdraw(waiter);
    }
  }

  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  std::optional<test::TcpListener> listener_{std::in_place};
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
  EXPECT_EQ(pool_->counts_for_test().opened, 2U);
  EXPECT_EQ(pool_->counts_for_test().lent, 1U);
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
  test::Fd accepted = listener_->accept();
  give_back(first);
  accepted.reset();
  turn();
  EXPECT_EQ(pool_->connections(), 0U);
  UpstreamConnection* const second = lend();
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(pool_->counts_for_test().opened, 2U);
  give_back(second);
}

TEST_F(PoolTest, OneThatTheOriginClosedJustNowIsNotLentEither) {
  UpstreamConnection* const first = lend();
  test::Fd accepted = listener_->accept();
  give_back(first);
  accepted.reset();  // No turn in between.
  UpstreamConnection* const second = lend();
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(pool_->counts_for_test().opened, 2U);
  give_back(second);
}

// Whoever can try again may have one that turns out to be closed.
TEST_F(PoolTest, OneThatTheOriginClosedJustNowIsLentToWhoDoesNotMind) {
  UpstreamConnection* const first = lend();
  test::Fd accepted = listener_->accept();
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
  EXPECT_EQ(pool_->counts_for_test().waited, 2U);
}

TEST_F(PoolTest, WhoWaitsGetsNoneThatHasMoreThanItsResponses) {
  open({.connections_max = 1});
  UpstreamConnection* const only = lend();
  const test::Fd accepted = listener_->accept();
  TestWaiter waiter;
  pool_->acquire(waiter, Freshness::kAny);
  constexpr std::string_view kNobodyAsked = "HTTP/1.1 200 OK\r\n\r\n";
  ASSERT_GT(::send(accepted.get(), kNobodyAsked.data(), kNobodyAsked.size(), MSG_NOSIGNAL), 0);
  turn();
  give_back(only);
  turn();
  ASSERT_NE(waiter.connection, nullptr);
  EXPECT_EQ(pool_->counts_for_test().opened, 2U);
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
  EXPECT_EQ(pool_->counts_for_test().failed, 2U);
}

// The origin has gone, and nobody can connect to it: two were lent, and one of them was lost.
TEST_F(PoolTest, AFailureToConnectRefusesNobodyWhoMayGetOneOfOthers) {
  open({.connections_max = 2});
  UpstreamConnection* const lost = lend();
  UpstreamConnection* const lent = lend();
  const std::array<test::Fd, 2> accepted{listener_->accept(), listener_->accept()};
  std::array<TestWaiter, 3> waiters;
  for (TestWaiter& waiter : waiters) pool_->acquire(waiter, Freshness::kAny);
  listener_.reset();
  end(lost);
  EXPECT_EQ(pool_->counts_for_test().failed, 1U);
  TestWaiter late;
  pool_->acquire(late, Freshness::kUnchecked);
  EXPECT_TRUE(late.waits());
  TestWaiter wants_new;
  pool_->acquire(wants_new, Freshness::kNew);
  EXPECT_EQ(wants_new.error, Errc::kUpstreamUnreachable);
  give_back(lent);
  for (TestWaiter& waiter : waiters) {
    ASSERT_EQ(waiter.connection, lent);
    lent->begin(user_);
    give_back(lent);
  }
  EXPECT_EQ(late.connection, lent);
  lent->begin(user_);
  give_back(lent);
}

TEST_F(PoolTest, WhenTheLastOneOfOthersEndsThereIsNothingToWaitFor) {
  open({.connections_max = 2, .retry_min = 1s});
  UpstreamConnection* const lost = lend();
  UpstreamConnection* const lent = lend();
  TestWaiter waiter;
  pool_->acquire(waiter, Freshness::kAny);
  listener_.reset();
  end(lost);
  EXPECT_TRUE(waiter.waits());
  end(lent);
  EXPECT_EQ(waiter.error, Errc::kUpstreamUnreachable);
}

// A tunnel says at its beginning that its connection carries no other request.
TEST_F(PoolTest, NobodyWaitsForOneThatDoesNotComeBack) {
  open({.retry_min = 1s});
  UpstreamConnection* const tunnel = lend();
  tunnel->spoil();
  listener_.reset();
  std::array<TestWaiter, 2> waiters;
  for (TestWaiter& waiter : waiters) {
    pool_->acquire(waiter, Freshness::kAny);
    turn();
    EXPECT_EQ(waiter.error, Errc::kUpstreamUnreachable);
  }
  EXPECT_EQ(pool_->counts_for_test().failed, 1U);
  give_back(tunnel);
}

TEST_F(PoolTest, WhoStillWaitsGetsTheNextAttempt) {
  open({.connections_max = 2, .retry_min = 1s});
  UpstreamConnection* const lost = lend();
  UpstreamConnection* const lent = lend();
  TestWaiter first, second;
  pool_->acquire(first, Freshness::kAny);
  pool_->acquire(second, Freshness::kAny);
  const std::uint16_t port = listener_->address().port;
  listener_.reset();
  end(lost);
  listener_.emplace("127.0.0.1", port);
  pass(100ms);
  EXPECT_TRUE(first.waits());
  pass(1s);
  ASSERT_NE(first.connection, nullptr);
  EXPECT_TRUE(second.waits());
  settle(first);
  EXPECT_EQ(second.connection, first.connection);
  settle(second);
  give_back(lent);
}

TEST_F(PoolTest, OneThatIsMadeEndsThePause) {
  open({.retry_min = 10s});
  TestWaiter first, second, late;
  syscalls_.fail(test::Call::kConnect, ECONNREFUSED, 2);
  pool_->acquire(first, Freshness::kAny);
  pool_->acquire(second, Freshness::kAny);
  turn(1);
  ASSERT_EQ(pool_->counts_for_test().failed, 1U);
  ASSERT_TRUE(first.waits() && second.waits());
  pool_->acquire(late, Freshness::kAny);
  turn(1);
  EXPECT_NE(first.connection, nullptr);
  turn();
  EXPECT_NE(second.connection, nullptr);
  EXPECT_NE(late.connection, nullptr);
  EXPECT_EQ(pool_->counts_for_test().opened, 3U);
  for (TestWaiter* const waiter : {&first, &second, &late}) settle(*waiter);
}

// Where it was tried, that says more than that all are busy.
TEST_F(PoolTest, WhoWaitsInVainIsToldWhyNoneCouldBeMade) {
  open({.connections_max = 2, .wait_timeout = 2s, .retry_min = 10s});
  UpstreamConnection* const lost = lend();
  UpstreamConnection* const lent = lend();
  TestWaiter waiter;
  pool_->acquire(waiter, Freshness::kAny);
  listener_.reset();
  end(lost);
  pass(1900ms);
  EXPECT_TRUE(waiter.waits());
  pass(200ms);
  EXPECT_EQ(waiter.error, Errc::kUpstreamUnreachable);
  give_back(lent);
}

TEST_F(PoolTest, AnIdleOneMakesRoomForWhoWantsANewOne) {
  open({.connections_max = 1});
  UpstreamConnection* const first = lend();
  give_back(first);
  TestWaiter waiter;
  pool_->acquire(waiter, Freshness::kNew);
  turn();
  ASSERT_NE(waiter.connection, nullptr);
  EXPECT_EQ(waiter.connection->requests(), 0U);
  waiter.connection->begin(user_);
  TestWaiter next;
  pool_->acquire(next, Freshness::kNew);
  turn();
  EXPECT_TRUE(next.waits());
  give_back(waiter.connection);
  turn();
  ASSERT_NE(next.connection, nullptr);
  EXPECT_EQ(next.connection->requests(), 0U);
  EXPECT_EQ(pool_->counts_for_test().opened, 3U);
  settle(next);
}

TEST_F(PoolTest, ANewOneIsFirstForWhoTakesNoOther) {
  open({.connections_max = 2});
  UpstreamConnection* const first = lend();
  UpstreamConnection* const second = lend();
  TestWaiter any, wants_new;
  pool_->acquire(any, Freshness::kAny);
  pool_->acquire(wants_new, Freshness::kNew);
  end(first);
  ASSERT_NE(wants_new.connection, nullptr);
  EXPECT_EQ(wants_new.connection->requests(), 0U);
  EXPECT_TRUE(any.waits());
  wants_new.connection->begin(user_);
  give_back(second);
  EXPECT_EQ(any.connection, second);
  settle(any);
  give_back(wants_new.connection);
}

// The name is known, asked for anew, and does not exist any more, while a connection to its last
// address is on its way.
TEST(PoolOfANameTest, ANameThatIsGoneEndsTheSearchForConnections) {
  test::ManualClock clock;
  test::FailingSyscalls syscalls;
  test::NameServer names;
  const auto loop = *net::Loop::create(clock, syscalls);
  net::Resolver resolver{*loop, net::ResolverOptions{.servers = names.address()}};
  const test::TcpListener full{"127.0.0.1", 0, 0};
  const test::Fd filling = test::connect_to(full.address());
  Pool pool{*loop, resolver, Origin{.host = "a.test", .port = full.address().port},
            PoolLimits{.connect_timeout = 60s, .wait_timeout = 60s}};
  // The real time passes for c-ares.
  const auto turn = [&](bool exists) {
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(1ms);
      while (const auto question = names.next()) {
        const bool found = exists && question->type() == test::NameServer::kTypeA;
        names.answer(
            *question,
            found ? std::vector{std::string{"\x7f\x00\x00\x01", 4}} : std::vector<std::string>{}, 1,
            exists ? 0 : 3);
      }
      clock.advance(1ms);
      ASSERT_TRUE(loop->wait(1ms));
      loop->dispatch();
    }
  };
  std::array<TestWaiter, 3> waiters;
  pool.acquire(waiters[0], Freshness::kAny);
  turn(/*exists=*/true);
  clock.advance(2s);
  turn(/*exists=*/true);
  pool.acquire(waiters[1], Freshness::kAny);
  turn(/*exists=*/false);
  EXPECT_EQ(pool.counts_for_test().failed, 0U);
  pool.acquire(waiters[2], Freshness::kAny);
  EXPECT_EQ(pool.counts_for_test().failed, 1U);
  for (TestWaiter& waiter : waiters) {
    EXPECT_TRUE(waiter.waits());
    pool.withdraw(waiter);
  }
}

}  // namespace
}  // namespace tercel::proxy
