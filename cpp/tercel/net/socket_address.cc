#include "tercel/net/socket_address.h"

#include <netinet/in.h>

#include <cstring>

#include "tercel/base/assert.h"

namespace tercel::net {
namespace {

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
  std::memcpy(address.ip.data(), &socket.sin6_addr, sizeof socket.sin6_addr);
  return without_mapping(address);
}

}  // namespace

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
