#include "tercel/net/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "tercel/base/assert.h"

namespace tercel::net {
namespace {

constexpr std::array<std::uint8_t, 12> kIpv4MappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// The storage is bytes: structures are copied in and out of it.
template <typename T>
SocketAddress stored(const T& address) noexcept {
  SocketAddress result;
  std::memcpy(&result.storage, &address, sizeof address);
  result.bytes = sizeof address;
  return result;
}

template <typename T>
T loaded(const SocketAddress& address) noexcept {
  T result;
  std::memcpy(&result, &address.storage, sizeof result);
  return result;
}

Address from_ipv4(const sockaddr_in& socket) noexcept {
  Address address{.port = ntohs(socket.sin_port), .kind = AddressKind::kIpv4};
  std::memcpy(address.ip.data(), &socket.sin_addr, sizeof socket.sin_addr);
  return address;
}

Address from_ipv6(const sockaddr_in6& socket) noexcept {
  Address address{.port = ntohs(socket.sin6_port), .kind = AddressKind::kIpv6};
  const std::uint8_t* bytes = socket.sin6_addr.s6_addr;
  if (std::equal(kIpv4MappedPrefix.begin(), kIpv4MappedPrefix.end(), bytes)) {
    address.kind = AddressKind::kIpv4;
    std::copy_n(bytes + kIpv4MappedPrefix.size(), 4, address.ip.begin());
  } else {
    std::copy_n(bytes, address.ip.size(), address.ip.begin());
  }
  return address;
}

}  // namespace

Result<Address> parse_ip(std::string_view host, std::uint16_t port) noexcept {
  std::array<char, INET6_ADDRSTRLEN> text{};  // inet_pton() reads up to a zero byte.
  if (host.size() >= text.size() || host.find('\0') != std::string_view::npos) {
    return fail(Errc::kAddressInvalid);
  }
  std::copy(host.begin(), host.end(), text.begin());
  Address address{.port = port};
  if (::inet_pton(AF_INET, text.data(), address.ip.data()) == 1) {
    address.kind = AddressKind::kIpv4;
  } else if (::inet_pton(AF_INET6, text.data(), address.ip.data()) == 1) {
    address.kind = AddressKind::kIpv6;
  } else {
    return fail(Errc::kAddressInvalid);
  }
  return address;
}

SocketAddress to_socket_address(const Address& address) noexcept {
  if (address.kind == AddressKind::kIpv4) {
    sockaddr_in socket{};
    socket.sin_family = AF_INET;
    socket.sin_port = htons(address.port);
    std::memcpy(&socket.sin_addr, address.ip.data(), sizeof socket.sin_addr);
    return stored(socket);
  }
  TERCEL_ASSERT(address.kind == AddressKind::kIpv6);
  sockaddr_in6 socket{};
  socket.sin6_family = AF_INET6;
  socket.sin6_port = htons(address.port);
  std::memcpy(&socket.sin6_addr, address.ip.data(), sizeof socket.sin6_addr);
  return stored(socket);
}

Address from_socket_address(const SocketAddress& address) noexcept {
  if (address.bytes < sizeof(sa_family_t)) return {};
  switch (address.storage.ss_family) {
    case AF_INET:
      return from_ipv4(loaded<sockaddr_in>(address));
    case AF_INET6:
      return from_ipv6(loaded<sockaddr_in6>(address));
    case AF_UNIX:
      return {.kind = AddressKind::kUnix};
    default:
      return {};
  }
}

Address local_address(Syscalls& syscalls, int fd) noexcept {
  SocketAddress address;
  if (syscalls.getsockname(fd, address.get(), &address.bytes) < 0) return {};
  return from_socket_address(address);
}

}  // namespace tercel::net
