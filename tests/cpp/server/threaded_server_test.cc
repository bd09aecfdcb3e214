// Real threads, real sockets. Run under TSan too (preset tsan).
#include "tercel/server/threaded_server.h"

#include <sys/wait.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "server/clients.h"
#include "server/echo_handler.h"
#include "server/later_handler.h"
#include "support/connect.h"
#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/temporary_directory.h"
#include "tercel/base/slab.h"
#include "tercel/edge/rate_limit.h"

namespace tercel::server {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using test::Fd;
using test::patient;

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kHold = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n";

bool send_all(const Fd& client, std::string_view text) {
  while (!text.empty()) {
    const ssize_t bytes = ::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (bytes <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(bytes));
  }
  return true;
}

// Reads one response with a Content-Length; "" when it does not come.
std::string read_body(const Fd& client) {
  std::string text;
  char bytes[16384];
  for (;;) {
    const std::size_t head = text.find("\r\n\r\n");
    if (head != std::string::npos) {
      const std::size_t at = text.find("content-length: ");
      if (at > head) return "";
      const std::size_t length = std::stoul(text.substr(at + 16));
      if (text.size() >= head + 4 + length) return text.substr(head + 4);
    }
    const ssize_t count = ::recv(client.get(), bytes, sizeof bytes, 0);
    if (count <= 0) return "";
    text.append(bytes, static_cast<std::size_t>(count));
  }
}

// Until the server closes, or resets.
std::string read_to_end(const Fd& client) {
  std::string text;
  char bytes[16384];
  for (ssize_t count = 0; (count = ::recv(client.get(), bytes, sizeof bytes, 0)) > 0;) {
    text.append(bytes, static_cast<std::size_t>(count));
  }
  return text;
}

class ThreadedServerTest : public testing::Test {
 protected:
  void start(std::size_t threads, const Options& options = {}) {
    server_ = *ThreadedServer::create(*loop_, handler_, options, threads);
    auto socket = net::ListenSocket::tcp(syscalls_, "127.0.0.1", 0, {});
    ASSERT_TRUE(socket);
    ASSERT_TRUE(server_->listen(*std::move(socket)));
    ASSERT_TRUE(server_->start());
    address_ = server_->listener(0).address();
  }
  [[nodiscard]] Fd connect() const { return patient(test::connect_to(address_)); }
  // Turns the application's loop until `done`; false: it took too long.
  bool turn_until(const std::function<bool()>& done) {
    const auto end = clock_.now() + 20s;
    while (!done()) {
      if (clock_.now() > end) return false;
      EXPECT_TRUE(loop_->wait(1ms));
      loop_->dispatch();
    }
    return true;
  }
  [[nodiscard]] std::string ask(const Fd& client, std::string_view request) {
    std::string body;
    std::atomic<bool> done = false;
    std::thread asking{[&] {
      if (send_all(client, request)) body = read_body(client);
      done = true;
    }};
    EXPECT_TRUE(turn_until([&] { return done.load(); }));
    asking.join();
    return body;
  }

