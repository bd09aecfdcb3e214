#include "tercel/server/client_counts.h"

#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocations.h"

namespace tercel::server {
namespace {

constexpr KeyedHash kHash{1, 2};

Address ipv4(std::uint32_t number) {
  Address address{.kind = AddressKind::kIpv4};
  for (int i = 0; i < 4; ++i) {
    address.ip[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  return address;
}

TEST(ClientCountsTest, EveryClientHasTheLimitForItself) {
  ClientCounts counts{2};
  for (const std::uint32_t client : {1U, 2U}) {
    EXPECT_TRUE(counts.enter(ipv4(client)));
    EXPECT_TRUE(counts.enter(ipv4(client)));
    EXPECT_FALSE(counts.enter(ipv4(client)));
  }
  EXPECT_EQ(counts.refused(), 2U);
  EXPECT_EQ(counts.clients(), 2U);
}

TEST(ClientCountsTest, WhoLeavesMakesRoom) {
  ClientCounts counts{1};
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(counts.enter(ipv4(1)));
    EXPECT_FALSE(counts.enter(ipv4(1)));
    counts.leave(ipv4(1));
    EXPECT_EQ(counts.clients(), 0U);
  }
}

TEST(ClientCountsTest, TheAddressesOfAnIpv6Slash64AreOneClient) {
  ClientCounts counts{1};
  Address first{.ip = {0x20, 1, 0xd, 0xb8}, .kind = AddressKind::kIpv6};
  Address second = first;
  second.ip[15] = 1;
  EXPECT_TRUE(counts.enter(first));
  EXPECT_FALSE(counts.enter(second));
  second.ip[7] = 1;
  EXPECT_TRUE(counts.enter(second));
}

TEST(ClientCountsTest, WithoutALimitOrAnAddressNothingIsCounted) {
  ClientCounts unlimited{0};
  ClientCounts counts{1};
  const Address nobody;
  const Address on_unix{.kind = AddressKind::kUnix};
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(unlimited.enter(ipv4(1)));
    EXPECT_TRUE(counts.enter(nobody));
    EXPECT_TRUE(counts.enter(on_unix));
  }
  unlimited.leave(ipv4(1));
  counts.leave(nobody);
  counts.leave(on_unix);
  EXPECT_EQ(counts.places() + unlimited.places(), 0U);
}

// Removing closes the gap that it leaves: nobody behind it may be lost. A map is the judge.
TEST(ClientCountsTest, AgreesWithAMapInAnyOrderOfComingAndGoing) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random{seed};
    ClientCounts counts{3, kHash};
    std::map<std::uint32_t, int> expected;
    for (int i = 0; i < 5000; ++i) {
      // Of few clients, so that they come again; at the start of some seeds more come than go.
      const auto client = static_cast<std::uint32_t>(random() % (50U << seed % 4));
      int& open = expected[client];
      if (random() % 2 == 0) {
        ASSERT_EQ(counts.enter(ipv4(client)), open < 3) << "seed " << seed << ", step " << i;
        if (open < 3) ++open;
      } else if (open > 0) {
        counts.leave(ipv4(client));
        --open;
      }
      if (open == 0) expected.erase(client);
      ASSERT_EQ(counts.clients(), expected.size()) << "seed " << seed << ", step " << i;
    }
    for (const auto& [client, open] : expected) {
      for (int i = 0; i < open; ++i) counts.leave(ipv4(client));
    }
    EXPECT_EQ(counts.clients(), 0U);
  }
}

TEST(ClientCountsTest, TheTableGrowsAndShrinksWithTheClients) {
  ClientCounts counts{1};
  constexpr std::uint32_t kMany = 100'000;
  for (std::uint32_t i = 0; i < kMany; ++i) ASSERT_TRUE(counts.enter(ipv4(i)));
  EXPECT_GE(counts.places(), std::size_t{2} * kMany);
  EXPECT_LE(counts.places(), std::size_t{4} * kMany);
  for (std::uint32_t i = 0; i < kMany; ++i) counts.leave(ipv4(i));
  EXPECT_EQ(counts.places(), 64U);
}

TEST(ClientCountsTest, ASteadyStateAllocatesNothing) {
  ClientCounts counts{4};
  for (std::uint32_t i = 0; i < 1000; ++i) ASSERT_TRUE(counts.enter(ipv4(i)));
  const test::AllocationCount allocations;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    counts.leave(ipv4(i));
    ASSERT_TRUE(counts.enter(ipv4(i + 1000)));
  }
  EXPECT_EQ(allocations.so_far(), 0U);
}

TEST(ClientCountsTest, WithoutMemoryANewClientIsRefusedAndTheOthersStay) {
  ClientCounts counts{2};
  std::uint32_t clients = 0;
  while (clients < 32) ASSERT_TRUE(counts.enter(ipv4(clients++)));
  {
    const test::AllocationFailure failure{1};
    EXPECT_FALSE(counts.enter(ipv4(clients)));
    EXPECT_TRUE(failure.happened());
  }
  EXPECT_TRUE(counts.enter(ipv4(clients)));
  for (std::uint32_t i = 0; i < clients; ++i) {
    EXPECT_TRUE(counts.enter(ipv4(i)));
    EXPECT_FALSE(counts.enter(ipv4(i)));
  }
}

TEST(ClientCountsTest, WithoutMemoryATableStaysLarge) {
  ClientCounts counts{1};
  for (std::uint32_t i = 0; i < 64; ++i) ASSERT_TRUE(counts.enter(ipv4(i)));
  const std::size_t places = counts.places();
  for (std::uint32_t i = 0; i < 64; ++i) {
    const test::AllocationFailure failure{1};
    counts.leave(ipv4(i));
  }
  EXPECT_EQ(counts.places(), places);
  EXPECT_TRUE(counts.enter(ipv4(1)));
}

}  // namespace
}  // namespace tercel::server
