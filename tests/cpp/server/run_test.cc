#include "tercel/server/run.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

#include "support/connect.h"
#include "support/temporary_directory.h"
#include "tercel/base/parse_number.h"

namespace tercel::server {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using test::Fd;
using Urls = std::span<const std::string>;

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kHold = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n";

// Answers at once, or, under /hold, when it is told that the server ends and `stubborn` is false.
class Answers final : public http::Handler {
 public:
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    if (on_request) on_request();
    if (request.path != "/hold") return answer(exchange);
    held_.exchange = &exchange;
    held_.stubborn = stubborn;
    exchange.observe(&held_);
  }

  bool stubborn = false;
  std::function<void()> on_request;

 private:
  struct Held final : http::Observer {
    void on_body() noexcept override {}
    void on_writable() noexcept override {}
    void on_notice(http::Notice notice) noexcept override {
      if (notice == http::Notice::kDraining && !stubborn) answer(*exchange);
    }
    void on_end(http::Outcome) noexcept override {}
    http::Exchange* exchange = nullptr;
    bool stubborn = false;
  };

  static void answer(http::Exchange& exchange) noexcept {
    if (!exchange.start({})) return;
    (void)exchange.write(http::Payload::borrow("hello"), http::Final::kYes);
  }

  Held held_;
};

Address address_of(std::string_view url) {
  const std::string_view port = url.substr(url.rfind(':') + 1);
  return *parse_ip("127.0.0.1", static_cast<std::uint16_t>(*parse_decimal(port, 65535)));
}

// On the thread that calls: another one has to be woken up.
void tell(int signal) {
  ASSERT_EQ(::raise(signal), 0);
}

// What comes until the end of the connection.
std::string read_all(const Fd& client) {
  std::string text;
  char bytes[1024];
  for (ssize_t count; (count = ::recv(client.get(), bytes, sizeof bytes, 0)) > 0;) {
    text.append(bytes, static_cast<std::size_t>(count));
  }
  return text;
}

// Waits for the head of an answer.
std::string read_some(const Fd& client) {
  char bytes[1024];
  const ssize_t count = ::recv(client.get(), bytes, sizeof bytes, 0);
  return {bytes, static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
}

// The parameter: how many I/O threads.
class RunTest : public testing::TestWithParam<std::size_t> {
 protected:
  // Serves while `client` runs on a thread of its own, which tells the process to end.
  Exit serve(const std::function<void(const Fd&)>& client) {
    std::thread thread;
    options_.bind = {"127.0.0.1:0"};
    options_.io_threads = GetParam();
    options_.on_ready = [&](Urls urls) {
      ASSERT_EQ(urls.size(), options_.metrics_bind.empty() ? 1U : 2U);
      const Address address = address_of(urls[0]);
      metrics_url_ = urls.back();
      thread = std::thread{[&client, address] {
        const Fd connection = test::patient(test::connect_to(address));
        client(connection);
      }};
    };
    Exit exit = maker_ ? run(maker_, options_) : run(handler_, options_);
    if (thread.joinable()) thread.join();
    return exit;
  }

  Answers handler_;
  HandlerMaker maker_;
  RunOptions options_;
  std::string metrics_url_;  // Or that of the application, if there is none.
};

// A handler that belongs to a loop: it has a timer there.
class OfLoop final : public http::Handler, private net::Timer {
 public:
  OfLoop(net::Loop& loop, http::Handler& answers, bool& gone) noexcept
      : answers_{answers}, gone_{gone} {
    loop.timers().arm(*this, loop.now() + 1h);
  }
  ~OfLoop() override { gone_ = armed(); }
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    answers_.handle(request, exchange);
  }

 private:
  void on_timer() noexcept override {}
  http::Handler& answers_;
  bool& gone_;
};

TEST_P(RunTest, AHandlerOfTheLoopIsGoneBeforeTheLoop) {
  bool gone_before = false;
  maker_ = [&](net::Loop& loop) { return std::make_unique<OfLoop>(loop, handler_, gone_before); };
  const Exit exit = serve([](const Fd& client) {
    test::send_text(client, kHello);
    EXPECT_TRUE(read_some(client).ends_with("hello"));
    tell(SIGTERM);
  });
  EXPECT_EQ(exit.status, 0);
  EXPECT_TRUE(gone_before);
}

