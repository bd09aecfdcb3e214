#include "tercel/net/resolver.h"

#include <netinet/in.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "support/name_server.h"
#include "tercel/net/socket_address.h"

namespace tercel::net {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.

using test::NameServer;

class ResolverTest : public testing::Test {
 protected:
  struct TestWaiter final : Resolver::Waiter {
    void on_resolved(const Resolver::Found& found) noexcept override {
      told = found.state;
      addresses.assign(found.addresses.begin(), found.addresses.end());
    }
    std::optional<Resolver::State> told;
    std::vector<Address> addresses;
  };

  ResolverTest() : loop_{*Loop::create(clock_, syscalls_)} {
    resolver_.emplace(*loop_, ResolverOptions{.servers = server_.address(), .query_timeout = 50ms});
  }
  // The real time passes for c-ares.
  void turn(const std::function<void(const NameServer::Question&)>& answer, int times = 20) {
    for (int i = 0; i < times; ++i) {
      std::this_thread::sleep_for(1ms);
      while (const auto question = server_.next()) answer(*question);
      clock_.advance(1ms);
      ASSERT_TRUE(loop_->wait(1ms));
      loop_->dispatch();
    }
  }
  void one_address(const NameServer::Question& question, int ttl) {
    if (question.type() == NameServer::kTypeA) {
      server_.answer(question, {std::string{"\x7f\x00\x00\x05", 4}}, ttl);
    } else {
      server_.answer(question, {}, ttl);
    }
  }
  Resolver::State state_of(std::string_view name) {
    TestWaiter ignored;
    return resolver_->resolve(name, ignored).state;
  }

  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  NameServer server_;
  std::unique_ptr<Loop> loop_;
  std::optional<Resolver> resolver_;
};

TEST_F(ResolverTest, AsksOnceForAllAndKeepsTheAnswer) {
  TestWaiter first, second;
  EXPECT_EQ(resolver_->resolve("a.test", first).state, Resolver::State::kWaits);
  EXPECT_EQ(resolver_->resolve("a.test", second).state, Resolver::State::kWaits);
  turn([&](const auto& question) { one_address(question, 60); });
  ASSERT_EQ(first.told, Resolver::State::kKnown);
  ASSERT_EQ(second.told, Resolver::State::kKnown);
  EXPECT_EQ(first.addresses, std::vector{*parse_ip("127.0.0.5", 0)});
  EXPECT_EQ(server_.questions, 2);  // Of either family.
  EXPECT_EQ(state_of("a.test"), Resolver::State::kKnown);
  EXPECT_EQ(server_.questions, 2);
}

TEST_F(ResolverTest, GivesFamiliesInTurn) {
  TestWaiter waiter;
  (void)resolver_->resolve("a.test", waiter);
  turn([&](const auto& question) {
    if (question.type() == NameServer::kTypeA) {
      server_.answer(question, {"\x7f\x01\x01\x01", "\x7f\x01\x01\x02"}, 60);
    } else {
      server_.answer(question,
                     {std::string{"\x20\x01\x0d\xb8", 4} + std::string(11, '\0') + '1',
                      std::string{"\x20\x01\x0d\xb8", 4} + std::string(11, '\0') + '2'},
                     60);
    }
  });
  ASSERT_EQ(waiter.addresses.size(), 4U);
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_NE(waiter.addresses[i].kind, waiter.addresses[i - 1].kind);
  }
}

TEST_F(ResolverTest, UsesAnOldAnswerWhileItAsksAgain) {
  TestWaiter waiter;
  (void)resolver_->resolve("a.test", waiter);
  turn([&](const auto& question) { one_address(question, 10); });
  ASSERT_EQ(waiter.told, Resolver::State::kKnown);
  clock_.advance(11s);
  turn([](const auto&) {}, 1);
  EXPECT_EQ(state_of("a.test"), Resolver::State::kKnown);
  turn([](const auto&) {}, 200);  // Nobody answers.
  EXPECT_GT(server_.questions, 2);
  EXPECT_EQ(state_of("a.test"), Resolver::State::kKnown);
  clock_.advance(Resolver::kStaleMax + 1s);
  turn([](const auto&) {}, 1);
  EXPECT_EQ(state_of("a.test"), Resolver::State::kWaits);
}

TEST_F(ResolverTest, BelievesForAMomentThatThereIsNoSuchName) {
  TestWaiter waiter;
  (void)resolver_->resolve("a.test", waiter);
  turn([&](const auto& question) { server_.answer(question, {}, 0, 3); });
  EXPECT_EQ(waiter.told, Resolver::State::kFailed);
  const int asked = server_.questions;
  EXPECT_EQ(state_of("a.test"), Resolver::State::kFailed);
  EXPECT_EQ(server_.questions, asked);
  clock_.advance(Resolver::kFailureHolds);
  turn([](const auto&) {}, 1);
  EXPECT_EQ(state_of("a.test"), Resolver::State::kWaits);
}

TEST_F(ResolverTest, FailsWhenNobodyAnswers) {
  TestWaiter waiter;
  (void)resolver_->resolve("a.test", waiter);
  turn([](const auto&) {}, 400);
  EXPECT_EQ(waiter.told, Resolver::State::kFailed);
}

