// HTTP/2 with I/O threads: real threads, real sockets, many streams at once that end in every way.
// Run under TSan too (preset tsan).
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "server/echo_handler.h"
#include "server/later_handler.h"
#include "support/connect.h"
#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/h2_client.h"
#include "tercel/server/threaded_server.h"

namespace tercel::server {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using test::Fd;

constexpr std::uint32_t kStreamWindow = 20000;

// One connection: streams that it opens, and what it knows of them. A stream that has to be
// answered has an expected body; the others end as they like.
class H2Connection {
 public:
  H2Connection(const Address& address, unsigned seed)
      : socket_{test::patient(test::connect_to(address))}, random_{seed} {
    if (!connected()) return;
    constexpr int kInitialWindowSize = 4;
    send(test::h2_hello({{kInitialWindowSize, kStreamWindow}}) +
         test::h2_window_update(0, 1U << 30U));
  }
  [[nodiscard]] bool connected() const { return socket_.get() >= 0; }

  // Opens `count` streams in one write.
  void open(int count) {
    for (int i = 0; i < count; ++i) open_one();
    send(std::exchange(output_, {}));
  }
  void get_later() {
    expected_[next_] = std::string(kLaterBytes, 'l');
    output_ += test::h2_get(next_, "/later");
    send(std::exchange(output_, {}));
    next_ += 2;
  }
  // Reads until every stream that has to be answered is. False: the server ended the connection.
  bool settle() {
    while (!expected_.empty()) {
      if (!read_some()) return false;
    }
    return true;
  }
  void read_to_end() {
    while (read_some()) {
    }
  }
  // Of those that were opened, not refused by a GOAWAY, and not answered.
  [[nodiscard]] std::size_t open_streams() const { return expected_.size(); }
  [[nodiscard]] bool told_to_go() const { return told_to_go_; }
  [[nodiscard]] int error() const { return error_; }
  int answered = 0;
  int wrong = 0;

 private:
  void open_one() {
    const std::uint32_t id = next_;
    next_ += 2;
    const std::string body(1 + random_() % 3000, 'b');
    switch (random_() % 10) {
      case 0:  // Resets at once.
        output_ += test::h2_get(id, "/later") + test::h2_reset(id);
        break;
      case 1:  // In the middle of its body.
        output_ += test::h2_post(id) + test::h2_data(id, "x") + test::h2_reset(id);
        break;
      case 2:  // In the middle of the answer.
        resets_.insert(id);
        output_ += test::h2_get(id, "/large");
        break;
      case 3:
        output_ += test::h2_get(id, "/abort");
        break;
      case 4:  // The body in parts, with others' frames between.
        expected_[id] = body + "end";
        output_ += test::h2_post(id) + test::h2_data(id, body);
        send(std::exchange(output_, {}));
        output_ += test::h2_data(id, "end", test::kEndStream);
        break;
      case 5:  // Once: a mebibyte takes its time under a sanitizer.
        if (std::exchange(asked_for_large_, true)) return;
        expected_[id] = std::string(test::EchoHandler::kLargeBytes, '\0');
        output_ += test::h2_get(id, "/large");
        break;
      case 6:
        expected_[id] = std::string(kLaterBytes, 'l');
        output_ += test::h2_get(id, "/later");
        break;
      case 7:
        expected_[id] = body;
        output_ += test::h2_post(id) + test::h2_data(id, body, test::kEndStream);
        break;
      default:
        expected_[id] = "hello";
        output_ += test::h2_get(id, "/hello");
    }
  }

  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t bytes = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (bytes <= 0) return;  // Reading will tell.
      text.remove_prefix(static_cast<std::size_t>(bytes));
    }
  }

  bool read_some() {
    std::array<char, 65536> bytes;
    const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (count <= 0) return false;
    std::istringstream lines{reader_.read({bytes.data(), static_cast<std::size_t>(count)})};
    for (std::string line; std::getline(lines, line);) take(line);
    send(std::exchange(output_, {}));
    return true;
  }

  void take(const std::string& line) {
    std::istringstream words{line};
    if (line.starts_with("GOAWAY")) {
      std::string name;
      std::uint32_t last = 0;
      words >> name >> last >> error_;
      told_to_go_ = true;
      expected_.erase(expected_.upper_bound(last), expected_.end());  // To be asked elsewhere.
      return;
    }
    std::uint32_t id = 0;
    std::string type, last;
    if (!(words >> id >> type) || id == 0) return;
    if (type == "RST_STREAM") wrong += static_cast<int>(expected_.erase(id));
    std::size_t size = 0;
    if (type == "DATA" && words >> size && size > 0) {
      if (resets_.erase(id) > 0) {
        output_ += test::h2_reset(id);
      } else {
        output_ += test::h2_window_update(id, static_cast<std::uint32_t>(size));
      }
    }
    if (!line.ends_with(" END") && line.find(" END ") == std::string::npos) return;
    const auto found = expected_.find(id);
    if (found == expected_.end()) return;
    ++(reader_.body(id) == found->second ? answered : wrong);
    expected_.erase(found);
  }

  Fd socket_;
  std::mt19937 random_;
  test::H2Reader reader_;
  std::string output_;
  std::uint32_t next_ = 1;
  std::map<std::uint32_t, std::string> expected_;
  std::set<std::uint32_t> resets_;  // To be reset when the answer begins.
  bool asked_for_large_ = false;
  bool told_to_go_ = false;
  int error_ = 0;
};

