// A DNS server on this machine, one packet at a time, whose answers the test writes.
//
// Source: RFC 1035 section 4.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "tercel/net/socket_address.h"

namespace tercel::test {

// Resource.
class NameServer {
 public:
  static constexpr int kTypeA = 1;

  NameServer() : fd_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {
    const net::SocketAddress any = net::to_socket_address(*parse_ip("127.0.0.1", 0));
    EXPECT_EQ(::bind(fd_.get(), any.get(), any.bytes), 0);
    net::SocketAddress bound;
    EXPECT_EQ(::getsockname(fd_.get(), bound.get(), &bound.bytes), 0);
    port_ = net::from_socket_address(bound).port;
  }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  struct Question {
    net::SocketAddress from;
    std::string packet;
    // Source: RFC 1035 section 4.1.2. 1 is A, 28 is AAAA.
    [[nodiscard]] int type() const {
      return static_cast<unsigned char>(packet[question_end() - 3]);
    }
    [[nodiscard]] std::size_t question_end() const { return packet.find('\0', 12) + 5; }
  };
  std::optional<Question> next() {
    Question question;
    char bytes[1500];
    const ssize_t got =
        ::recvfrom(fd_.get(), bytes, sizeof bytes, 0, question.from.get(), &question.from.bytes);
    if (got <= 0) return std::nullopt;
    question.packet.assign(bytes, static_cast<std::size_t>(got));
    ++questions;
    return question;
  }
  void send(const Question& to, const std::string& packet) const {
    (void)::sendto(fd_.get(), packet.data(), packet.size(), 0, to.from.get(), to.from.bytes);
  }
  // With that many records of `type`, of `data`; a code of 3 is "there is no such name".
  void answer(const Question& question, const std::vector<std::string>& data, int ttl,
              int code = 0) const {
    std::string packet = question.packet.substr(0, question.question_end());
    packet[2] = '\x81';
    packet[3] = static_cast<char>(0x80 | code);
    packet[6] = 0;
    packet[7] = static_cast<char>(data.size());
    packet[8] = packet[9] = packet[10] = packet[11] = 0;
    for (const std::string& record : data) {
      packet += std::string{"\xc0\x0c\x00", 3} + static_cast<char>(question.type());
      packet += std::string{"\x00\x01\x00\x00", 4};
      packet += {static_cast<char>(ttl >> 8), static_cast<char>(ttl), '\0',
                 static_cast<char>(record.size())};
      packet += record;
    }
    send(question, packet);
  }

  int questions = 0;

 private:
  Fd fd_;
  std::uint16_t port_ = 0;
};

}  // namespace tercel::test