TEST_F(ResolverTest, IsNotHurtByGarbage) {
  TestWaiter waiter;
  (void)resolver_->resolve("a.test", waiter);
  turn([&](const auto& question) {
    server_.send(question, "garbage");
    server_.send(question, question.packet.substr(0, 12) + std::string(100, '\xff'));
    std::string cut = question.packet;
    cut[2] = '\x81';
    cut[7] = 9;  // Records that are not there.
    server_.send(question, cut);
    one_address(question, 60);
  });
  EXPECT_TRUE(waiter.told.has_value());
}

TEST_F(ResolverTest, KnowsAddressesWithoutAsking) {
  TestWaiter waiter;
  for (const char* text : {"127.0.0.9", "::1"}) {
    const Resolver::Found found = resolver_->resolve(text, waiter);
    ASSERT_EQ(found.state, Resolver::State::kKnown) << text;
    EXPECT_EQ(found.addresses.front(), *parse_ip(text, 0));
  }
  EXPECT_EQ(server_.questions, 0);
}

// Two time limits of the first name are over when the second one is asked for.
TEST_F(ResolverTest, TellsNobodyWhileItIsAsked) {
  TestWaiter silent;
  std::array<TestWaiter, 3> others;
  (void)resolver_->resolve("silent.test", silent);
  for (std::size_t i = 0; i < others.size(); ++i) {
    std::this_thread::sleep_for(250ms);
    (void)resolver_->resolve("b" + std::to_string(i) + ".test", others[i]);
    EXPECT_EQ(silent.told, std::nullopt);
  }
}

TEST_F(ResolverTest, FollowsAnAlias) {
  TestWaiter waiter;
  (void)resolver_->resolve("a.test", waiter);
  turn([&](const auto& question) {
    if (question.type() != NameServer::kTypeA) return server_.answer(question, {}, 60);
    std::string packet = question.packet.substr(0, question.question_end());
    packet[2] = '\x81';
    packet[3] = '\x80';
    packet[7] = 2;
    packet[8] = packet[9] = packet[10] = packet[11] = 0;
    // Source: RFC 1035 section 3.3.1. "real" and then the rest of the question's name, ".test".
    packet += std::string{"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x07\x04real\xc0\x0e", 19};
    packet +=
        std::string{"\x04real\xc0\x0e\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x00\x06", 21};
    server_.send(question, packet);
  });
  ASSERT_EQ(waiter.told, Resolver::State::kKnown);
  EXPECT_EQ(waiter.addresses, std::vector{*parse_ip("127.0.0.6", 0)});
}

// Every other place is taken by names that are asked for.
TEST_F(ResolverTest, ANameWhoseWaitersAreToldKeepsItsPlace) {
  resolver_.emplace(*loop_, ResolverOptions{.servers = server_.address(), .query_timeout = 20s});
  struct AsksOn final : Resolver::Waiter {
    explicit AsksOn(Resolver& asked) : resolver{asked} {}
    void on_resolved(const Resolver::Found&) noexcept override {
      state = resolver.resolve("one-more.test", next).state;
    }
    Resolver& resolver;
    TestWaiter next;
    std::optional<Resolver::State> state;
  };
  AsksOn first{*resolver_};
  TestWaiter second;
  EXPECT_EQ(resolver_->resolve("a.test", first).state, Resolver::State::kWaits);
  EXPECT_EQ(resolver_->resolve("a.test", second).state, Resolver::State::kWaits);
  std::vector<std::unique_ptr<TestWaiter>> others;
  for (std::size_t i = 1; i < Resolver::kNamesMax; ++i) {
    others.push_back(std::make_unique<TestWaiter>());
    ASSERT_EQ(resolver_->resolve("n" + std::to_string(i) + ".test", *others.back()).state,
              Resolver::State::kWaits);
  }
  turn([&](const auto& question) {
    if (question.packet.substr(12, 2) ==
        "\x01"
        "a")
      one_address(question, 60);
  });
  EXPECT_EQ(first.state, Resolver::State::kFailed);  // No room.
  EXPECT_EQ(second.told, Resolver::State::kKnown);
}

// Nobody else is asked in their place, not for the second name either.
TEST_F(ResolverTest, ServersThatCannotBeAskedAreAskedForNoName) {
  resolver_.emplace(*loop_, ResolverOptions{.servers = "no address"});
  TestWaiter waiter;
  for (int i = 0; i < 2; ++i) {
    const Resolver::Found found = resolver_->resolve("a.test", waiter);
    EXPECT_EQ(found.state, Resolver::State::kFailed);
    EXPECT_EQ(found.error, Errc::kSystem);
  }
}

TEST_F(ResolverTest, AWaiterMayLeaveAndTheResolverMayEnd) {
  {
    TestWaiter gone;
    (void)resolver_->resolve("a.test", gone);
  }
  turn([&](const auto& question) { one_address(question, 60); });
  TestWaiter waits;
  (void)resolver_->resolve("b.test", waits);
  resolver_.reset();
  EXPECT_EQ(waits.told, std::nullopt);
}

}  // namespace
}  // namespace tercel::net