class ThreadedH2Test : public testing::Test {
 protected:
  void start(std::size_t threads) {
    Options options;
    options.timeouts.linger = 10ms;
    server_ = *ThreadedServer::create(*loop_, handler_, options, threads);
    auto socket = net::ListenSocket::tcp(syscalls_, "127.0.0.1", 0, {});
    ASSERT_TRUE(socket);
    ASSERT_TRUE(server_->listen(*std::move(socket)));
    ASSERT_TRUE(server_->start());
    address_ = server_->listener(0).address();
  }
  // Turns the application's loop until `done`; false: it took too long.
  bool turn_until(const std::function<bool()>& done) {
    const auto end = clock_.now() + 60s;
    while (!done()) {
      if (clock_.now() > end) return false;
      EXPECT_TRUE(loop_->wait(1ms));
      loop_->dispatch();
    }
    return true;
  }
  // Runs `client` with a number in each of `count` threads until all have returned.
  void run_clients(
      int count, const std::function<void(int)>& client,
      const std::function<void()>& meanwhile = [] {}) {
    std::atomic<int> running = count;
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        client(i);
        --running;
      });
    }
    meanwhile();
    EXPECT_TRUE(turn_until([&] { return running == 0; }));
    for (std::thread& thread : threads) thread.join();
  }
  void expect_nothing_left() {
    EXPECT_TRUE(turn_until([&] { return server_->connections() == 0 && server_->active() == 0; }));
    EXPECT_TRUE(turn_until([&] { return handler_.jobs.alive() + echo_.jobs.alive() == 0; }));
    server_->close();
    EXPECT_EQ(handler_.made, handler_.released);
    EXPECT_EQ(loop_->blocks().outstanding(), 0U);
    server_.reset();
  }

  const SteadyClock clock_;
  test::FailingSyscalls syscalls_;
  test::EchoHandler echo_;
  std::unique_ptr<net::Loop> loop_ = *net::Loop::create(clock_, syscalls_);
  LaterHandler handler_{*loop_, echo_};
  std::unique_ptr<ThreadedServer> server_;
  Address address_;
};

TEST_F(ThreadedH2Test, ManyStreamsOfManyConnectionsEndInEveryWay) {
  start(2);
  std::atomic<int> answered = 0, wrong = 0, ended = 0;
  run_clients(5, [&](int number) {
    for (unsigned round = 0; round < 3; ++round) {
      H2Connection connection{address_, static_cast<unsigned>(number) * 100 + round};
      for (int batch = 0; batch < 3; ++batch) {
        connection.open(30);
        if (!connection.settle()) ++ended;
      }
      // Leaves with streams under way.
      connection.open(20);
      answered += connection.answered;
      wrong += connection.wrong;
    }
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(ended, 0);
  EXPECT_GT(answered, 5 * 3 * 3 * 10);
  expect_nothing_left();
}

// What was begun before the GOAWAY is answered, and whole.
TEST_F(ThreadedH2Test, DrainingInTheMiddleOfStreams) {
  for (int round = 0; round < 5; ++round) {
    start(3);
    std::atomic<int> answered = 0, wrong = 0, lost = 0, not_told = 0, errors = 0;
    run_clients(
        6,
        [&](int number) {
          H2Connection connection{address_, static_cast<unsigned>(round * 100 + number)};
          if (!connection.connected()) return;
          while (!connection.told_to_go()) {
            const int before = connection.answered;
            for (int i = 0; i < 20; ++i) connection.get_later();
            if (!connection.settle()) break;
            answered += connection.answered - before;
          }
          connection.read_to_end();
          wrong += connection.wrong;
          lost += static_cast<int>(connection.open_streams());
          not_told += connection.told_to_go() ? 0 : 1;
          errors += connection.error();
        },
        [&] {
          ASSERT_TRUE(turn_until([&] { return answered > 100; }));
          server_->drain();
        });
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(lost, 0);
    EXPECT_EQ(not_told, 0);
    EXPECT_EQ(errors, 0);
    expect_nothing_left();
  }
}

TEST_F(ThreadedH2Test, ClosingInTheMiddleOfStreams) {
  for (int round = 0; round < 5; ++round) {
    start(2);
    std::atomic<bool> closed = false;
    run_clients(
        4,
        [&](int number) {
          H2Connection connection{address_, static_cast<unsigned>(round * 100 + number)};
          while (connection.connected() && !closed) {
            connection.open(10);
            if (!connection.settle()) break;
          }
        },
        [&] {
          const auto end = clock_.now() + 50ms;
          turn_until([&] { return clock_.now() > end; });
          server_->close();
          closed = true;
        });
    EXPECT_EQ(handler_.jobs.alive() + echo_.jobs.alive(), 0U);
    expect_nothing_left();
  }
}

}  // namespace
}  // namespace tercel::server
