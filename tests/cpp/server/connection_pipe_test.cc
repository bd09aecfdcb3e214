// Bodies that go through a connection without being looked at (Connection::input_into(),
// send_pipe()): a handler reads them into pipes, and answers with the pipes.

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "support/pattern.h"
#include "tercel/base/slab.h"
#include "tercel/net/socket_stream.h"
#include "tercel/server/connection.h"
#include "tercel/server/server.h"

namespace tercel::server {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using http::BodyState;
using http::Final;
using test::Call;
using test::Fd;
using test::pattern;

// PUT keeps the body, which it reads into pipes where it can; GET answers with `body`, in pipes.
class PipeHandler final : public http::Handler {
 public:
  explicit PipeHandler(std::unique_ptr<net::Loop>& loop) noexcept : loop_{loop} {}

  struct Job final : http::Observer {
    Job(PipeHandler& owning, http::Exchange& answered, bool sending) noexcept
        : owner{owning}, exchange{answered}, sends{sending} {}

    void run() noexcept { sends ? send() : receive(); }
    void receive() noexcept {
      for (;;) {
        Pipe pipe;
        const http::BodyRead part = exchange.read_body_into(pipe);
        EXPECT_TRUE(!pipe || (part.bytes.empty() && pipe.bytes() > 0));
        if (part.state == BodyState::kPending || part.state == BodyState::kFailed) return;
        ++(pipe ? owner.piped : owner.copied);
        if (owner.body.empty()) owner.first_bytes = part.bytes.size();
        owner.body += part.bytes;
        while (pipe && pipe.bytes() > 0) {
          char bytes[4096];
          const ssize_t got = ::read(pipe.read_end(), bytes, sizeof bytes);
          if (got <= 0) break;
          owner.body.append(bytes, static_cast<std::size_t>(got));
          pipe.drained(static_cast<std::size_t>(got));
        }
        if (part.state == BodyState::kEnd) break;
      }
      if (exchange.start({})) (void)exchange.write({}, Final::kYes);
    }
    void send() noexcept {
      while (exchange.writable()) {
        owner.took_pipes = exchange.takes_pipes();
        if (!owner.took_pipes) return;
        Pipe pipe = owner.loop_->pipes().take();
        if (!pipe) return exchange.abort(Errc::kNoMemory);
        const std::string_view left = std::string_view{owner.body}.substr(sent, owner.part_bytes);
        const ssize_t put = ::write(pipe.write_end(), left.data(), left.size());
        if (put > 0) pipe.filled(static_cast<std::size_t>(put));
        sent += pipe.bytes();
        const Final final = sent == owner.body.size() ? Final::kYes : Final::kNo;
        if (!exchange.write_pipe(std::move(pipe), final) || final == Final::kYes) return;
      }
    }
    void on_body() noexcept override { run(); }
    void on_writable() noexcept override { run(); }
    void on_notice(http::Notice) noexcept override {}
    void on_end(http::Outcome outcome) noexcept override {
      owner.outcomes.push_back(outcome);
      owner.traffic = exchange.traffic();
      owner.jobs.destroy(this);
    }

    PipeHandler& owner;
    http::Exchange& exchange;
    bool sends;
    std::size_t sent = 0;
  };

  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    if (request.path == "/hello") {
      (void)exchange.start({});
      return (void)exchange.write(http::Payload::borrow("hello"), Final::kYes);
    }
    const bool sends = request.method != "PUT";
    Job* const job = jobs.make(*this, exchange, sends);
    if (job == nullptr) return exchange.abort(Errc::kNoMemory);
    exchange.observe(job);
    if (sends) {
      const std::string length = std::to_string(body.size());
      const http::Field fields[] = {{"content-length", length}};
      const bool chunked = request.path == "/chunked";
      if (!exchange.start({.status = 200, .fields = std::span{fields}.first(chunked ? 0 : 1)})) {
        return;
      }
      EXPECT_TRUE(exchange.takes_pipes());
    } else {
      body.clear();
    }
    job->run();
  }

  std::unique_ptr<net::Loop>& loop_;
  Slab<Job> jobs;
  std::string body;
  std::vector<http::Outcome> outcomes;
  http::Traffic traffic;
  std::size_t part_bytes = SIZE_MAX;  // Of an answer, in one pipe.
  bool took_pipes = true;             // When it was asked last.
  int piped = 0;
  int copied = 0;
  std::size_t first_bytes = 0;  // Of the body, that came with the head.
};

