#include "tercel/edge/rate_table.h"

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocations.h"

namespace tercel::edge {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using std::chrono::nanoseconds;

constexpr nanoseconds kStart = 1h;
constexpr KeyedHash kHash{1, 2};
constexpr ClientId kAnn{1};
constexpr ClientId kBob{2};

// Tokens that are there at `now`, taken.
int drain(RateTable& table, ClientId client, nanoseconds now) {
  int tokens = 0;
  while (table.take(client, now) == 0ns) ++tokens;
  return tokens;
}

// Clients that share a set of the one-set table, or of any other.
std::vector<ClientId> neighbours(std::size_t sets, std::size_t count) {
  std::vector<ClientId> found;
  for (std::uint64_t i = 1; found.size() < count; ++i) {
    if ((kHash(i) & (sets - 1)) == 0) found.push_back(ClientId{i});
  }
  return found;
}

TEST(RateTableTest, AFullBucketHoldsABurst) {
  RateTable table({.requests = 10, .burst = 25});
  EXPECT_EQ(drain(table, kAnn, kStart), 25);
}

TEST(RateTableTest, WithoutABurstABucketHoldsTheTokensOfASecond) {
  RateTable table({.requests = 7});
  EXPECT_EQ(drain(table, kAnn, kStart), 7);
}

TEST(RateTableTest, TokensGrowWithTimeUpToABurst) {
  RateTable table({.requests = 10, .burst = 5});
  EXPECT_EQ(drain(table, kAnn, kStart), 5);
  EXPECT_EQ(drain(table, kAnn, kStart + 99ms), 0);
  EXPECT_EQ(drain(table, kAnn, kStart + 100ms), 1);
  EXPECT_EQ(drain(table, kAnn, kStart + 300ms), 2);
  EXPECT_EQ(drain(table, kAnn, kStart + 1h), 5);
}

TEST(RateTableTest, TheWaitIsUntilTheNextToken) {
  RateTable table({.requests = 2, .burst = 1});
  EXPECT_EQ(table.take(kAnn, kStart), 0ns);
  EXPECT_EQ(table.take(kAnn, kStart), 500ms);
  EXPECT_EQ(table.take(kAnn, kStart + 200ms), 300ms);
  EXPECT_EQ(table.take(kAnn, kStart + 500ms), 0ns);
}

// Who keeps asking does not push the time away from itself.
TEST(RateTableTest, ARefusalCostsNothing) {
  RateTable table({.requests = 1, .burst = 1});
  EXPECT_EQ(table.take(kAnn, kStart), 0ns);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(table.take(kAnn, kStart + 10ms), 990ms);
  EXPECT_EQ(table.take(kAnn, kStart + 1s), 0ns);
}

TEST(RateTableTest, EveryClientHasABucketOfItsOwn) {
  RateTable table({.requests = 1, .burst = 3});
  EXPECT_EQ(drain(table, kAnn, kStart), 3);
  EXPECT_EQ(drain(table, kBob, kStart), 3);
  EXPECT_EQ(drain(table, kAnn, kStart), 0);
}

// The places that were never taken hold this one: it must not find another's debt, nor none.
TEST(RateTableTest, TheClientWithTheNumberZeroIsLimitedToo) {
  RateTable table({.requests = 1, .burst = 2});
  EXPECT_EQ(drain(table, ClientId{0}, kStart), 2);
  EXPECT_EQ(drain(table, kAnn, kStart), 2);
}

TEST(RateTableTest, AFullBucketMakesRoomWithoutALoss) {
  RateTable table({.requests = 1, .burst = 2, .clients_max = RateTable::kWays}, kHash);
  const auto clients = neighbours(1, RateTable::kWays + 1);
  for (std::size_t i = 0; i + 1 < clients.size(); ++i) {
    EXPECT_EQ(drain(table, clients[i], kStart + i * 1s), 2);
  }
  // The first has been full again for long; the others keep what they owe.
  EXPECT_EQ(drain(table, clients.back(), kStart + 7s), 2);
  EXPECT_EQ(drain(table, clients[7], kStart + 7s), 0);
}

TEST(RateTableTest, InAFullSetTheFullestBucketStartsAnew) {
  RateTable table({.requests = 1, .burst = 100, .clients_max = 1024}, kHash);
  const auto clients = neighbours(table.places() / RateTable::kWays, RateTable::kWays + 1);
  for (std::size_t i = 0; i < RateTable::kWays; ++i) {
    for (std::size_t tokens = 0; tokens < 90 + i; ++tokens) (void)table.take(clients[i], kStart);
  }
  EXPECT_EQ(drain(table, clients.back(), kStart), 100);  // In the place of the first.
  for (std::size_t i = 1; i < RateTable::kWays; ++i) {
    EXPECT_EQ(drain(table, clients[i], kStart), static_cast<int>(10 - i)) << i;
  }
}

TEST(RateTableTest, TheNumberOfPlacesIsAPowerOfTwo) {
  EXPECT_EQ(RateTable({.requests = 1, .clients_max = 1}).places(), 8U);
  EXPECT_EQ(RateTable({.requests = 1, .clients_max = 1000}).places(), 1024U);
  EXPECT_EQ(RateTable({.requests = 1, .clients_max = 1024}).places(), 1024U);
}

// What a table of half its places forgets: few, and not by the choice of anybody.
TEST(RateTableTest, AHalfFullTableForgetsNextToNobody) {
  RateTable table({.requests = 1, .burst = 1, .clients_max = 4096}, kHash);
  for (std::uint64_t i = 0; i < 2048; ++i) (void)table.take(ClientId{i << 32}, kStart);
  int forgotten = 0;
  for (std::uint64_t i = 0; i < 2048; ++i) {
    if (table.take(ClientId{i << 32}, kStart) == 0ns) ++forgotten;
  }
  EXPECT_LT(forgotten, 2048 / 50);
}

TEST(RateTableTest, NothingIsAllocatedForAClient) {
  RateTable table({.requests = 1, .clients_max = 64});
  const test::AllocationCount count;
  for (std::uint64_t i = 0; i < 10'000; ++i) (void)table.take(ClientId{i}, kStart);
  EXPECT_EQ(count.so_far(), 0U);
}

TEST(RateTableTest, TheLargestNumbersDoNotOverflow) {
  constexpr std::uint32_t kMax = 1'000'000;
  RateTable slow({.requests = 1, .burst = kMax});
  EXPECT_EQ(drain(slow, kAnn, kStart), static_cast<int>(kMax));
  EXPECT_EQ(slow.take(kAnn, kStart), 1s);
  RateTable fast({.requests = kMax, .burst = 1});
  EXPECT_EQ(fast.take(kAnn, kStart), 0ns);
  EXPECT_EQ(fast.take(kAnn, kStart), 1us);
}

}  // namespace
}  // namespace tercel::edge
