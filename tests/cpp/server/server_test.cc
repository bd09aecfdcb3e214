#include "tercel/server/server.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

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
  class Sink final : public LogSink {
   public:
    void log(LogLevel, std::string_view) noexcept override { ++lines; }
    int lines = 0;
  } sink;
  LogSink* before = set_log_sink(&sink);
  start({});
  syscalls_.fail(test::Call::kAccept4, EMFILE, 1, 1000);
  const Fd client{test::connect_to(server_->listener(0).address())};
  for (int pauses = 0; pauses < 50; ++pauses) {
    settle();
    clock_.advance(net::Listener::kPause + net::TimerWheel::kTick);
  }
  EXPECT_GT(syscalls_.calls(test::Call::kAccept4), 20);
  EXPECT_EQ(sink.lines, 1);
  clock_.advance(Server::kStarvedLogPause);
  settle();
  EXPECT_EQ(sink.lines, 2);
  set_log_sink(before);
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
