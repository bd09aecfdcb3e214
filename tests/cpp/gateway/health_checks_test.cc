#include "tercel/gateway/health_checks.h"

#include <fcntl.h>

#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "support/tcp_listener.h"
#include "tercel/gateway/station.h"

namespace tercel::gateway {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.

class HealthChecksTest : public testing::Test {
 protected:
  HealthChecksTest() { listener_.emplace(); }
  ~HealthChecksTest() override {
    checks_.reset();
    turn();
  }
  Endpoint endpoint(Check check) {
    Endpoint one;
    one.secure = false;
    one.host = "127.0.0.1";
    one.port = listener_->address().port;
    one.limits.connect_timeout = 2s;
    one.pool_key = "one";
    one.check = check;
    one.check_interval = 10s;
    return one;
  }
  void serve(std::vector<Endpoint> endpoints) {
    Config config;
    config.endpoints = std::move(endpoints);
    if (!live_) {
      live_.emplace(SharedConst{std::move(config)});
      view_.emplace(*live_);
      checks_.emplace(HealthChecks::With{*loop_, pools_, calls_, *view_, counts_});
    } else {
      live_->replace(SharedConst{std::move(config)});
      static_cast<void>(view_->current());
      checks_->follow();
    }
    turn();
  }
  void turn() {
    for (int i = 0; i < 6; ++i) {
      ASSERT_TRUE(loop_->wait(1ms));
      loop_->dispatch();
    }
  }
  void pass(std::chrono::nanoseconds time) {
    clock_.advance(time);
    turn();
  }
  bool accepted() {
    test::Fd next = listener_->accept();
    if (next.get() < 0) return false;
    peer_ = std::move(next);
    EXPECT_EQ(::fcntl(peer_.get(), F_SETFL, O_NONBLOCK), 0);
    return true;
  }

  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  std::unique_ptr<net::Loop> loop_ = *net::Loop::create(clock_, syscalls_);
  net::Resolver resolver_{*loop_};
  Pools pools_{*loop_, resolver_};
  proxy::CallContext calls_{*loop_, {}};
  Counts counts_;
  std::optional<test::TcpListener> listener_;
  test::Fd peer_;
  std::optional<LiveConfig> live_;
  std::optional<ConfigView> view_;
  std::optional<HealthChecks> checks_;
};

TEST_F(HealthChecksTest, NobodyLooksWhereNobodyWasToldTo) {
  serve({endpoint(Check::kOff)});
  pass(60s);
  EXPECT_FALSE(accepted());
  EXPECT_EQ(counts_.get(Counts::checks), 0U);
}

TEST_F(HealthChecksTest, AConnectionIsEnoughAndStaysForRequests) {
  const Endpoint one = endpoint(Check::kConnect);
  for (int i = 0; i < 3; ++i) static_cast<void>(one.health->failed(loop_->now()));
  EXPECT_TRUE(one.health->rests());
  serve({one});
  EXPECT_TRUE(accepted());
  EXPECT_FALSE(one.health->rests());
  EXPECT_EQ(checks_->running(), 0U);
  EXPECT_EQ(counts_.get(Counts::checks), 1U);
  EXPECT_EQ(counts_.get(Counts::checks_failed), 0U);
  pass(8s);
  EXPECT_FALSE(accepted()) << "before its time";
  pass(5s);
  EXPECT_TRUE(accepted());
  EXPECT_EQ(counts_.get(Counts::checks), 2U);
}

TEST_F(HealthChecksTest, OneThatIsGoneRestsUntilItIsBack) {
  const Endpoint one = endpoint(Check::kConnect);
  const std::uint16_t port = listener_->address().port;
  listener_.reset();
  serve({one});
  EXPECT_TRUE(one.health->rests());
  EXPECT_EQ(counts_.get(Counts::checks_failed), 1U);
  EXPECT_EQ(counts_.get(Counts::rested), 1U);
  for (int i = 0; i < 4; ++i) {
    pass(5s);
    EXPECT_FALSE(one.health->usable(loop_->now())) << "no request tries it";
  }
  EXPECT_GE(counts_.get(Counts::checks_failed), 2U);
  EXPECT_EQ(counts_.get(Counts::rested), 1U);
  listener_.emplace("127.0.0.1", port);
  pass(13s);
  EXPECT_FALSE(one.health->rests());
}

TEST_F(HealthChecksTest, AHeadIsAnsweredByWhoIsThere) {
  const Endpoint one = endpoint(Check::kHead);
  serve({one});
  ASSERT_TRUE(accepted());
  turn();
  EXPECT_EQ(test::receive_all(peer_),
            "HEAD / HTTP/1.1\r\nhost: 127.0.0.1:" + std::to_string(one.port) + "\r\n\r\n");
  test::send_text(peer_, "HTTP/1.1 403 F\r\ncontent-length: 9\r\n\r\n");
  turn();
  EXPECT_EQ(checks_->running(), 0U);
  EXPECT_FALSE(one.health->rests());
  pass(13s);
  ASSERT_TRUE(accepted());
  test::send_text(peer_, "HTTP/1.1 501 N\r\ncontent-length: 9\r\n\r\n");
  turn();
  EXPECT_FALSE(one.health->rests()) << "it is there, if it does not know HEAD";
  pass(13s);
  ASSERT_TRUE(accepted());
  test::send_text(peer_, "HTTP/1.1 502 B\r\ncontent-length: 9\r\n\r\n");
  turn();
  EXPECT_TRUE(one.health->rests());
}

TEST_F(HealthChecksTest, AnAnswerThatDoesNotComeIsWaitedForAsLongAsForAConnection) {
  const Endpoint one = endpoint(Check::kHead);
  serve({one});
  ASSERT_TRUE(accepted());
  pass(1900ms);
  EXPECT_EQ(checks_->running(), 1U);
  pass(200ms);
  EXPECT_EQ(checks_->running(), 0U);
  EXPECT_TRUE(one.health->rests());
}

TEST_F(HealthChecksTest, NobodyLooksAgainWhileALookIsUnderWay) {
  Endpoint one = endpoint(Check::kHead);
  one.check_interval = 100ms;
  serve({one});
  ASSERT_TRUE(accepted());
  for (int i = 0; i < 15; ++i) {
    pass(100ms);
    EXPECT_LE(checks_->running(), 1U);
  }
  EXPECT_EQ(counts_.get(Counts::checks), 1U);
  pass(600ms);
  EXPECT_EQ(counts_.get(Counts::checks_failed), 1U);
  pass(100ms);
  EXPECT_EQ(counts_.get(Counts::checks), 2U);
}

TEST_F(HealthChecksTest, AnotherConfigurationIsFollowed) {
  serve({endpoint(Check::kOff)});
  serve({endpoint(Check::kConnect)});
  EXPECT_TRUE(accepted());
  serve({});
  pass(60s);
  EXPECT_FALSE(accepted());
  serve({endpoint(Check::kConnect)});
  EXPECT_TRUE(accepted());
}

TEST_F(HealthChecksTest, OneThatIsUnderWayEndsWithItsLoop) {
  serve({endpoint(Check::kHead)});
  ASSERT_TRUE(accepted());
  EXPECT_EQ(checks_->running(), 1U);
}

}  // namespace
}  // namespace tercel::gateway
