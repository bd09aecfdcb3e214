#include "tercel/server/server.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "server/clients.h"
#include "server/echo_handler.h"
#include "support/connect.h"
#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "support/temporary_directory.h"
#include "tercel/base/log.h"

namespace tercel::server {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using test::Fd;

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kHold = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n";

class ServerTest : public testing::Test {
 protected:
  void start(const Options& options) {
    server_ = std::make_unique<Server>(*loop_, handler_, options);
    auto socket = net::ListenSocket::tcp(syscalls_, "127.0.0.1", 0, {});
    ASSERT_TRUE(socket);
    ASSERT_TRUE(server_->listen(*std::move(socket)));
    ASSERT_TRUE(server_->start());
  }
  [[nodiscard]] Fd connect() {
    Fd client{test::connect_to(server_->listener(0).address())};
    EXPECT_GE(client.get(), 0);
    EXPECT_EQ(::fcntl(client.get(), F_SETFL, O_NONBLOCK), 0);
    settle();
    return client;
  }
  void settle() {
    for (int turns = 0; turns < 100; ++turns) {
      const auto events = loop_->wait(1ms);
      loop_->dispatch();
      if (events && *events == 0 && turns > 2) return;
    }
  }
  [[nodiscard]] std::string ask(const Fd& client, std::string_view request) {
    test::send_text(client, request);
    settle();
    return test::receive_all(client);
  }

  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  test::EchoHandler handler_;
  std::unique_ptr<net::Loop> loop_ = *net::Loop::create(clock_, syscalls_);
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, TheDefaultFieldsAreThere) {
  Options options;
  options.fixed_fields = "x-one: 1\r\n";
  start(options);
  const Fd client = connect();
  const std::string answer = ask(client, kHello);
  EXPECT_NE(answer.find("\r\nserver: tercel\r\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("\r\nx-one: 1\r\n"), std::string::npos);
  EXPECT_NE(answer.find("\r\ndate: "), std::string::npos);
}

TEST_F(ServerTest, ATrustedProxyNamesTheClient) {
  for (const bool trusted : {true, false}) {
    Options options;
    if (trusted) options.proxies = test::local_proxy();
    start(options);
    test::Clients clients;
    server_->record(&clients);
    const Fd client = connect();
    (void)ask(client, "GET /hello HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n");
    (void)ask(client, kHello);
    const std::string first = trusted ? "192.0.2.1" : "127.0.0.1";
    EXPECT_EQ(clients.seen, (std::vector<std::string>{first, "127.0.0.1"}));
  }
}

TEST_F(ServerTest, AConnectionLimitLetsTheNextOnesWaitInTheBacklog) {
  Options options;
  options.connections_max = 2;
  start(options);
  Fd first = connect();
  const Fd second = connect();
  const Fd third = connect();
  EXPECT_EQ(server_->connections(), 2U);
  test::send_text(third, kHello);
  settle();
  EXPECT_EQ(test::receive_all(third), "");
  first.reset();
  settle();
  EXPECT_TRUE(test::receive_all(third).starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(server_->connections(), 2U);
}

// What is logged while it lives.
class LogLines final : public LogSink {
 public:
  LogLines() : before_{set_log_sink(this)} {}
  ~LogLines() { set_log_sink(before_); }
  void log(LogLevel, std::string_view text) noexcept override { lines.emplace_back(text); }
  std::vector<std::string> lines;

 private:
  LogSink* before_;
};

TEST_F(ServerTest, AClientWithTooManyConnectionsGetsTheNextOneClosedUnread) {
  Options options;
  options.connections_per_client_max = 2;
  start(options);
  const LogLines log;
  const Fd first = connect();
  Fd second = connect();
  const int reads = syscalls_.calls(test::Call::kRecv);
  const Fd third = connect();
  char byte = 0;
  EXPECT_EQ(::recv(third.get(), &byte, 1, 0), 0);
  EXPECT_EQ(syscalls_.calls(test::Call::kRecv), reads);
  EXPECT_EQ(server_->connections(), 2U);
  EXPECT_EQ(server_->refused_connections(), 1U);
  EXPECT_EQ(log.lines,
            (std::vector<std::string>{"closed a connection from 127.0.0.1, which has as many as "
                                      "limit-connections-per-ip allows; closed so far: 1"}));
  // The others go on, and one that goes makes room.
  EXPECT_TRUE(ask(first, kHello).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(ask(second, kHello).starts_with("HTTP/1.1 200 "));
  second.reset();
  settle();
  EXPECT_TRUE(ask(connect(), kHello).starts_with("HTTP/1.1 200 "));
}

TEST_F(ServerTest, AnotherClientIsNotAtTheLimitOfTheFirst) {
  Options options;
  options.connections_per_client_max = 1;
  start(options);
  const Fd first = connect();
  const Fd other{test::connect_from("127.0.0.2", server_->listener(0).address())};
  ASSERT_EQ(::fcntl(other.get(), F_SETFL, O_NONBLOCK), 0);
  EXPECT_TRUE(ask(other, kHello).starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(server_->connections(), 2U);
}

// Both events may be there when the loop wakes: the end of the old connection, and the new one.
TEST_F(ServerTest, AClientThatComesBackAtOnceFindsItsPlaceFree) {
  Options options;
  options.connections_per_client_max = 1;
  start(options);
  Fd client = connect();
  for (int i = 0; i < 20; ++i) {
    client.reset();
    client = Fd{test::connect_to(server_->listener(0).address())};
    ASSERT_EQ(::fcntl(client.get(), F_SETFL, O_NONBLOCK), 0);
    EXPECT_TRUE(ask(client, kHello).starts_with("HTTP/1.1 200 ")) << i;
  }
  EXPECT_EQ(server_->refused_connections(), 0U);
}

TEST_F(ServerTest, AFloodOfConnectionsIsLoggedOnceInAWhile) {
  Options options;
  options.connections_per_client_max = 1;
  start(options);
  const LogLines log;
  const Fd client = connect();
  for (int i = 0; i < 50; ++i) (void)connect();
  EXPECT_EQ(log.lines.size(), 1U);
  clock_.advance(Server::kLogPause);
  (void)connect();
  ASSERT_EQ(log.lines.size(), 2U);
  EXPECT_TRUE(log.lines[1].ends_with("closed so far: 51")) << log.lines[1];
}

TEST_F(ServerTest, AUnixSocketHasNoClientsToCount) {
  Options options;
  options.connections_per_client_max = 1;
  const test::TemporaryDirectory directory;
  server_ = std::make_unique<Server>(*loop_, handler_, options);
  auto socket = net::ListenSocket::unix_path(syscalls_, directory.file("s"), {});
  ASSERT_TRUE(socket);
  ASSERT_TRUE(server_->listen(*std::move(socket)));
  ASSERT_TRUE(server_->start());
  const Fd first{test::connect_to(directory.file("s"))};
  const Fd second{test::connect_to(directory.file("s"))};
  settle();
  EXPECT_EQ(server_->connections(), 2U);
}

// Whatever happens to a connection, it is counted out exactly once.
TEST_F(ServerTest, EveryEndOfAConnectionIsCounted) {
  Options options;
  options.connections_per_client_max = 1;
  start(options);
  const auto comes_in = [this] { return ask(connect(), kHello).starts_with("HTTP/1.1 200 "); };
  EXPECT_TRUE(comes_in());
  settle();
  (void)ask(connect(), "nonsense\r\n\r\n");  // Closed by the server.
  settle();
  EXPECT_TRUE(comes_in());
  settle();
  syscalls_.fail(test::Call::kEpollCtl, ENOMEM);  // Not to be watched.
  (void)connect();
  clock_.advance(net::Listener::kPause + net::TimerWheel::kTick);
  EXPECT_TRUE(comes_in());
  settle();
  const Fd held = connect();
  (void)ask(held, kHold);
  server_->close();  // Cut off.
  EXPECT_EQ(server_->refused_connections(), 0U);
}

TEST_F(ServerTest, ALimitOfConcurrentRequestsCountsOnlyThoseUnderWay) {
  Options options;
  options.requests_max = 1;
  start(options);
  const Fd first = connect();
  const Fd second = connect();
  EXPECT_EQ(ask(first, kHold), "");
  EXPECT_EQ(server_->active(), 1U);
  EXPECT_TRUE(ask(second, kHello).starts_with("HTTP/1.1 503 "));
  handler_.held->read();
  settle();
  EXPECT_EQ(server_->active(), 0U);
  EXPECT_TRUE(ask(connect(), kHello).starts_with("HTTP/1.1 200 "));
}

TEST_F(ServerTest, AStarvedServerSaysSoOnceInAWhile) {
  const LogLines log;
  start({});
  syscalls_.fail(test::Call::kAccept4, EMFILE, 1, 1000);
  const Fd client{test::connect_to(server_->listener(0).address())};
  for (int pauses = 0; pauses < 50; ++pauses) {
    settle();
    clock_.advance(net::Listener::kPause + net::TimerWheel::kTick);
  }
  EXPECT_GT(syscalls_.calls(test::Call::kAccept4), 20);
  EXPECT_EQ(log.lines.size(), 1U);
  clock_.advance(Server::kLogPause);
  settle();
  EXPECT_EQ(log.lines.size(), 2U);
}

TEST_F(ServerTest, WithoutMemoryForAConnectionTheNextOnesWaitForAWhile) {
  const LogLines log;
  start({});
  syscalls_.fail(test::Call::kEpollCtl, ENOMEM);
  (void)connect();
  const Fd next = connect();
  EXPECT_EQ(ask(next, kHello), "");
  EXPECT_EQ(log.lines.size(), 1U);
  clock_.advance(net::Listener::kPause + net::TimerWheel::kTick);
  settle();
  EXPECT_TRUE(test::receive_all(next).starts_with("HTTP/1.1 200 "));
}

TEST_F(ServerTest, DrainingAnswersWhatWaitsInTheBacklogAndRefusesTheRest) {
  start({});
  Fd waiting{test::connect_to(server_->listener(0).address())};
  test::send_text(waiting, kHello);
  server_->drain();
  settle();
  ASSERT_EQ(::fcntl(waiting.get(), F_SETFL, O_NONBLOCK), 0);
  EXPECT_TRUE(test::receive_all(waiting).starts_with("HTTP/1.1 200 "));
  EXPECT_LT(test::connect_to(server_->listener(0).address()).get(), 0);
  waiting.reset();
  settle();
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(ServerTest, ClosingEndsEveryExchange) {
  start({});
  const Fd client = connect();
  (void)ask(client, kHold);
  server_->close();
  EXPECT_EQ(handler_.held, nullptr);
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(ServerTest, AServerMayGoWithConnectionsOpen) {
  start({});
  const Fd client = connect();
  (void)ask(client, kHold);
  server_.reset();
  EXPECT_EQ(handler_.jobs.alive(), 0U);
  settle();
}

}  // namespace
}  // namespace tercel::server