  const SteadyClock clock_;
  test::FailingSyscalls syscalls_;
  test::EchoHandler handler_;
  std::unique_ptr<net::Loop> loop_ = *net::Loop::create(clock_, syscalls_);
  std::unique_ptr<ThreadedServer> server_;
  Address address_;
};

TEST_F(ThreadedServerTest, TheConnectionsOfAClientAreCountedOverAllThreads) {
  Options options;
  options.connections_per_client_max = 3;
  start(4, options);
  std::vector<Fd> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(connect());
  EXPECT_TRUE(turn_until([&] { return server_->refused_connections() == 17; }));
  EXPECT_TRUE(turn_until([&] { return server_->connections() == 3; }));
  const Fd other = patient(test::connect_from("127.0.0.2", address_));
  EXPECT_EQ(ask(other, kHello), "hello");
  clients.clear();
  EXPECT_TRUE(turn_until([&] { return server_->connections() == 1; }));
  EXPECT_EQ(ask(connect(), kHello), "hello");
}

// The limit is on the application's side, where one table sees the requests of all threads.
TEST_F(ThreadedServerTest, TheRateOfAClientIsLimitedOverAllThreads) {
  edge::RateLimit limited{handler_, *loop_, {.requests = 1, .burst = 1000}};
  server_ = *ThreadedServer::create(*loop_, limited, {}, 4);
  auto socket = net::ListenSocket::tcp(syscalls_, "127.0.0.1", 0, {});
  ASSERT_TRUE(socket);
  ASSERT_TRUE(server_->listen(*std::move(socket)));
  ASSERT_TRUE(server_->start());
  address_ = server_->listener(0).address();
  std::string requests;
  for (int i = 0; i < 300; ++i) requests += kHello;
  std::vector<Fd> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(connect());
    ASSERT_TRUE(send_all(clients.back(), requests));
  }
  const auto answered = [&] { return handler_.requests + static_cast<int>(limited.refused()); };
  EXPECT_TRUE(turn_until([&] { return answered() == 8 * 300; }));
  EXPECT_GE(handler_.requests, 1000);
  EXPECT_LE(handler_.requests, 1030);  // Some seconds may have gone by.
  server_->close();
}

TEST_F(ThreadedServerTest, AnswersOnOneConnectionAndOnMany) {
  start(2);
  const Fd first = connect();
  EXPECT_EQ(ask(first, kHello), "hello");
  EXPECT_EQ(ask(first, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"), "hi");
  std::vector<Fd> clients;
  for (int i = 0; i < 30; ++i) clients.push_back(connect());
  for (const Fd& client : clients) EXPECT_EQ(ask(client, kHello), "hello");
  EXPECT_TRUE(turn_until([&] { return server_->connections() == 31 && server_->active() == 0; }));
}

TEST_F(ThreadedServerTest, EachThreadKnowsTheClientThatATrustedProxyNames) {
  class Asked final : public http::Handler {
   public:
    void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
      std::array<char, Address::kHostBytesMax> text;
      EXPECT_EQ(request.client->host(text), "192.0.2.1");
      ASSERT_TRUE(exchange.start({}));
      ASSERT_TRUE(exchange.write(http::Payload::borrow("asked"), http::Final::kYes));
    }
  };
  Asked handler;
  Options options;
  options.proxies = test::local_proxy();
  server_ = *ThreadedServer::create(*loop_, handler, options, 1);
  test::Clients clients;
  server_->record(0, &clients);
  ASSERT_TRUE(server_->listen(*net::ListenSocket::tcp(syscalls_, "127.0.0.1", 0, {})));
  ASSERT_TRUE(server_->start());
  address_ = server_->listener(0).address();
  EXPECT_EQ(ask(connect(), "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"),
            "asked");
  server_->close();
  EXPECT_EQ(clients.seen, std::vector<std::string>{"192.0.2.1"});
}

TEST_F(ThreadedServerTest, DrainingClosesTheSocketsAtOnceAndAnswersWhatIsUnderWay) {
  Options options;
  options.timeouts.linger = 10ms;
  start(2, options);
  const Fd busy = connect();
  ASSERT_TRUE(send_all(busy, kHold));
  ASSERT_TRUE(turn_until([&] { return handler_.held != nullptr; }));
  server_->drain();
  EXPECT_LT(test::connect_to(address_).get(), 0);
  EXPECT_EQ(server_->active(), 1U);
  server_->notify_draining();
  ASSERT_TRUE(turn_until([&] { return !handler_.notices.empty(); }));
  handler_.held->read();
  EXPECT_TRUE(turn_until([&] { return server_->connections() == 0; }));
  EXPECT_NE(test::receive_all(busy).find("connection: close"), std::string::npos);
}

TEST_F(ThreadedServerTest, ClosingEndsEveryExchangeAndTheThreads) {
  start(3);
  std::vector<Fd> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(connect());
    ASSERT_TRUE(send_all(clients.back(), kHold));
  }
  ASSERT_TRUE(turn_until([&] { return handler_.jobs.alive() == 20; }));
  server_->close();
  EXPECT_EQ(handler_.jobs.alive(), 0U);
  EXPECT_EQ(server_->connections(), 0U);
  EXPECT_EQ(server_->active(), 0U);
  server_->close();
}