TEST_P(RunTest, WithoutAHandlerThereIsNothingToServe) {
  maker_ = [](net::Loop&) { return std::unique_ptr<http::Handler>{}; };
  const Exit exit = serve([](const Fd&) {});
  EXPECT_EQ(exit.status, 1);
  EXPECT_EQ(exit.problem, "The handler was not made.");
}

TEST_P(RunTest, MetricsAreOnAnAddressOfTheirOwn) {
  options_.metrics_bind = "127.0.0.1:0";
  std::string shown;
  const Exit exit = serve([&](const Fd& client) {
    test::send_text(client, kHello);
    EXPECT_TRUE(read_some(client).ends_with("hello"));
    // It is counted when the answer has left, which the client may see before.
    constexpr std::string_view kCounted =
        "\ntercel_http_requests_total{method=\"GET\",status=\"2xx\"} 1\n";
    for (int i = 0; i < 100 && shown.find(kCounted) == std::string::npos; ++i) {
      const Fd other = test::patient(test::connect_to(address_of(metrics_url_)));
      test::send_text(other, "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      shown = read_all(other);
    }
    EXPECT_NE(shown.find(kCounted), std::string::npos) << shown;
    tell(SIGTERM);
  });
  EXPECT_EQ(exit.status, 0);
  EXPECT_EQ(exit.problem, "");
}

TEST_P(RunTest, AnAddressOfMetricsThatIsNoneIsTold) {
  options_.metrics_bind = "9464";
  const Exit exit = serve([](const Fd&) {});
  EXPECT_EQ(exit.status, 2);
  EXPECT_EQ(exit.problem,
            "Cannot listen on \"9464\": write an address like 127.0.0.1:8000, [::1]:8000 or "
            "unix:/run/a.sock.");
}

TEST_P(RunTest, ServesUntilASignalTellsItToEnd) {
  for (const int signal : {SIGINT, SIGTERM}) {
    std::string answer;
    const Exit exit = serve([&](const Fd& client) {
      test::send_text(client, kHello);
      answer = read_some(client);
      tell(signal);
    });
    EXPECT_EQ(answer.substr(0, 15), "HTTP/1.1 200 OK");
    EXPECT_EQ(exit.status, 0);
    EXPECT_EQ(exit.problem, "");
  }
}

TEST_P(RunTest, RequestsUnderWayAreToldAndMayFinish) {
  options_.stream_grace = 20ms;
  handler_.on_request = [] { tell(SIGTERM); };
  std::string answer;
  const Exit exit = serve([&](const Fd& client) {
    test::send_text(client, kHold);
    answer = read_all(client);
  });
  EXPECT_EQ(answer.substr(0, 15), "HTTP/1.1 200 OK");
  EXPECT_NE(answer.find("connection: close"), answer.npos);
  EXPECT_EQ(exit.status, 0);
}

TEST_P(RunTest, WhatIsLeftIsCutOff) {
  options_.stream_grace = 1ms;
  options_.grace = 50ms;
  handler_.stubborn = true;
  handler_.on_request = [] { tell(SIGTERM); };
  std::string answer = "none yet";
  const Exit exit = serve([&](const Fd& client) {
    test::send_text(client, kHold);
    answer = read_all(client);
  });
  EXPECT_EQ(answer, "");
  EXPECT_EQ(exit.status, 0);
}

TEST_P(RunTest, ASecondSignalCutsOffAtOnce) {
  options_.stream_grace = 1h;
  options_.grace = 1h;
  for (const int signal : {SIGINT, SIGTERM}) {
    handler_.on_request = [signal] {
      tell(signal);
      tell(signal);
    };
    const Exit exit = serve([&](const Fd& client) {
      test::send_text(client, kHold);
      EXPECT_EQ(read_all(client), "");
    });
    EXPECT_EQ(exit.status, 128 + signal);
    EXPECT_EQ(exit.problem, "");
  }
}

TEST_P(RunTest, AThirdSignalEndsAProcessThatHangs) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  handler_.on_request = [] {
    for (int i = 0; i < 3; ++i) ::raise(SIGTERM);
  };
  EXPECT_EXIT((void)serve([](const Fd& client) {
                test::send_text(client, kHello);
                (void)read_all(client);
              }),
              testing::KilledBySignal(SIGTERM), "");
}

