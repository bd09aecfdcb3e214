#include "tercel/base/address.h"

#include <arpa/inet.h>

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace tercel {
namespace {

std::string host(const Address& address) {
  std::array<char, Address::kHostBytesMax> text;
  return std::string{address.host(text)};
}

std::string ipv6(const char* text) {
  Address address{.kind = AddressKind::kIpv6};
  EXPECT_EQ(inet_pton(AF_INET6, text, address.ip.data()), 1) << text;
  return host(address);
}

TEST(AddressTest, Ipv4IsDottedDecimal) {
  EXPECT_EQ(host({.ip = {127, 0, 0, 1}, .port = 80, .kind = AddressKind::kIpv4}), "127.0.0.1");
  EXPECT_EQ(host({.ip = {255, 255, 255, 255}, .kind = AddressKind::kIpv4}), "255.255.255.255");
  EXPECT_EQ(host({.kind = AddressKind::kIpv4}), "0.0.0.0");
}

// The examples of RFC 5952 section 4, each with the number of its rule.
TEST(AddressTest, Ipv6FollowsRfc5952) {
  EXPECT_EQ(ipv6("2001:0db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");    // 4.1
  EXPECT_EQ(ipv6("2001:db8:0:0:0:0:2:1"), "2001:db8::2:1");         // 4.2.1
  EXPECT_EQ(ipv6("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");  // 4.2.2
  EXPECT_EQ(ipv6("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");           // 4.2.3, the longest
  EXPECT_EQ(ipv6("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");     // 4.2.3, the first
  EXPECT_EQ(ipv6("2001:DB8::ABCD:EF12"), "2001:db8::abcd:ef12");    // 4.3
  EXPECT_EQ(ipv6("::ffff:192.0.2.1"), "::ffff:192.0.2.1");          // 5
}

TEST(AddressTest, RunsOfZerosMayStandAtEitherEnd) {
  EXPECT_EQ(ipv6("::"), "::");
  EXPECT_EQ(ipv6("::1"), "::1");
  EXPECT_EQ(ipv6("1::"), "1::");
  EXPECT_EQ(ipv6("1:0:0:2::"), "1:0:0:2::");
  EXPECT_EQ(ipv6("0:1:2:3:4:5:6:7"), "0:1:2:3:4:5:6:7");
  EXPECT_EQ(ipv6("1:2:3:4:5:6:7:0"), "1:2:3:4:5:6:7:0");
  EXPECT_EQ(ipv6("::ffff:0:1"), "::ffff:0.0.0.1");
  EXPECT_EQ(ipv6("::fffe:102:304"), "::fffe:102:304");
}

TEST(AddressTest, TheLongestHostFits) {
  EXPECT_EQ(ipv6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

// glibc follows RFC 5952 too, except that it writes ::/96 with an IPv4 address at its end.
TEST(AddressTest, AgreesWithTheSystemOnRandomAddresses) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random{seed};
  for (int i = 0; i < 50'000; ++i) {
    Address address{.kind = AddressKind::kIpv6};
    for (std::size_t group = 0; group < 8; ++group) {
      const auto value =
          static_cast<unsigned>(random() % 2 == 0 ? 0 : random() % 0x10000) >> random() % 16;
      address.ip[2 * group] = static_cast<std::uint8_t>(value >> 8);
      address.ip[2 * group + 1] = static_cast<std::uint8_t>(value);
    }
    if (address.ip[0] == 0 && address.ip[1] == 0) address.ip[1] = 1;
    char text[INET6_ADDRSTRLEN];
    ASSERT_EQ(host(address), inet_ntop(AF_INET6, address.ip.data(), text, sizeof text));
  }
}

TEST(AddressTest, UnixAndNoneHaveNoHost) {
  EXPECT_EQ(host({}), "");
  EXPECT_EQ(host({.kind = AddressKind::kUnix}), "");
}

TEST(AddressTest, EqualityCoversEveryPart) {
  const Address address{.ip = {10, 0, 0, 1}, .port = 80, .kind = AddressKind::kIpv4};
  Address other = address;
  EXPECT_EQ(address, other);
  other.port = 81;
  EXPECT_NE(address, other);
  other = address;
  other.ip[15] = 1;
  EXPECT_NE(address, other);
  other = address;
  other.kind = AddressKind::kIpv6;
  EXPECT_NE(address, other);
}

}  // namespace
}  // namespace tercel
