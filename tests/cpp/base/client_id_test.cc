#include "tercel/base/client_id.h"

#include <algorithm>
#include <initializer_list>

#include <gtest/gtest.h>

namespace tercel {
namespace {

Address ipv4(std::initializer_list<std::uint8_t> bytes, std::uint16_t port = 0) {
  Address address{.port = port, .kind = AddressKind::kIpv4};
  std::ranges::copy(bytes, address.ip.begin());
  return address;
}

Address ipv6(std::initializer_list<std::uint8_t> bytes) {
  Address address{.kind = AddressKind::kIpv6};
  std::ranges::copy(bytes, address.ip.begin());
  return address;
}

TEST(ClientIdTest, AnIpv4AddressIsAClientWhateverItsPort) {
  EXPECT_EQ(client_id(ipv4({192, 0, 2, 1}, 1)), client_id(ipv4({192, 0, 2, 1}, 2)));
  EXPECT_NE(client_id(ipv4({192, 0, 2, 1})), client_id(ipv4({192, 0, 2, 2})));
  EXPECT_NE(client_id(ipv4({192, 0, 2, 1})), client_id(ipv4({193, 0, 2, 1})));
}

TEST(ClientIdTest, AnIpv6ClientIsItsSlash64) {
  const auto client = client_id(ipv6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9}));
  EXPECT_EQ(client, client_id(ipv6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0x80})));
  EXPECT_NE(client, client_id(ipv6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 2, 9, 9, 9, 9, 9, 9, 9, 9})));
}

// All of them are in one /64: counted so, each would pay for the others.
TEST(ClientIdTest, AnIpv4AddressInIpv6FormIsThatAddress) {
  const auto mapped = ipv6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1});
  EXPECT_EQ(client_id(mapped), client_id(ipv4({192, 0, 2, 1})));
  EXPECT_NE(client_id(mapped), client_id(ipv4({192, 0, 2, 2})));
}

TEST(ClientIdTest, NoIpv6LoopbackIsAnIpv4Address) {
  const auto loopback = client_id(ipv6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_TRUE(loopback);
  EXPECT_NE(loopback, client_id(ipv4({0, 0, 0, 0})));
  EXPECT_NE(loopback, client_id(ipv4({0, 0, 0, 1})));
}

TEST(ClientIdTest, WhoHasNoAddressIsNoClient) {
  EXPECT_FALSE(client_id({}));
  EXPECT_FALSE(client_id({.kind = AddressKind::kUnix}));
}

}  // namespace
}  // namespace tercel
