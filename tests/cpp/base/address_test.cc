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

TEST(ParseIpTest, TakesLiteralsOfBothFamilies) {
  const auto ipv4 = parse_ip("192.0.2.7", 80);
  ASSERT_TRUE(ipv4);
  EXPECT_EQ(*ipv4, (Address{.ip = {192, 0, 2, 7}, .port = 80, .kind = AddressKind::kIpv4}));
  const auto ipv6 = parse_ip("2001:db8::1", 65535);
  ASSERT_TRUE(ipv6);
  EXPECT_EQ(host(*ipv6), "2001:db8::1");
  EXPECT_EQ(ipv6->port, 65535);
  EXPECT_TRUE(parse_ip("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", 0));
}

TEST(ParseIpTest, RefusesEverythingElse) {
  for (const std::string_view text :
       {"", "localhost", "[::1]", "127.0.0.1:80", "127.0.0.1 ", " ::1", "127.1", "0x7f.0.0.1",
        "127.0.0.01", "256.0.0.1", "1.2.3.4.5", "::1%lo", ":::", "1:2:3:4:5:6:7:8:9", "*"}) {
    EXPECT_FALSE(parse_ip(text, 1)) << text;
  }
  EXPECT_EQ(parse_ip("x", 1).error(), Errc::kAddressInvalid);
  EXPECT_FALSE(parse_ip(std::string_view("127.0.0.1\0x", 11), 1));
  EXPECT_FALSE(parse_ip(std::string(1000, '1'), 1));
}

TEST(WithoutMappingTest, OnlyAnIpv4AddressInIpv6FormChanges) {
  EXPECT_EQ(without_mapping(*parse_ip("::ffff:192.0.2.7", 80)), *parse_ip("192.0.2.7", 80));
  for (const char* text : {"192.0.2.7", "::1", "::fffe:192.0.2.7", "::1:ffff:192.0.2.7", "::"}) {
    EXPECT_EQ(without_mapping(*parse_ip(text, 80)), *parse_ip(text, 80)) << text;
  }
  const Address unix_peer{.kind = AddressKind::kUnix};
  EXPECT_EQ(without_mapping(unix_peer), unix_peer);
}

}  // namespace
}  // namespace tercel