class ConnectionPipeTest : public testing::Test {
 protected:
  ConnectionPipeTest() {
    std::signal(SIGPIPE, SIG_IGN);
    options_.server_field = "";
    options_.date_field = false;
    make_server();
  }
  void make_server() { server_ = std::make_unique<Server>(*loop_, handler_, options_); }

  [[nodiscard]] Fd connect() {
    test::SocketPair pair = test::socket_pair();
    EXPECT_EQ(::fcntl(pair.peers.get(), F_SETFL, O_NONBLOCK), 0);
    server_->serve(std::make_unique<net::SocketStream>(syscalls_, pair.ours.release()), {});
    return std::move(pair.peers);
  }
  void settle() {
    for (int idle_turns = 0; idle_turns < 8; ++idle_turns) {
      const auto events = loop_->wait(0ns);
      loop_->dispatch();
      if (events && *events > 0) idle_turns = 0;
    }
  }
  // Sends all of it, as far as it is taken, and reads what comes back meanwhile.
  std::string exchange(const Fd& client, std::string_view text) {
    std::string answer;
    for (int idle = 0; idle < 4;) {
      const ssize_t taken =
          text.empty() ? 0 : ::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (taken > 0) text.remove_prefix(static_cast<std::size_t>(taken));
      settle();
      const std::string part = test::receive_all(client);
      answer += part;
      idle = taken > 0 || !part.empty() ? 0 : idle + 1;
    }
    return answer;
  }
  static std::string head(std::size_t bytes) {
    return "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n";
  }
  static std::string answer_of(const std::string& body) {
    return "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  [[nodiscard]] net::PipePool& pipes() { return loop_->pipes(); }

  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  Options options_;
  std::unique_ptr<net::Loop> loop_ = *net::Loop::create(clock_, syscalls_);
  PipeHandler handler_{loop_};
  std::unique_ptr<Server> server_;
};

constexpr std::string_view kGet = "GET /get HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kHelloAnswer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
constexpr std::string_view kPutAnswer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

// Sizes around each threshold, on one connection, each with a request right behind the body.
TEST_F(ConnectionPipeTest, BodiesOfEverySizeArriveAndNothingBehindThemIsTaken) {
  const Fd client = connect();
  constexpr std::size_t kScratch = net::Loop::kScratchBytes;
  constexpr std::size_t kPipe = net::PipePool::kPipeBytes;
  for (const std::size_t middle : {std::size_t{1}, http::kPipedBytesMin, kScratch,
                                   kScratch + http::kPipedBytesMin, kPipe, kScratch + kPipe}) {
    for (const std::size_t bytes : {middle - 1, middle, middle + 1}) {
      const std::string body = pattern(bytes);
      const std::string seen = exchange(client, head(bytes) + body + std::string{kHello});
      EXPECT_EQ(seen, std::string{kPutAnswer} + std::string{kHelloAnswer}) << bytes;
      EXPECT_TRUE(handler_.body == body) << bytes;
      EXPECT_EQ(handler_.traffic.request_bytes, bytes);
    }
  }
  EXPECT_GT(handler_.piped, 0);
  EXPECT_EQ(pipes().lent(), 0U);
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
}

TEST_F(ConnectionPipeTest, AnswersOfEverySizeArriveAndTheNextOneBehindThem) {
  const Fd client = connect();
  constexpr std::size_t kPipe = net::PipePool::kPipeBytes;
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{1}, std::size_t{65535}, kPipe, kPipe + 1, 5 * kPipe}) {
    handler_.body = pattern(bytes);
    const std::string seen = exchange(client, std::string{kGet} + std::string{kHello});
    EXPECT_TRUE(seen == answer_of(handler_.body) + std::string{kHelloAnswer}) << bytes;
    EXPECT_EQ(handler_.traffic.response_bytes, bytes);
  }
  EXPECT_EQ(pipes().lent(), 0U);
}

