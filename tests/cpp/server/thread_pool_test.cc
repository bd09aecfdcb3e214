// Real threads, real sockets, handlers that block. Run under TSan too (preset tsan).
#include "tercel/server/thread_pool.h"

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/connect.h"
#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "tercel/edge/rate_limit.h"
#include "tercel/server/threaded_server.h"

namespace tercel::server {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using test::Fd;
using test::patient;

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kHold = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n";
// Of a body that is longer than what is collected before a thread gets the request.
constexpr std::string_view kBegun =
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\nhello";
// More than kernels take for a client that reads nothing: 4 MiB to be sent, up to 32 received.
constexpr std::size_t kLargeBytes = std::size_t{48} << 20;

// Does what the path says, as a program would that knows no event loop.
class Plain final : public BlockingHandler {
 public:
  void begin_thread() noexcept override { ++begun; }
  void end_thread() noexcept override { ++ended; }

  void handle(const http::Request& request, http::Exchange& exchange,
              Blocking& thread) noexcept override {
    Visit visit{exchange, thread};
    exchange.observe(&visit);
    ++requests;
    if (request.path == "/hold") {
      ++holding;
      while (!released.load()) std::this_thread::sleep_for(1ms);
    }
    if (request.path == "/large") {
      visit.send_large();
    } else if (request.path == "/stream") {
      visit.stream(*this);
    } else if (request.path == "/drip") {
      visit.drip();
    } else {
      visit.answer(request.has_body ? visit.read_all() : "hello");
    }
    if (!visit.over) exchange.abort(Errc::kHandlerFailed);
    if (visit.outcome != http::Outcome::kComplete) ++unfinished;
  }

  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  std::atomic<int> requests = 0;
  std::atomic<int> holding = 0;
  std::atomic<int> unfinished = 0;
  std::atomic<int> parts = 0;
  std::atomic<bool> released = false;

 private:
  struct Visit final : http::Observer {
    Visit(http::Exchange& answered, Blocking& own) noexcept : exchange{answered}, thread{own} {}

    std::string read_all() {
      std::string body;
      while (!over) {
        const http::BodyRead part = exchange.read_body();
        body += part.bytes;
        if (part.state == http::BodyState::kEnd) return body;
        // What failed has its end on the way.
        if (part.state != http::BodyState::kMore) thread.wait();
      }
      return body;
    }
    void answer(std::string_view text) {
      if (over || !exchange.start({})) return;
      (void)exchange.write(http::Payload::borrow(text), http::Final::kYes);
    }
    void send_large() {
      const std::string part(32768, 'x');
      if (!exchange.start({})) return;
      for (std::size_t sent = 0; !over && sent < kLargeBytes;) {
        if (!exchange.writable()) {
          thread.wait();
          continue;
        }
        sent += part.size();
        const auto final = sent == kLargeBytes ? http::Final::kYes : http::Final::kNo;
        (void)exchange.write(http::Payload::borrow(part), final);
      }
    }
    // Each part is with the client before the next is made.
    void stream(Plain& owner) {
      if (!exchange.start({})) return;
      for (int i = 0; i < 3; ++i) {
        (void)exchange.write(http::Payload::borrow("part "), http::Final::kNo);
        thread.flush();
        while (owner.parts.load() <= i) std::this_thread::sleep_for(1ms);
      }
      (void)exchange.write({}, http::Final::kYes);
    }

    void drip() {
      if (!exchange.start({})) return;
      while (!over) {
        (void)exchange.write(http::Payload::borrow("x"), http::Final::kNo);
        thread.poll();
        std::this_thread::sleep_for(1ms);
      }
    }

    void on_body() noexcept override {}
    void on_writable() noexcept override {}
    void on_notice(http::Notice) noexcept override {}
    void on_end(http::Outcome how) noexcept override {
      over = true;
      outcome = how;
    }