TEST_F(ThreadedServerTest, MayGoWithoutHavingStarted) {
  server_ = *ThreadedServer::create(*loop_, handler_, {}, 2);
  server_.reset();
}

TEST_F(ThreadedServerTest, TheShareOfALimitAddsUpAndIsNeverNothing) {
  for (std::size_t count = 1; count < 9; ++count) {
    for (std::size_t total = 0; total < 40; ++total) {
      std::size_t sum = 0;
      for (std::size_t i = 0; i < count; ++i) sum += share_of(total, i, count);
      EXPECT_EQ(sum, total);
    }
  }
  Options options;
  options.connections_max = 2;
  EXPECT_EQ((*ThreadedServer::create(*loop_, handler_, options, 5))->loops(), 2U);
  options.requests_max = 1;
  EXPECT_EQ((*ThreadedServer::create(*loop_, handler_, options, 5))->loops(), 1U);
}

TEST_F(ThreadedServerTest, AConnectionLimitHoldsForAllThreadsTogether) {
  Options options;
  options.connections_max = 3;
  start(2, options);
  std::vector<Fd> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(connect());
  EXPECT_TRUE(turn_until([&] { return server_->connections() == 3; }));
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(server_->connections(), 3U);
  for (Fd& client : clients) client.reset();
  EXPECT_TRUE(turn_until([&] { return server_->connections() == 0; }));
  EXPECT_EQ(ask(connect(), kHello), "hello");
}

// One after the other: nobody is busy when a connection comes.
TEST_F(ThreadedServerTest, ConnectionsAreSpreadOverThreadsThatWait) {
  struct Counter final : http::Recorder {
    Token on_request(const http::Request&, const http::Endpoints&,
                     std::chrono::nanoseconds) noexcept override {
      ++requests;
      return nullptr;
    }
    Token on_refused(const http::PartialHead&, const http::Endpoints&) noexcept override {
      return nullptr;
    }
    void on_response(Token, const http::Summary&) noexcept override {}
    int requests = 0;
  };
  std::array<Counter, 4> counters;
  server_ = *ThreadedServer::create(*loop_, handler_, {}, counters.size());
  for (std::size_t i = 0; i < counters.size(); ++i) server_->record(i, &counters[i]);
  auto socket = net::ListenSocket::tcp(syscalls_, "127.0.0.1", 0, {});
  ASSERT_TRUE(server_->listen(*std::move(socket)));
  ASSERT_TRUE(server_->start());
  address_ = server_->listener(0).address();
  std::vector<Fd> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(connect());
    EXPECT_EQ(ask(clients.back(), kHello), "hello");
    std::this_thread::sleep_for(1ms);  // Until it waits again.
  }
  server_->close();
  for (const Counter& counter : counters) EXPECT_GE(counter.requests, 5);
}

TEST_F(ThreadedServerTest, AUnixSocketIsSharedAndItsPathRemovedOnce) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("s");
  server_ = *ThreadedServer::create(*loop_, handler_, {}, 2);
  auto socket = net::ListenSocket::unix_path(syscalls_, path, {});
  ASSERT_TRUE(socket);
  ASSERT_TRUE(server_->listen(*std::move(socket)));
  ASSERT_TRUE(server_->start());
  EXPECT_EQ(server_->listener(0).path(), path);
  EXPECT_EQ(ask(patient(test::connect_to(path)), kHello), "hello");
  const int unlinks = syscalls_.calls(test::Call::kUnlink);
  server_->drain();
  EXPECT_EQ(syscalls_.calls(test::Call::kUnlink), unlinks + 1);
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
  server_->close();
  EXPECT_EQ(syscalls_.calls(test::Call::kUnlink), unlinks + 1);
}

