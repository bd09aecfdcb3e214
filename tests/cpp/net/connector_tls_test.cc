// Addresses that speak TLS badly, or not at all, beside one that speaks it.
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "support/certificates.h"
#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "support/tcp_listener.h"
#include "tercel/net/connector.h"
#include "tercel/net/openssl.h"

namespace tercel::net {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.

class ConnectorTlsTest : public testing::Test, public Connector::Client {
 protected:
  ConnectorTlsTest() {
    loop_ = *Loop::create(clock_, syscalls_);
    connector_.emplace(*loop_, *this);
  }
  void SetUp() override {
    if (find_openssl() == nullptr) GTEST_SKIP() << "OpenSSL 3 is not on this machine";
    std::string problem;
    TlsClientOptions options;
    options.verify = false;
    context_ = TlsClientContext::create(options, problem);
    ASSERT_TRUE(context_) << problem;
    const test::Identity identity = test::make({});
    server_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(server_.get(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(server_.get(), identity.key.get());
  }
  void start(const std::vector<Address>& addresses) {
    connector_->start(addresses, {&*context_, &sessions_, &host_}, clock_.now() + 10s);
    turn();
  }
  void turn() {
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(loop_->wait(1ms));
      loop_->dispatch();
    }
  }
  void pass(std::chrono::nanoseconds time) {
    clock_.advance(time);
    turn();
  }
  // Shakes hands with whoever came to `listener`. False: nobody did.
  bool serve(const test::TcpListener& listener) {
    test::Fd fd = listener.accept();
    if (fd.get() < 0) return false;
    EXPECT_EQ(::fcntl(fd.get(), F_SETFL, O_NONBLOCK), 0);
    served_.reset(SSL_new(server_.get()));
    SSL_set_fd(served_.get(), fd.get());
    SSL_set_accept_state(served_.get());
    peer_ = std::move(fd);
    for (int i = 0; i < 10 && stream_ == nullptr && !error_; ++i) {
      SSL_do_handshake(served_.get());
      turn();
    }
    return true;
  }
  static void reset(test::Fd fd) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    EXPECT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
  }
  void on_connected(std::unique_ptr<Stream> stream) noexcept override {
    stream_ = std::move(stream);
    connector_.reset();
  }
  void on_failed(Errc error) noexcept override {
    error_ = error;
    connector_.reset();
  }

  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  std::unique_ptr<Loop> loop_;
  std::optional<TlsClientContext> context_;
  TlsSessions sessions_;
  const std::string host_ = "origin.example";
  std::unique_ptr<SSL_CTX, test::Free<&SSL_CTX_free>> server_;
  std::unique_ptr<SSL, test::Free<&SSL_free>> served_;
  test::Fd peer_;
  std::optional<Connector> connector_;
  std::unique_ptr<Stream> stream_;
  std::optional<Errc> error_;
  const test::TcpListener first_;
  const test::TcpListener second_;
};

TEST_F(ConnectorTlsTest, AHandshakeThatStallsIsRacedAfterASecond) {
  const std::ptrdiff_t before = test::open_descriptors();
  start({first_.address(), second_.address()});
  const test::Fd stalled = first_.accept();
  EXPECT_GE(stalled.get(), 0);
  pass(Connector::kHandshakeStagger - 100ms);
  EXPECT_LT(second_.accept().get(), 0);
  pass(150ms);
  EXPECT_TRUE(serve(second_));
  EXPECT_NE(stream_, nullptr);
  // The test's two, and the one that won.
  EXPECT_EQ(test::open_descriptors(), before + 3);
}

TEST_F(ConnectorTlsTest, OneThatStalledForAWhileMayStillWin) {
  start({first_.address(), second_.address()});
  pass(Connector::kHandshakeStagger + 50ms);
  const test::Fd other = second_.accept();
  EXPECT_GE(other.get(), 0);
  EXPECT_TRUE(serve(first_));
  ASSERT_NE(stream_, nullptr);
  EXPECT_EQ(test::receive_all(other).substr(0, 1), "\x16");  // Its handshake, and then the end.
}

TEST_F(ConnectorTlsTest, AResetInTheHandshakeSaysNothingOfTrust) {
  start({first_.address()});
  reset(first_.accept());
  turn();
  EXPECT_EQ(error_, Errc::kUpstreamUnreachable);
}

TEST_F(ConnectorTlsTest, NeitherDoesAnEnd) {
  start({first_.address()});
  first_.accept().reset();
  turn();
  EXPECT_EQ(error_, Errc::kUpstreamUnreachable);
}

TEST_F(ConnectorTlsTest, WhatIsNoTlsIsNotTrusted) {
  start({first_.address(), second_.address()});
  const test::Fd plain = first_.accept();
  test::send_text(plain, "HTTP/1.1 400 Bad Request\r\n\r\n");
  turn();
  // The next is tried at once, and what the first said is not forgotten for its silence.
  reset(second_.accept());
  turn();
  EXPECT_EQ(error_, Errc::kUpstreamUntrusted);
}

TEST_F(ConnectorTlsTest, TheNextAddressIsTriedAtOnceWhenAHandshakeBreaks) {
  start({first_.address(), second_.address()});
  reset(first_.accept());
  turn();
  EXPECT_TRUE(serve(second_));
  EXPECT_NE(stream_, nullptr);
}

}  // namespace
}  // namespace tercel::net
