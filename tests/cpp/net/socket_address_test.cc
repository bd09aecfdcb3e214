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