TEST_F(ThreadedServerTest, EveryFailureToStartIsReportedAndLeavesNoThread) {
  for (const test::Call call :
       {test::Call::kDuplicate, test::Call::kEventfd, test::Call::kEpollCreate1}) {
    for (int nth = 1; nth <= 2; ++nth) {
      syscalls_.fail(call, EMFILE, nth);
      auto server = ThreadedServer::create(*loop_, handler_, {}, 2);
      if (!server) {
        EXPECT_EQ(server.error(), Errc::kTooManyFiles);
        continue;
      }
      auto socket = net::ListenSocket::tcp(syscalls_, "127.0.0.1", 0, {});
      ASSERT_TRUE((*server)->listen(*std::move(socket)));
      EXPECT_EQ((*server)->start().error(), Errc::kTooManyFiles);
    }
  }
}

#if !defined(__SANITIZE_THREAD__)
TEST_F(ThreadedServerTest, AChildOfForkLeavesTheThreadsToItsParent) {
  start(1);
  const Fd client = connect();
  EXPECT_EQ(ask(client, kHello), "hello");
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(10);
    server_->drain();
    server_->close();
    static_cast<void>(server_.release());
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ask(client, kHello), "hello");
}
#endif

// --- stress

// What one client does, again and again. Counts what went wrong.
class StressClient {
 public:
  StressClient(const Address& address, unsigned seed) : address_{address}, random_{seed} {}

  // Until `stop`, or nobody listens any more.
  void run(const std::atomic<bool>& stop) {
    while (!stop) {
      Fd client = patient(test::connect_to(address_));
      if (client.get() < 0) return;
      for (int requests = 0; requests < 20 && !stop; ++requests) {
        if (!one(client)) break;
        ++done;
      }
    }
  }
  int done = 0;
  int wrong = 0;