TEST_F(ConnectionPipeTest, AnAnswerWithoutALengthIsChunked) {
  const Fd client = connect();
  handler_.body = "hello";
  EXPECT_EQ(exchange(client, "GET /chunked HTTP/1.1\r\nHost: a\r\n\r\n"),
            kHelloAnswer);  // One part is a length, too.
  handler_.body = pattern(net::PipePool::kPipeBytes + 1);
  const std::string seen = exchange(client, "GET /chunked HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(seen.find("\r\n40000\r\n"), std::string::npos);
  EXPECT_TRUE(seen.ends_with("\r\n1\r\n" + handler_.body.substr(handler_.body.size() - 1) +
                             "\r\n0\r\n\r\n"));
}

TEST_F(ConnectionPipeTest, AnAnswerToHeadHasNoneOfWhatIsInThePipe) {
  const Fd client = connect();
  handler_.body = pattern(1000);
  EXPECT_EQ(exchange(client, "HEAD /get HTTP/1.1\r\nHost: a\r\n\r\n" + std::string{kHello}),
            "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + std::string{kHelloAnswer});
  EXPECT_EQ(pipes().lent(), 0U);
  EXPECT_EQ(pipes().idle(), 0U);
}

TEST_F(ConnectionPipeTest, ASmallBodyNeedsNoPipe) {
  const Fd client = connect();
  const std::string body = pattern(http::kPipedBytesMin - 1);
  EXPECT_EQ(exchange(client, head(body.size()) + body), kPutAnswer);
  EXPECT_EQ(handler_.piped, 0);
  EXPECT_EQ(syscalls_.calls(Call::kPipe2), 0);
}

TEST_F(ConnectionPipeTest, OfALargeBodyNearlyAllGoesThroughAPipe) {
  const Fd client = connect();
  const std::string body = pattern(10'000'000);
  EXPECT_EQ(exchange(client, head(body.size()) + body), kPutAnswer);
  EXPECT_TRUE(handler_.body == body);
  EXPECT_GT(handler_.piped, 20);
  EXPECT_LE(handler_.copied, 3);
}

// Of the first one it is not known that it is large when it is read.
TEST_F(ConnectionPipeTest, OfALaterBodyLittleIsReadWithTheHead) {
  const Fd client = connect();
  const std::string body = pattern(2 * net::PipePool::kPipeBytes);
  for (const bool later : {false, true}) {
    EXPECT_EQ(exchange(client, head(body.size()) + body), kPutAnswer);
    EXPECT_TRUE(handler_.body == body);
    EXPECT_EQ(handler_.first_bytes < http::kHeadReadBytes, later);
  }
}

TEST_F(ConnectionPipeTest, ShortTransfersChangeNothing) {
  const Fd client = connect();
  const std::string body = pattern(200'000);
  syscalls_.limit_spliced_bytes(1009);
  EXPECT_EQ(exchange(client, head(body.size()) + body), kPutAnswer);
  EXPECT_TRUE(handler_.body == body);
  EXPECT_GT(handler_.piped, 50);
  EXPECT_TRUE(exchange(client, kGet) == answer_of(body));
}

TEST_F(ConnectionPipeTest, WhereThereIsNoPipeTheBytesAreCopied) {
  const std::string body = pattern(1'000'000);
  for (const auto& [call, error] :
       {std::pair{Call::kPipe2, EMFILE}, {Call::kSetPipeBytes, EPERM}}) {
    const Fd client = connect();
    syscalls_.fail(call, error, 1, 1000);
    EXPECT_EQ(exchange(client, head(body.size()) + body), kPutAnswer);
    EXPECT_TRUE(handler_.body == body);
    EXPECT_EQ(handler_.piped, 0);
    syscalls_.fail(call, error, 1, 0);
    clock_.advance(net::PipePool::kPause);
  }
}

TEST_F(ConnectionPipeTest, ASystemThatDoesNotSpliceIsAskedOnce) {
  const Fd client = connect();
  const std::string body = pattern(1'000'000);
  syscalls_.fail(Call::kSplice, EINVAL, 1, 1000);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(exchange(client, head(body.size()) + body), kPutAnswer);
    EXPECT_TRUE(handler_.body == body);
  }
  EXPECT_EQ(handler_.piped, 0);
  EXPECT_EQ(syscalls_.calls(Call::kSplice), 1);
}

TEST_F(ConnectionPipeTest, AClientThatDoesNotReadIsHeldUpWithAFewPipes) {
  const Fd client = connect();
  handler_.body = pattern(10'000'000);
  test::send_text(client, kGet);
  settle();
  EXPECT_GE(pipes().lent(), 1U);
  EXPECT_LE(pipes().lent(), 2U);
  clock_.advance(options_.timeouts.write.grace + 1s);
  settle();
  EXPECT_EQ(server_->connections(), 0U);
  EXPECT_EQ(pipes().lent(), 0U);
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
}

TEST_F(ConnectionPipeTest, ManySmallPartsForAClientThatDoesNotReadTakeNoMorePipes) {
  const Fd client = connect();
  handler_.body = pattern(10'000'000);
  handler_.part_bytes = 1000;
  test::send_text(client, kGet);
  settle();
  EXPECT_FALSE(handler_.took_pipes);
  EXPECT_LE(pipes().lent(), Connection::kFilesMax);
}

TEST_F(ConnectionPipeTest, AClientThatEndsInTheMiddleHasSentNoBody) {
  const Fd client = connect();
  EXPECT_EQ(exchange(client, head(1'000'000) + pattern(600'000)), "");
  EXPECT_GT(handler_.piped, 0);
  ::shutdown(client.get(), SHUT_WR);
  EXPECT_TRUE(exchange(client, {}).starts_with("HTTP/1.1 400 "));
  ASSERT_EQ(handler_.outcomes.size(), 1U);
  EXPECT_EQ(handler_.outcomes[0], http::Outcome::kAborted);
}

TEST_F(ConnectionPipeTest, AClientThatVanishesInTheMiddleLeavesNothing) {
  handler_.body = pattern(10'000'000);
  for (const std::string& request : {std::string{kGet}, head(1'000'000) + pattern(600'000)}) {
    {
      const Fd client = connect();
      std::string_view left = request;
      while (!left.empty()) {
        const ssize_t sent = ::send(client.get(), left.data(), left.size(), MSG_NOSIGNAL);
        if (sent > 0) left.remove_prefix(static_cast<std::size_t>(sent));
        settle();
      }
    }
    settle();
    EXPECT_EQ(server_->connections(), 0U);
    EXPECT_EQ(pipes().lent(), 0U);
  }
  EXPECT_EQ(handler_.outcomes, std::vector(2, http::Outcome::kPeerGone));
}

TEST_F(ConnectionPipeTest, ABodyThatStallsInAPipeRunsOutOfTimeAsAnyOther) {
  const Fd client = connect();
  (void)exchange(client, head(1'000'000) + pattern(600'000));
  EXPECT_GT(handler_.piped, 0);
  clock_.advance(options_.timeouts.body.grace + 1s);
  settle();
  EXPECT_TRUE(exchange(client, {}).starts_with("HTTP/1.1 408 "));
}

// What comes in pipes buys time, too.
TEST_F(ConnectionPipeTest, ABodyThatKeepsComingInPipesIsNotCutOff) {
  const Fd client = connect();
  const std::string body = pattern(1'000'000);
  (void)exchange(client, head(body.size()));
  for (std::size_t sent = 0; sent < body.size(); sent += 100'000) {
    clock_.advance(options_.timeouts.body.grace / 2);
    const std::string seen = exchange(client, std::string_view{body}.substr(sent, 100'000));
    EXPECT_EQ(seen, sent + 100'000 < body.size() ? "" : kPutAnswer);
  }
  EXPECT_GT(handler_.piped, 5);
}

TEST_F(ConnectionPipeTest, EverySystemCallMayFailOnceAndNothingIsWrong) {
  const std::string body = pattern(200'000);
  const std::string all = std::string{kPutAnswer} + answer_of(body);
  int failures = 0;
  for (std::size_t choice = 0; choice < 6; ++choice) {
    for (int nth = 1;; ++nth) {
      // A system that cannot splice is not asked again, so each has a loop of its own.
      server_.reset();
      loop_ = *net::Loop::create(clock_, syscalls_);
      make_server();
      handler_.body.clear();
      const auto descriptors = test::open_descriptors();
      syscalls_.fail_any(nth, choice);
      {
        const Fd client = connect();
        std::string seen = exchange(client, head(body.size()) + body);
        EXPECT_TRUE(handler_.body == body || !seen.starts_with(kPutAnswer));
        clock_.advance(net::PipePool::kPause);
        if (seen == kPutAnswer) seen += exchange(client, kGet);
        const auto what = test::name_of(syscalls_.failed());
        const bool error = seen.find("HTTP/1.1 50") != std::string::npos;
        EXPECT_TRUE(error || seen == all.substr(0, seen.size())) << what << " " << nth;
      }
      const bool happened = syscalls_.failed() != Call::kCount;
      const auto what = test::name_of(syscalls_.failed());
      syscalls_.fail_any(1 << 30);
      clock_.advance(200s);
      settle();
      EXPECT_EQ(server_->connections(), 0U) << what << " " << nth;
      EXPECT_EQ(pipes().lent(), 0U) << what << " " << nth;
      EXPECT_EQ(loop_->blocks().outstanding(), 0U) << what << " " << nth;
      pipes().give_up();
      EXPECT_EQ(test::open_descriptors(), descriptors) << what << " " << nth;
      if (!happened || nth > 200) break;
      ++failures;
    }
  }
  EXPECT_GT(failures, 60);
}

}  // namespace
}  // namespace tercel::server
