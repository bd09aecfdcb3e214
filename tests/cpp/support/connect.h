// The client's end of a connection to a listening socket of the test.
#pragma once

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cstring>
#include <string>
#include <string_view>

#include "support/descriptors.h"
#include "tercel/net/socket_address.h"

namespace tercel::test {

// Blocking. The errno of a failed connect() is left in errno, and the result is -1.
inline Fd connect_to(const Address& address) {
  const net::SocketAddress socket_address = net::to_socket_address(address);
  Fd fd{::socket(socket_address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (::connect(fd.get(), socket_address.get(), socket_address.bytes) < 0) return Fd{};
  return fd;
}

// A client whose reads end after some seconds, whatever happens; -1 when it could not connect.
inline Fd patient(Fd client) {
  if (client.get() < 0) return client;
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  EXPECT_EQ(::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
  EXPECT_EQ(::setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
  return client;
}

// From another address of this machine: all of 127.0.0.0/8 are.
inline Fd connect_from(std::string_view host, const Address& address) {
  const net::SocketAddress from = net::to_socket_address(*net::parse_ip(host, 0));
  const net::SocketAddress to = net::to_socket_address(address);
  Fd fd{::socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  EXPECT_EQ(::bind(fd.get(), from.get(), from.bytes), 0);
  if (::connect(fd.get(), to.get(), to.bytes) < 0) return Fd{};
  return fd;
}

inline Fd connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  EXPECT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  Fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return Fd{};
  }
  return fd;
}

}  // namespace tercel::test
