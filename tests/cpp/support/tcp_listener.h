// A listening TCP socket of the test's, on an address of this machine.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <string_view>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "tercel/net/socket_address.h"

namespace tercel::test {

// Resource.
class TcpListener {
 public:
  // All of 127.0.0.0/8 are addresses of this machine. Port 0: any.
  explicit TcpListener(std::string_view host = "127.0.0.1", std::uint16_t port = 0,
                       int backlog = 16)
      : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {
    const int on = 1;
    EXPECT_EQ(::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    const net::SocketAddress wanted = net::to_socket_address(*net::parse_ip(host, port));
    EXPECT_EQ(::bind(fd_.get(), wanted.get(), wanted.bytes), 0);
    EXPECT_EQ(::listen(fd_.get(), backlog), 0);
    net::SocketAddress bound;
    EXPECT_EQ(::getsockname(fd_.get(), bound.get(), &bound.bytes), 0);
    address_ = net::from_socket_address(bound);
  }

  [[nodiscard]] const Address& address() const noexcept { return address_; }
  // The next connection, which blocks; -1: there is none.
  [[nodiscard]] Fd accept() const {
    return Fd{::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  }

 private:
  Fd fd_;
  Address address_;
};

}  // namespace tercel::test
