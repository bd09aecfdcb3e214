// Between Address and the kernel's sockaddr. Tested by socket_address_test.cc.
#pragma once

#include <sys/socket.h>

#include "tercel/base/address.h"
#include "tercel/net/syscalls.h"

namespace tercel::net {

// Room for an address of any family, and the part of it that is used. A value.
struct SocketAddress {
  sockaddr_storage storage;
  socklen_t bytes = sizeof(sockaddr_storage);

  [[nodiscard]] sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] const sockaddr* get() const noexcept {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
};

// Belongs to base; who resolves names asks for it here.
using tercel::parse_ip;

// REQUIRES: kind is kIpv4 or kIpv6.
[[nodiscard]] SocketAddress to_socket_address(const Address& address) noexcept;

// Other families become kNone. An IPv4 address in IPv6 form (::ffff:0:0/96), as a socket for both
// families reports it, becomes the IPv4 address that it is.
[[nodiscard]] Address from_socket_address(const SocketAddress& address) noexcept;

// The address a connection came in on; kNone when the kernel does not say. A listening socket bound
// to a single address has the same, without a system call.
[[nodiscard]] Address local_address(Syscalls& syscalls, int fd) noexcept;

}  // namespace tercel::net