 private:
  // False: the connection is of no more use.
  bool one(const Fd& client) {
    const std::string body(1 + random_() % 3000, 'b');
    const std::string post =
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n";
    switch (random_() % 10) {
      case 0:  // Leaves before the answer.
        send_all(client, kHello);
        return false;
      case 1:  // Leaves in the middle of its body.
        send_all(client, post + "x");
        return false;
      case 2: {  // Leaves in the middle of the answer, with a reset.
        send_all(client, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
        char byte = 0;
        (void)::recv(client.get(), &byte, 1, 0);
        return false;
      }
      case 3:
        return expect(client, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n", std::string(9000, 'l'));
      case 4:  // The body comes later.
        if (!send_all(client, post)) return false;
        std::this_thread::sleep_for(100us);
        return expect(client, body, body);
      case 5:
        return expect(client, post + body, body);
      case 6:  // Gets half of an answer, or an error.
        send_all(client, "GET /abort HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        (void)read_to_end(client);
        return false;
      case 7: {  // Asks for several at once, and stays for some of the answers.
        std::string many;
        for (int i = 0; i < 8; ++i) many += kHello;
        send_all(client, many);
        (void)read_body(client);
        return false;
      }
      default:
        return expect(client, kHello, "hello");
    }
  }
  bool expect(const Fd& client, std::string_view request, std::string_view body) {
    if (send_all(client, request) && read_body(client) == body) return true;
    ++wrong;
    return false;
  }

  const Address address_;
  std::mt19937 random_;
};

TEST_F(ThreadedServerTest, ManyClientsThatComeGoAndMisbehave) {
  LaterHandler handler{*loop_, handler_};
  server_ = *ThreadedServer::create(*loop_, handler, {}, 2);
  auto socket = net::ListenSocket::tcp(syscalls_, "127.0.0.1", 0, {});
  ASSERT_TRUE(socket);
  ASSERT_TRUE(server_->listen(*std::move(socket)));
  ASSERT_TRUE(server_->start());
  std::atomic<bool> stop = false;
  std::vector<StressClient> clients;
  for (unsigned i = 0; i < 6; ++i) clients.emplace_back(server_->listener(0).address(), i);
  std::vector<std::thread> threads;
  for (StressClient& client : clients) threads.emplace_back([&] { client.run(stop); });

  const auto end = clock_.now() + 2s;
  turn_until([&] { return clock_.now() > end; });
  stop = true;
  std::atomic<bool> joined = false;
  std::thread joining{[&] {
    for (std::thread& thread : threads) thread.join();
    joined = true;
  }};
  EXPECT_TRUE(turn_until([&] { return joined.load(); }));
  joining.join();
  int done = 0;
  for (const StressClient& client : clients) {
    EXPECT_EQ(client.wrong, 0);
    done += client.done;
  }
  EXPECT_GT(done, 20);
  EXPECT_TRUE(turn_until([&] { return server_->connections() == 0; }));
  EXPECT_TRUE(turn_until([&] { return handler.jobs.alive() + handler_.jobs.alive() == 0; }));
  server_->close();
  EXPECT_EQ(handler.made, handler.released);
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
}

// What was accepted is answered, and whole; what comes at the moment of closing may be reset.
TEST_F(ThreadedServerTest, DrainingInTheMiddleOfTraffic) {
  Options options;
  options.timeouts.linger = 10ms;
  for (int round = 0; round < 5; ++round) {
    LaterHandler handler{*loop_, handler_};
    server_ = *ThreadedServer::create(*loop_, handler, options, 3);
    auto socket = net::ListenSocket::tcp(syscalls_, "127.0.0.1", 0, {});
    ASSERT_TRUE(server_->listen(*std::move(socket)));
    ASSERT_TRUE(server_->start());
    const Address address = server_->listener(0).address();
    std::atomic<bool> draining = false;
    std::atomic<int> clients = 6, answered = 0, cut = 0, unanswered = 0;
    std::vector<std::thread> threads;
    for (int i = clients; i > 0; --i) {
      threads.emplace_back([&] {
        for (;;) {
          const bool before = !draining;
          const Fd client = patient(test::connect_to(address));
          if (client.get() < 0) break;
          send_all(client, "GET /later HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
          const std::string text = read_to_end(client);
          if (text.ends_with(std::string(9000, 'l'))) {
            ++answered;
          } else {
            ++(text.empty() && !before ? unanswered : cut);
          }
        }
        --clients;
      });
    }
    ASSERT_TRUE(turn_until([&] { return answered > 20; }));
    draining = true;
    server_->drain();
    EXPECT_TRUE(turn_until([&] { return clients == 0 && server_->connections() == 0; }));
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(cut, 0);
    EXPECT_LT(unanswered, 6);
    EXPECT_EQ(server_->active(), 0U);
    server_->close();
    EXPECT_EQ(handler.made, handler.released);
    EXPECT_EQ(loop_->blocks().outstanding(), 0U);
    server_.reset();
  }
}

TEST_F(ThreadedServerTest, ClosingInTheMiddleOfTraffic) {
  for (int round = 0; round < 5; ++round) {
    start(2);
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        while (!stop) {
          const Fd client = patient(test::connect_to(address_));
          if (client.get() < 0) return;
          send_all(client, i % 2 == 0 ? kHello : kHold);
          (void)read_body(client);
        }
      });
    }
    const auto end = clock_.now() + 50ms;
    turn_until([&] { return clock_.now() > end; });
    stop = true;
    server_->close();
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(handler_.jobs.alive(), 0U);
    EXPECT_EQ(loop_->blocks().outstanding(), 0U);
    server_.reset();
  }
}

}  // namespace
}  // namespace tercel::server