    http::Exchange& exchange;
    Blocking& thread;
    bool over = false;
    http::Outcome outcome = http::Outcome::kAborted;
  };
};

// Closes with RST.
void reset(const Fd& client) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

std::string body_of(const std::string& text) {
  const std::size_t head = text.find("\r\n\r\n");
  return head == std::string::npos ? "" : text.substr(head + 4);
}

class ThreadPoolTest : public testing::Test {
 protected:
  void start(std::size_t threads, std::size_t io_threads = 1, const Options& options = {},
             const IoThread::Wrap& wrap = {}) {
    pool_ =
        *ThreadPool::create(syscalls_, handler_, threads, options.limits.output_high_water_bytes);
    server_ = *ThreadedServer::create(syscalls_, *pool_, options, io_threads, wrap);
    auto socket = net::ListenSocket::tcp(syscalls_, "127.0.0.1", 0, {});
    ASSERT_TRUE(socket);
    ASSERT_TRUE(server_->listen(*std::move(socket)));
    ASSERT_TRUE(server_->start());
    address_ = server_->listener(0).address();
  }
  void TearDown() override {
    handler_.released = true;
    if (server_ == nullptr) return;
    server_->close();
    EXPECT_EQ(handler_.begun, handler_.ended);
  }
  [[nodiscard]] Fd connect() const { return patient(test::connect_to(address_)); }
  static std::string ask(const Fd& client, std::string_view request, std::size_t body_bytes) {
    test::send_text(client, request);
    return read(client, body_bytes);
  }
  static std::string read(const Fd& client, std::size_t body_bytes) {
    std::string text;
    char bytes[65536];
    while (text.find("\r\n\r\n") == std::string::npos || body_of(text).size() < body_bytes) {
      const ssize_t count = ::recv(client.get(), bytes, sizeof bytes, 0);
      if (count <= 0) break;
      text.append(bytes, static_cast<std::size_t>(count));
    }
    return body_of(text);
  }
  static bool until(const std::function<bool()>& done) {
    for (int i = 0; i < 20'000 && !done(); ++i) std::this_thread::sleep_for(1ms);
    return done();
  }

  test::FailingSyscalls syscalls_;
  Plain handler_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<ThreadedServer> server_;
  Address address_;
};

TEST_F(ThreadPoolTest, AnswersOnOneConnectionAndOnMany) {
  start(3);
  const Fd client = connect();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(client, kHello, 5), "hello");
  std::vector<Fd> clients;
  for (int i = 0; i < 30; ++i) clients.push_back(connect());
  for (const Fd& each : clients) test::send_text(each, kHello);
  for (const Fd& each : clients) EXPECT_EQ(read(each, 5), "hello");
  // One of them may be slower to begin than the others are to answer.
  EXPECT_TRUE(until([&] { return handler_.begun == 3; }));
  EXPECT_TRUE(until([&] { return pool_->busy() == 0; }));
}

TEST_F(ThreadPoolTest, OneThatBlocksHoldsNobodyElseUp) {
  start(2);
  const Fd slow = connect();
  test::send_text(slow, kHold);
  ASSERT_TRUE(until([&] { return handler_.holding == 1; }));
  EXPECT_EQ(pool_->busy(), 1U);
  const Fd client = connect();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(client, kHello, 5), "hello");
  handler_.released = true;
  EXPECT_EQ(read(slow, 5), "hello");
}

TEST_F(ThreadPoolTest, WhatExceedsTheThreadsWaitsInOrder) {
  start(1);
  const Fd slow = connect();
  test::send_text(slow, kHold);
  ASSERT_TRUE(until([&] { return handler_.holding == 1; }));
  std::vector<Fd> waiting;
  for (int i = 0; i < 10; ++i) {
    waiting.push_back(connect());
    test::send_text(waiting.back(), kHello);
  }
  ASSERT_TRUE(until([&] { return server_->active() == 11; }));
  EXPECT_EQ(handler_.requests, 1);
  handler_.released = true;
  for (const Fd& each : waiting) EXPECT_EQ(read(each, 5), "hello");
}

