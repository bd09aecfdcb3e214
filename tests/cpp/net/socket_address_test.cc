#include "tercel/net/socket_address.h"

#include <netinet/in.h>

#include <string>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/failing_syscalls.h"

namespace tercel::net {
namespace {

std::string host(const Address& address) {
  std::array<char, Address::kHostBytesMax> text;
  return std::string{address.host(text)};
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

TEST(SocketAddressTest, GoesToTheKernelsFormAndBack) {
  for (const char* text : {"127.0.0.1", "255.255.255.255", "0.0.0.0", "::1", "2001:db8::1"}) {
    const auto address = parse_ip(text, 8080);
    ASSERT_TRUE(address);
    EXPECT_EQ(from_socket_address(to_socket_address(*address)), *address) << text;
  }
}

TEST(SocketAddressTest, AnIpv4AddressInIpv6FormBecomesIpv4) {
  const auto mapped = parse_ip("::ffff:192.0.2.7", 80);
  ASSERT_TRUE(mapped);
  const Address address = from_socket_address(to_socket_address(*mapped));
  EXPECT_EQ(address.kind, AddressKind::kIpv4);
  EXPECT_EQ(host(address), "192.0.2.7");
  EXPECT_EQ(address.port, 80);
  EXPECT_EQ(address, *parse_ip("192.0.2.7", 80));
}

TEST(SocketAddressTest, AUnixPeerHasNoNameAndOtherFamiliesHaveNone) {
  SocketAddress address{};
  address.storage.ss_family = AF_UNIX;
  address.bytes = sizeof(sa_family_t);
  EXPECT_EQ(from_socket_address(address), Address{.kind = AddressKind::kUnix});
  address.storage.ss_family = AF_PACKET;
  EXPECT_EQ(from_socket_address(address), Address{});
  address.bytes = 0;  // accept(2) of a peer that is gone, on some systems.
  EXPECT_EQ(from_socket_address(address), Address{});
}

TEST(LocalAddressTest, IsWhereTheSocketIsBoundOrNone) {
  const test::SocketPair pair = test::socket_pair();
  EXPECT_EQ(local_address(system_calls(), pair.ours.get()).kind, AddressKind::kUnix);
  EXPECT_EQ(local_address(system_calls(), -1), Address{});
  const test::Fd tcp{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const SocketAddress any = to_socket_address(*parse_ip("127.0.0.1", 0));
  ASSERT_EQ(::bind(tcp.get(), any.get(), any.bytes), 0);
  const Address address = local_address(system_calls(), tcp.get());
  EXPECT_EQ(host(address), "127.0.0.1");
  EXPECT_NE(address.port, 0);
}

}  // namespace
}  // namespace tercel::net