INSTANTIATE_TEST_SUITE_P(Threads, RunTest, testing::Values(0, 1),
                         [](const auto& test) { return std::to_string(test.param); });

// --- around it

class RunOnceTest : public testing::Test {
 protected:
  Exit run_with(std::vector<std::string> bind) {
    options_.bind = std::move(bind);
    if (!options_.on_ready) options_.on_ready = [](Urls) { tell(SIGTERM); };
    return run(handler_, options_);
  }
  void expect(const Exit& exit, int status, std::string_view problem) {
    EXPECT_EQ(exit.status, status);
    EXPECT_EQ(exit.problem, problem);
  }

  Answers handler_;
  RunOptions options_;
};

void on_signal_of_mine(int /*number*/) {}

TEST_F(RunOnceTest, SignalsAreTakenAndGivenBack) {
  struct sigaction mine {};
  mine.sa_handler = on_signal_of_mine;
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) sigaction(signal, &mine, nullptr);
  options_.on_ready = [](Urls) {
    tell(SIGPIPE);
    struct sigaction now {};
    sigaction(SIGPIPE, nullptr, &now);
    EXPECT_EQ(now.sa_handler, SIG_IGN);
    tell(SIGINT);
    tell(SIGTERM);
  };
  expect(run_with({"127.0.0.1:0"}), 128 + SIGTERM, "");
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) {
    struct sigaction now {};
    struct sigaction by_default {};
    by_default.sa_handler = SIG_DFL;
    sigaction(signal, &by_default, &now);
    EXPECT_EQ(now.sa_handler, on_signal_of_mine) << signal;
  }
}

TEST_F(RunOnceTest, SaysWhereItListens) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("a.sock");
  std::vector<std::string> told;
  options_.on_ready = [&](Urls urls) {
    told.assign(urls.begin(), urls.end());
    EXPECT_GE(test::connect_to(path).get(), 0);
    tell(SIGTERM);
  };
  expect(run_with({"127.0.0.1:0", "[::1]:0", "unix:" + path}), 0, "");
  ASSERT_EQ(told.size(), 3U);
  EXPECT_TRUE(told[0].starts_with("http://127.0.0.1:"));
  EXPECT_TRUE(told[1].starts_with("http://[::1]:"));
  EXPECT_EQ(told[2], "unix:" + path);
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST_F(RunOnceTest, WhatCannotBeListenedOnIsAProblem) {
  const auto taken = net::ListenSocket::tcp(net::system_calls(), "127.0.0.1", 0, {});
  const std::string address = "127.0.0.1:" + std::to_string(taken->address().port);
  expect(run_with({address}), 1,
         "Cannot listen on \"" + address +
             "\": another process listens there: stop it, or choose another address.");
  expect(run_with({"192.0.2.1:80"}), 1,
         "Cannot listen on \"192.0.2.1:80\": this machine has no such address: choose one that it "
         "has.");
  expect(run_with({"unix:/no/such/folder"}), 1,
         "Cannot listen on \"unix:/no/such/folder\": its path cannot be used: choose another one.");
  expect(run_with({"fd://99"}), 1,
         "Cannot listen on \"fd://99\": it is not a socket that listens.");
  expect(run_with({"8000"}), 2,
         "Cannot listen on \"8000\": write an address like 127.0.0.1:8000, [::1]:8000 or "
         "unix:/run/a.sock.");
  expect(run_with({"localhost:8000"}), 2,
         "Cannot listen on \"localhost:8000\": names are not looked up: write the IP address.");
  expect(run_with({}), 2, "There is no address to listen on: name one.");
}

TEST_F(RunOnceTest, ACertificateThatIsNotThereIsAProblem) {
  options_.tls.certificates.push_back({.certificate = "/no/such.pem"});
  const Exit exit = run_with({"127.0.0.1:0"});
  EXPECT_EQ(exit.status, 2);
  EXPECT_NE(exit.problem.find("/no/such.pem"), exit.problem.npos);
}

TEST_F(RunOnceTest, ASecondServerOfTheProcessIsAProblem) {
  Exit second;
  options_.on_ready = [&](Urls) {
    Answers handler;
    second = run(handler, {.bind = {"127.0.0.1:0"}});
    tell(SIGTERM);
  };
  expect(run_with({"127.0.0.1:0"}), 0, "");
  expect(second, 1, "Another server of this process has its signals.");
}

}  // namespace
}  // namespace tercel::server