TEST_F(ThreadPoolTest, ARequestWhoseClientLeftWhileItWaitedIsNotHandled) {
  start(1);
  const Fd slow = connect();
  test::send_text(slow, kHold);
  ASSERT_TRUE(until([&] { return handler_.holding == 1; }));
  for (int i = 0; i < 5; ++i) {
    Fd impatient = connect();
    test::send_text(impatient, kHello);
    ASSERT_TRUE(until([&] { return server_->active() == 2; }));
    reset(impatient);
    impatient = {};
    ASSERT_TRUE(until([&] { return server_->active() == 1; }));
  }
  handler_.released = true;
  EXPECT_EQ(read(slow, 5), "hello");
  EXPECT_EQ(ask(connect(), kHello, 5), "hello");
  EXPECT_EQ(handler_.requests, 2);
}

TEST_F(ThreadPoolTest, ABodyIsReadAsItComes) {
  start(2);
  const Fd client = connect();
  test::send_text(client, kBegun);
  ASSERT_TRUE(until([&] { return handler_.requests == 1; }));
  std::this_thread::sleep_for(5ms);
  const std::string rest(69'995, 'r');
  EXPECT_EQ(ask(client, rest, 70'000), "hello" + rest);
  const std::string large(200'000, 'b');
  EXPECT_EQ(ask(client, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + large,
                200'000),
            large);
}

// The only thread is free as long as a body of a moderate size is under way.
TEST_F(ThreadPoolTest, ASlowBodyIsCollectedBeforeAThreadGetsTheRequest) {
  start(1);
  const std::string_view heads[] = {
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nhello ",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n"};
  const std::string_view tails[] = {"world!", "6\r\nworld!\r\n0\r\n\r\n"};
  for (int i = 0; i < 2; ++i) {
    const Fd slow = connect();
    test::send_text(slow, heads[i]);
    ASSERT_TRUE(until([&] { return server_->active() == 1; }));
    EXPECT_EQ(ask(connect(), kHello, 5), "hello");
    EXPECT_EQ(handler_.requests, 2 * i + 1);
    EXPECT_EQ(ask(slow, tails[i], 12), "hello world!");
  }
  // One that leaves meanwhile has held nobody.
  {
    const Fd gone = connect();
    test::send_text(gone, heads[0]);
    ASSERT_TRUE(until([&] { return server_->active() == 1; }));
    reset(gone);
  }
  ASSERT_TRUE(until([&] { return server_->active() == 0; }));
  EXPECT_EQ(ask(connect(), kHello, 5), "hello");
  EXPECT_EQ(handler_.requests, 5);
}

// A client that waits to be asked, and a body that is longer than what is collected.
TEST_F(ThreadPoolTest, OtherBodiesAreReadAsTheyCome) {
  start(1);
  const Fd asked = connect();
  test::send_text(asked,
                  "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                  "Content-Length: 5\r\n\r\n");
  ASSERT_TRUE(until([&] { return handler_.requests == 1; }));
  EXPECT_EQ(read(asked, 0), "");  // 100 Continue.
  EXPECT_TRUE(ask(asked, "hello", 5).ends_with("hello"));
  const Fd large = connect();
  test::send_text(large, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\nx");
  ASSERT_TRUE(until([&] { return handler_.requests == 2; }));
  EXPECT_EQ(ask(large, std::string(65536, 'y'), 65537), "x" + std::string(65536, 'y'));
  const Fd chunked = connect();
  test::send_text(chunked,
                  "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "11000\r\n" +
                      std::string(0x11000, 'z') + "\r\n");
  ASSERT_TRUE(until([&] { return handler_.requests == 3; }));
  EXPECT_EQ(ask(chunked, "0\r\n\r\n", 0x11000), std::string(0x11000, 'z'));
}

// Each I/O thread has a limit before the pool, and all have one table.
TEST_F(ThreadPoolTest, TheRateOfAClientIsLimitedBeforeThePool) {
  edge::RateTable table{{.requests = 1, .burst = 10}};
  start(2, 2, {}, [&](http::Handler& inner, net::Loop& loop) {
    return std::make_unique<edge::RateLimit>(inner, loop, table);
  });
  std::vector<Fd> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(connect());
  int refused = 0;
  for (const Fd& client : clients) refused += ask(client, kHello, 5) != "hello";
  EXPECT_GE(refused, 8);  // A second or two may have gone by.
  EXPECT_LE(refused, 10);
  EXPECT_EQ(handler_.requests, 20 - refused);
}

TEST_F(ThreadPoolTest, ALargeAnswerWaitsForItsReader) {
  start(1);
  const Fd client = connect();
  test::send_text(client, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  std::this_thread::sleep_for(20ms);
  std::string text;
  char bytes[65536];
  for (ssize_t count = 0; text.find("\r\n0\r\n\r\n") == std::string::npos &&
                          (count = ::recv(client.get(), bytes, sizeof bytes, 0)) > 0;) {
    text.append(bytes, static_cast<std::size_t>(count));
  }
  EXPECT_GT(text.size(), kLargeBytes);
  EXPECT_EQ(ask(connect(), kHello, 5), "hello");
}

TEST_F(ThreadPoolTest, AClientThatLeavesEndsTheWaitOfItsHandler) {
  start(1);
  {
    const Fd client = connect();
    test::send_text(client, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(until([&] { return handler_.requests == 1; }));
    std::this_thread::sleep_for(20ms);
    reset(client);
  }
  {
    const Fd client = connect();
    test::send_text(client, kBegun);
    ASSERT_TRUE(until([&] { return handler_.requests == 2; }));
    reset(client);
  }
  EXPECT_EQ(ask(connect(), kHello, 5), "hello");
  EXPECT_EQ(handler_.unfinished, 2);
}

TEST_F(ThreadPoolTest, WhatIsFlushedLeavesWhileTheHandlerGoesOn) {
  start(1);
  const Fd client = connect();
  test::send_text(client, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  std::string text;
  char bytes[1024];
  for (int parts = 1; parts <= 3; ++parts) {
    std::size_t seen = 0;
    while (seen < static_cast<std::size_t>(parts)) {
      const ssize_t count = ::recv(client.get(), bytes, sizeof bytes, 0);
      ASSERT_GT(count, 0);
      text.append(bytes, static_cast<std::size_t>(count));
      seen = 0;
      for (std::size_t at = 0; (at = text.find("part ", at)) != std::string::npos; ++at) ++seen;
    }
    handler_.parts = parts;
  }
}

// It writes little by little, so it never has to wait.
TEST_F(ThreadPoolTest, AHandlerThatPollsHearsThatItsClientLeft) {
  start(1);
  Fd client = connect();
  test::send_text(client, "GET /drip HTTP/1.1\r\nHost: a\r\n\r\n");
  char bytes[1024];
  ASSERT_GT(::recv(client.get(), bytes, sizeof bytes, 0), 0);
  reset(client);
  client = {};
  EXPECT_TRUE(until([&] { return handler_.unfinished == 1; }));
}

TEST_F(ThreadPoolTest, ClosingEndsThoseWhoWait) {
  start(2);
  const Fd reader = connect();
  test::send_text(reader, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  const Fd sender = connect();
  test::send_text(sender, kBegun);
  const Fd waiting = connect();
  test::send_text(waiting, kHello);
  ASSERT_TRUE(until([&] { return handler_.requests == 2; }));
  server_->close();
  EXPECT_EQ(handler_.unfinished, 2);
  EXPECT_EQ(handler_.requests, 2);
  EXPECT_EQ(handler_.ended, 2);
}

TEST_F(ThreadPoolTest, ManyClientsThatComeGoAndMisbehave) {
  Options options;
  start(4, 2, options);
  std::vector<std::thread> clients;
  std::atomic<int> wrong = 0;
  for (int number = 0; number < 6; ++number) {
    clients.emplace_back([&, number] {
      for (int i = 0; i < 60; ++i) {
        const Fd client = connect();
        const std::string body(static_cast<std::size_t>(number * 997 + i * 31) % 5000 + 1, 'b');
        const std::string post =
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n" + body;
        switch (i % 4) {
          case 0:
            wrong += ask(client, kHello, 5) != "hello";
            break;
          case 1:
            wrong += ask(client, post, body.size()) != body;
            break;
          case 2:
            test::send_text(client, std::string_view{post}.substr(0, post.size() / 2));
            break;
          default:
            test::send_text(client, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
            reset(client);
        }
      }
    });
  }
  for (std::thread& each : clients) each.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(until([&] { return server_->active() == 0; }));
}

}  // namespace
}  // namespace tercel::server
