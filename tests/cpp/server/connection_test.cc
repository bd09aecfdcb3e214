#include "tercel/server/connection.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "server/echo_handler.h"
#include "support/allocations.h"
#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "tercel/net/socket_stream.h"
#include "tercel/server/server.h"

namespace tercel::server {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using test::EchoHandler;
using test::Fd;

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kHelloAnswer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
constexpr std::string_view kHold = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n";

Options plain_options() {
  Options options;
  options.server_field = "";
  options.date_field = false;
  return options;
}

class ConnectionTest : public testing::Test {
 protected:
  ConnectionTest() { make_server(plain_options()); }

  void make_server(const Options& options) {
    server_.reset();
    server_ = std::make_unique<Server>(*loop_, handler_, options);
  }
  // A new connection; returns the client's end, which does not block.
  [[nodiscard]] Fd connect(const http::Endpoints& ends = {}) {
    test::SocketPair pair = test::socket_pair();
    EXPECT_EQ(::fcntl(pair.peers.get(), F_SETFL, O_NONBLOCK), 0);
    server_->serve(std::make_unique<net::SocketStream>(syscalls_, pair.ours.release()), ends);
    return std::move(pair.peers);
  }
  // Turns the loop until nothing happens any more.
  void settle() {
    for (int idle_turns = 0; idle_turns < 20; ++idle_turns) {  // Deferred work is no event.
      const auto events = loop_->wait(0ns);
      loop_->dispatch();
      if (events && *events > 0) idle_turns = 0;
    }
  }
  void pass(std::chrono::nanoseconds time) {
    clock_.advance(time);
    settle();
  }
  [[nodiscard]] std::string ask(const Fd& client, std::string_view request) {
    test::send_text(client, request);
    settle();
    return test::receive_all(client);
  }
  // Nothing more will come: the server closed its end.
  [[nodiscard]] static bool at_end(const Fd& client) {
    char byte = 0;
    const ssize_t got = ::recv(client.get(), &byte, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }

  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  EchoHandler handler_;
  std::unique_ptr<net::Loop> loop_ = *net::Loop::create(clock_, syscalls_);
  std::unique_ptr<Server> server_;
};

TEST_F(ConnectionTest, RequestsOnOneConnectionAreAnswered) {
  const Fd client = connect();
  EXPECT_EQ(ask(client, kHello), kHelloAnswer);
  EXPECT_EQ(ask(client, kHello), kHelloAnswer);
  EXPECT_EQ(server_->connections(), 1U);
}

TEST_F(ConnectionTest, PipelinedAnswersLeaveInOneSystemCall) {
  const Fd client = connect();
  std::string requests, answers;
  for (int i = 0; i < 20; ++i) {
    requests += kHello;
    answers += kHelloAnswer;
  }
  const int sends = syscalls_.calls(test::Call::kSend) + syscalls_.calls(test::Call::kSendmsg);
  EXPECT_EQ(ask(client, requests), answers);
  EXPECT_EQ(syscalls_.calls(test::Call::kSend) + syscalls_.calls(test::Call::kSendmsg), sends + 1);
}

TEST_F(ConnectionTest, AFastSenderAndAPipelinerLetTheirNeighboursTakeTheirTurn) {
  const Fd sender = connect();
  const Fd pipeliner = connect();
  const Fd neighbour = connect();
  settle();
  test::send_text(sender, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n");
  settle();
  const std::string part(200000, 'x');
  (void)::send(sender.get(), part.data(), part.size(), MSG_NOSIGNAL);
  std::string requests;
  for (int i = 0; i < 500; ++i) requests += kHello;
  test::send_text(pipeliner, requests);
  test::send_text(neighbour, kHello);
  // One turn: nobody is done but the one who asked for little.
  ASSERT_TRUE(loop_->wait(0ns));
  loop_->dispatch();
  EXPECT_EQ(test::receive_all(neighbour), kHelloAnswer);
  EXPECT_EQ(handler_.requests, 2 + static_cast<int>(http::H1Session::kRequestsPerStep));
  settle();
  EXPECT_EQ(handler_.requests, 502);
}

TEST_F(ConnectionTest, AnIdleConnectionHoldsNoBlock) {
  const Fd client = connect();
  EXPECT_EQ(ask(client, kHello), kHelloAnswer);
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
}

TEST_F(ConnectionTest, ASteadyStateAllocatesNothing) {
  const Fd client = connect();
  constexpr std::string_view kPost =
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
  char answer[1024];
  const auto exchange = [&](std::string_view request) {
    test::send_text(client, request);
    settle();
    ASSERT_GT(::read(client.get(), answer, sizeof answer), 0);
  };
  for (int i = 0; i < 10; ++i) {
    exchange(kHello);
    exchange(kPost);
  }
  handler_.outcomes.reserve(1000);
  const test::AllocationCount count;
  for (int i = 0; i < 100; ++i) {
    exchange(kHello);
    exchange(kPost);
  }
  EXPECT_EQ(count.so_far(), 0U);
}

TEST_F(ConnectionTest, SingleByteTransfersChangeNothing) {
  syscalls_.limit_bytes(1);
  const Fd client = connect();
  std::string answer;
  for (const char byte :
       std::string_view{"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"}) {
    answer += ask(client, {&byte, 1});
  }
  EXPECT_EQ(answer, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde");
}

TEST_F(ConnectionTest, ASlowReaderPausesTheHandler) {
  const Fd client = connect();
  test::send_text(client, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  settle();
  EXPECT_EQ(handler_.jobs.alive(), 1U);
  EXPECT_LT(loop_->blocks().outstanding(), 16U);  // Bounded by the high-water mark.
  std::size_t bytes = 0;
  for (int reads = 0; reads < 10000 && handler_.jobs.alive() > 0; ++reads) {
    bytes += test::receive_all(client).size();
    settle();
  }
  settle();
  bytes += test::receive_all(client).size();
  EXPECT_GT(bytes, EchoHandler::kLargeBytes);
  EXPECT_EQ(handler_.outcomes.back(), http::Outcome::kComplete);
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
}

// Otherwise its answers pile up: 20 KB of them for every 30 bytes that it sends.
TEST_F(ConnectionTest, APipelinerThatDoesNotReadIsNotServedFurther) {
  const Fd client = connect();
  const std::string large = "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += large + std::string{kHello};
  test::send_text(client, requests);
  settle();
  EXPECT_EQ(handler_.jobs.alive(), 1U);
  EXPECT_EQ(handler_.requests, 1);
  std::size_t bytes = 0;
  for (int reads = 0; reads < 100000 && handler_.requests < 200; ++reads) {
    bytes += test::receive_all(client).size();
    settle();
    ASSERT_LT(loop_->blocks().outstanding(), 16U);
  }
  EXPECT_EQ(handler_.requests, 200);
  bytes += test::receive_all(client).size();
  EXPECT_GT(bytes, 100 * (EchoHandler::kLargeBytes - 1));
}

TEST_F(ConnectionTest, SmallAnswersThatNobodyReadsAreFewToo) {
  const Fd client = connect();
  std::string requests;
  for (int i = 0; i < 2000; ++i) requests += kHello;
  std::size_t asked = 0;
  for (int idle = 0; idle < 20; ++idle) {  // Until the kernel takes no more of them.
    const ssize_t sent = ::send(client.get(), requests.data(), requests.size(), MSG_NOSIGNAL);
    if (sent > 0) asked += static_cast<std::size_t>(sent), idle = 0;
    settle();
    if (asked > 20'000'000) break;
  }
  EXPECT_LT(asked, 4'000'000U);
  EXPECT_LT(loop_->blocks().outstanding(), 512U);
  pass(40s);
  EXPECT_EQ(server_->connections(), 0U);  // It counts as a peer that does not read.
}

// A handler that works on for long after it sent something holds nothing back.
TEST_F(ConnectionTest, APartLeavesBeforeTheHandlerIsDone) {
  const Fd client = connect();
  std::string seen;
  handler_.during_parts = [&] { seen += test::receive_all(client) + "|"; };
  test::send_text(client, "GET /parts HTTP/1.1\r\nHost: a\r\n\r\n");
  settle();
  EXPECT_EQ(seen,
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n|"
            "3\r\nend\r\n0\r\n\r\n|");
}

TEST_F(ConnectionTest, AHandlerThatDoesNotReadPausesTheSender) {
  const Fd client = connect();
  test::send_text(client, "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n");
  const std::string part(65536, 'x');
  std::size_t taken = 0;
  for (int writes = 0; writes < 500; ++writes) {
    const ssize_t sent = ::send(client.get(), part.data(), part.size(), MSG_NOSIGNAL);
    if (sent < 0) break;
    taken += static_cast<std::size_t>(sent);
    settle();
  }
  EXPECT_LT(taken, std::size_t{4} << 20);  // The kernel's buffers and one of ours.
  EXPECT_LE(loop_->blocks().outstanding(), 1U);
}

TEST_F(ConnectionTest, LimitsRunAlsoWhenTheHandlerGoesOnOutsideOfAStep) {
  const Fd client = connect();
  (void)ask(client, "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
  pass(10min);
  ASSERT_NE(handler_.held, nullptr);
  handler_.held->read();
  pass(31s);
  EXPECT_TRUE(test::receive_all(client).starts_with("HTTP/1.1 408 "));

  const Fd idle = connect();
  (void)ask(idle, kHold);
  pass(10min);
  ASSERT_NE(handler_.held, nullptr);
  handler_.held->read();
  settle();
  EXPECT_TRUE(test::receive_all(idle).starts_with("HTTP/1.1 200 "));
  pass(76s);
  EXPECT_TRUE(at_end(idle));
}

TEST_F(ConnectionTest, AnAnswerLeavesInOneSystemCallAlsoOutsideOfAStep) {
  const auto sends = [this] {
    return syscalls_.calls(test::Call::kSend) + syscalls_.calls(test::Call::kSendmsg);
  };
  const Fd client = connect();
  const std::string body(3000, 'x');  // More than has a place behind the head.
  for (const bool chunked : {false, true}) {
    (void)ask(client, kHold);
    ASSERT_NE(handler_.held, nullptr);
    http::Exchange& exchange = handler_.held->exchange;
    const int before = sends();
    ASSERT_TRUE(exchange.start({}));
    const http::Final final = chunked ? http::Final::kNo : http::Final::kYes;
    ASSERT_TRUE(exchange.write(http::Payload::borrow(body), final));
    EXPECT_EQ(sends(), before + 1);
    const std::string answer = test::receive_all(client);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_TRUE(answer.ends_with(chunked ? body + "\r\n" : body));
    if (chunked) {
      ASSERT_TRUE(exchange.write({}, http::Final::kYes));
      EXPECT_EQ(test::receive_all(client), "0\r\n\r\n");
    }
    settle();
  }
}

TEST_F(ConnectionTest, AHeadThatDoesNotArriveIs408) {
  const Fd client = connect();
  test::send_text(client, "GET / HTTP/1.1\r\nHo");
  settle();
  pass(4900ms);
  EXPECT_EQ(server_->connections(), 1U);
  pass(200ms);
  EXPECT_TRUE(test::receive_all(client).starts_with("HTTP/1.1 408 "));
}

TEST_F(ConnectionTest, AHeadThatDribblesIsCutOffAndAFastOneIsNot) {
  for (const bool fast : {false, true}) {
    const Fd client = connect();
    test::send_text(client, "GET /hello HTTP/1.1\r\nHost: a\r\nX: ");
    const std::string part(fast ? 300 : 10, 'x');
    for (int second = 0; second < 10; ++second) {
      (void)::send(client.get(), part.data(), part.size(), MSG_NOSIGNAL);
      pass(1s);
    }
    (void)::send(client.get(), "\r\n\r\n", 4, MSG_NOSIGNAL);
    settle();
    const std::string answer = test::receive_all(client);
    EXPECT_TRUE(answer.starts_with(fast ? "HTTP/1.1 200 " : "HTTP/1.1 408 ")) << answer;
  }
}

TEST_F(ConnectionTest, ABodyThatDribblesIsCutOffThoughEachByteIsProgress) {
  const Fd client = connect();
  test::send_text(client, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  for (int second = 0; second < 40; ++second) {
    (void)::send(client.get(), "x", 1, MSG_NOSIGNAL);
    pass(1s);
  }
  EXPECT_TRUE(test::receive_all(client).starts_with("HTTP/1.1 408 "));
  EXPECT_EQ(handler_.jobs.alive(), 0U);
}

TEST_F(ConnectionTest, AFastStartBuysNoTimeForAStallAfterIt) {
  const Fd client = connect();
  test::send_text(client, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n");
  const std::string part(100000, 'x');
  for (int i = 0; i < 50; ++i) {
    (void)::send(client.get(), part.data(), part.size(), MSG_NOSIGNAL);
    pass(1s);
  }
  EXPECT_EQ(handler_.jobs.alive(), 1U);
  pass(29s);
  EXPECT_EQ(handler_.jobs.alive(), 1U);
  pass(2s);
  EXPECT_TRUE(test::receive_all(client).starts_with("HTTP/1.1 408 "));
}

TEST_F(ConnectionTest, ASlowReaderThatKeepsReadingIsNotCutOff) {
  const Fd client = connect();
  test::send_text(client, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  settle();
  char bytes[16384];
  for (int second = 0; second < 30; ++second) {
    (void)::read(client.get(), bytes, sizeof bytes);
    pass(2s);
  }
  EXPECT_EQ(handler_.jobs.alive(), 1U);
  pass(31s);
  EXPECT_EQ(handler_.jobs.alive(), 0U);
}

TEST_F(ConnectionTest, TimeInTheHandlerIsNotThePeers) {
  const Fd client = connect();
  test::send_text(client, kHold);
  settle();
  pass(1h);
  ASSERT_NE(handler_.held, nullptr);
  handler_.held->read();
  settle();
  EXPECT_TRUE(test::receive_all(client).starts_with("HTTP/1.1 200 "));
}

TEST_F(ConnectionTest, ARequestLimitAnswers503) {
  Options options = plain_options();
  options.timeouts.request = 10s;
  make_server(options);
  const Fd client = connect();
  test::send_text(client, kHold);
  settle();
  pass(10100ms);
  EXPECT_TRUE(test::receive_all(client).starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(handler_.held, nullptr);
}

TEST_F(ConnectionTest, AnIdleConnectionIsClosedAndANewRequestStartsTheTimeAnew) {
  const Fd client = connect();
  (void)ask(client, kHello);
  pass(74s);
  (void)ask(client, kHello);
  pass(74s);
  EXPECT_EQ(server_->connections(), 1U);
  pass(2s);
  EXPECT_TRUE(at_end(client));
}

constexpr std::string_view kLastHelloAnswer =
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";

// A hundred seconds, less up to a tenth.
Options aging_options() {
  Options options = plain_options();
  options.timeouts.connection_age = 100s;
  return options;
}

TEST_F(ConnectionTest, AnOldConnectionAnswersOneMoreRequestAndSaysSo) {
  make_server(aging_options());
  const Fd client = connect();
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(ask(client, kHello), kHelloAnswer) << i;
    pass(i < 8 ? 10s : 9s);
  }
  EXPECT_EQ(ask(client, kHello), kHelloAnswer);  // 89 s old.
  pass(12s);
  EXPECT_EQ(ask(client, kHello), kLastHelloAnswer);
  EXPECT_TRUE(at_end(client));
}

TEST_F(ConnectionTest, AnOldConnectionThatIsIdleIsClosedSoon) {
  make_server(aging_options());
  const Fd client = connect();
  pass(60s);
  (void)ask(client, kHello);
  pass(29s);
  EXPECT_FALSE(at_end(client));
  pass(12s);
  pass(1100ms);
  EXPECT_TRUE(at_end(client));
}

TEST_F(ConnectionTest, TheRequestUnderWayIsTheLastOfAnOldConnection) {
  make_server(aging_options());
  const Fd client = connect();
  pass(60s);
  test::send_text(client, kHold);
  settle();
  pass(1h);
  handler_.held->read();
  settle();
  EXPECT_EQ(test::receive_all(client),
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  EXPECT_TRUE(at_end(client));
}

// Its head is gone, without `Connection: close`: the client may send another request at any time.
TEST_F(ConnectionTest, AResponseThatPromisedAnotherOneKeepsItsWord) {
  for (const bool draining : {false, true}) {
    make_server(aging_options());
    const Fd client = connect();
    pass(60s);
    test::send_text(client, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    settle();
    for (int i = 0; i < 2 && !draining; ++i) {  // No faster than the limit of a slow reader.
      pass(21s);
      EXPECT_NE(test::receive_all(client), "");
    }
    if (draining) server_->drain();
    std::string part = "more";
    while (!part.empty()) {
      settle();
      part = test::receive_all(client);
    }
    ASSERT_EQ(handler_.jobs.alive(), 0U);
    EXPECT_EQ(ask(client, kHello), kLastHelloAnswer);
    EXPECT_TRUE(at_end(client));
  }
}

TEST_F(ConnectionTest, ConnectionsOpenedTogetherDoNotEndTogether) {
  Options options = aging_options();
  options.timeouts.keep_alive = 1h;
  make_server(options);
  std::vector<Fd> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(connect());
  pass(90s);
  for (int second = 0; second < 12; ++second) {
    std::size_t ended = 0;
    for (int i = 0; i < 10; ++i) {
      pass(100ms);
      ended += std::erase_if(clients, [](const Fd& client) { return at_end(client); });
    }
    EXPECT_LE(ended, 12U) << second;
  }
  EXPECT_TRUE(clients.empty());
}

TEST_F(ConnectionTest, WithoutALimitOfAgeAConnectionLivesOn) {
  const Fd client = connect();
  for (int i = 0; i < 1000; ++i) {
    pass(60s);
    ASSERT_EQ(ask(client, kHello), kHelloAnswer);
  }
}

TEST_F(ConnectionTest, APeerThatDoesNotReadIsReset) {
  const Fd client = connect();
  test::send_text(client, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  settle();
  pass(29s);
  EXPECT_EQ(handler_.jobs.alive(), 1U);
  pass(2s);
  EXPECT_EQ(handler_.jobs.alive(), 0U);
  EXPECT_EQ(handler_.outcomes.back(), http::Outcome::kAborted);
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(ConnectionTest, AHalfClosedPeerIsToldOfAfterItsGraceAndStillAnswered) {
  const Fd client = connect();
  test::send_text(client, kHold);
  ASSERT_EQ(::shutdown(client.get(), SHUT_WR), 0);
  settle();
  EXPECT_TRUE(handler_.notices.empty());
  pass(1100ms);
  ASSERT_EQ(handler_.notices.size(), 1U);
  EXPECT_EQ(handler_.notices[0], http::Notice::kInputClosed);
  ASSERT_NE(handler_.held, nullptr);
  handler_.held->read();
  settle();
  EXPECT_TRUE(test::receive_all(client).starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(ConnectionTest, AVanishedPeerEndsTheExchangeAtOnce) {
  {
    const Fd client = connect();
    test::send_text(client, kHold);
    settle();
    ASSERT_NE(handler_.held, nullptr);
  }
  settle();
  EXPECT_EQ(handler_.held, nullptr);
  EXPECT_EQ(handler_.outcomes.back(), http::Outcome::kPeerGone);
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(ConnectionTest, WhatAPeerSentBeforeItVanishedStillReachesTheHandler) {
  {
    const Fd client = connect();
    test::send_text(client, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
  }
  settle();
  EXPECT_EQ(handler_.requests, 1);
  EXPECT_EQ(handler_.body_bytes, 3U);
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(ConnectionTest, DrainingDoesNotWaitForABodyThatNobodyReads) {
  const Fd client = connect();
  EXPECT_TRUE(ask(client, "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
                  .starts_with("HTTP/1.1 200 "));
  EXPECT_FALSE(at_end(client));
  server_->drain();
  settle();
  EXPECT_TRUE(at_end(client));
}

TEST_F(ConnectionTest, DrainingClosesIdleConnectionsAfterASecondAndBusyOnesAfterTheirAnswer) {
  const Fd idle = connect();
  const Fd late = connect();
  const Fd busy = connect();
  (void)ask(idle, kHello);
  (void)ask(late, kHello);
  test::send_text(busy, kHold);
  settle();
  server_->drain();
  settle();
  // A request that was on its way is answered.
  EXPECT_EQ(ask(late, kHello),
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");
  EXPECT_TRUE(at_end(late));
  EXPECT_FALSE(at_end(idle));
  pass(1100ms);
  EXPECT_TRUE(at_end(idle));
  pass(20s);
  server_->notify_draining();
  EXPECT_EQ(handler_.notices, (std::vector<http::Notice>{http::Notice::kDraining}));
  handler_.held->read();
  settle();
  EXPECT_TRUE(test::receive_all(busy).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(at_end(busy));
}

TEST_F(ConnectionTest, LingeringEndsWithThePeerOrWithItsTime) {
  for (const bool peer_closes : {true, false}) {
    Fd client = connect();
    EXPECT_TRUE(
        ask(client, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 400 "));
    test::send_text(client, "more that nobody reads");
    settle();
    EXPECT_EQ(server_->connections(), 1U);
    if (peer_closes) {
      client.reset();
      settle();
    } else {
      pass(2100ms);
    }
    EXPECT_EQ(server_->connections(), 0U);
  }
}

// Of the clients below. They may have one connection each, so that one that is never counted out
// keeps the next client away.
const http::Endpoints kVisitor{
    .peer = {.ip = {192, 0, 2, 1}, .kind = AddressKind::kIpv4}, .local = {}, .tls = {}};

Options one_a_client() {
  Options options = plain_options();
  options.connections_per_client_max = 1;
  options.timeouts.connection_age = 50s;
  return options;
}

// What one client does from connecting to leaving, with everything on the way.
void visit(Server& server, net::Loop& loop, test::FailingSyscalls& syscalls, EchoHandler& handler) {
  test::SocketPair pair = test::socket_pair();
  ASSERT_EQ(::fcntl(pair.peers.get(), F_SETFL, O_NONBLOCK), 0);
  std::unique_ptr<net::Stream> stream{new (std::nothrow)
                                          net::SocketStream(syscalls, pair.ours.get())};
  if (stream == nullptr) return;  // The listener's case: it closes the descriptor.
  (void)pair.ours.release();
  server.serve(std::move(stream), kVisitor);
  const auto read_all = [&] {
    static char bytes[65536];
    while (::read(pair.peers.get(), bytes, sizeof bytes) > 0) {
    }
  };
  const auto settle = [&] {
    for (int turns = 0; turns < 50; ++turns) {
      const auto events = loop.wait(0ns);
      loop.dispatch();
      if (events && *events == 0 && turns > 4) return;
    }
  };
  for (const std::string_view bytes :
       {"GET /hello HTTP/1.1\r\nHo",
        "st: a\r\n\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab",
        "cdGET /large HTTP/1.1\r\nHost: a\r\n\r\n", "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"}) {
    (void)::send(pair.peers.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    settle();
    read_all();
    settle();
  }
  for (int reads = 0; reads < 400 && handler.jobs.alive() > 0 && handler.held == nullptr; ++reads) {
    read_all();
    settle();
  }
  if (handler.held != nullptr) handler.held->read();
  settle();
  pair.peers.reset();
  settle();
}

TEST_F(ConnectionTest, EverySystemCallMayFailOnceWithoutHarmToTheNextClient) {
  make_server(one_a_client());
  int failures = 0;
  constexpr std::size_t kErrorsMax = 6;  // That a call which is made here may meet.
  for (std::size_t choice = 0; choice < kErrorsMax; ++choice) {
    for (int nth = 1;; ++nth) {
      syscalls_.fail_any(nth, choice);
      visit(*server_, *loop_, syscalls_, handler_);
      const bool happened = syscalls_.failed() != test::Call::kCount;
      const auto what = test::name_of(syscalls_.failed());
      syscalls_.fail_any(1 << 30);  // Never.
      pass(100s);                   // Whatever hangs is ended by its time limit.
      EXPECT_EQ(server_->connections(), 0U) << what << " call " << nth;
      EXPECT_EQ(handler_.jobs.alive(), 0U) << what << " call " << nth;
      EXPECT_EQ(loop_->blocks().outstanding(), 0U) << what << " call " << nth;
      Fd client = connect(kVisitor);
      EXPECT_EQ(ask(client, kHello), kHelloAnswer) << what << " call " << nth;
      client.reset();
      settle();
      if (!happened || nth > 400) break;
      ++failures;
    }
    pass(100s);
  }
  EXPECT_GT(failures, 200);
  RecordProperty("failure_points", failures);
}

TEST_F(ConnectionTest, EveryAllocationMayFailOnceWithoutHarmToTheNextClient) {
  int failures = 0;
  handler_.outcomes.reserve(10000);
  for (std::uint64_t nth = 1;; ++nth) {
    make_server(one_a_client());
    loop_->blocks().trim();
    handler_.jobs.trim();
    bool happened = false;
    {
      const test::AllocationFailure failure{nth};
      visit(*server_, *loop_, syscalls_, handler_);
      happened = failure.happened();
    }
    pass(100s);
    EXPECT_EQ(server_->connections(), 0U) << "allocation " << nth;
    EXPECT_EQ(handler_.jobs.alive(), 0U) << "allocation " << nth;
    const Fd client = connect(kVisitor);
    EXPECT_EQ(ask(client, kHello), kHelloAnswer) << "allocation " << nth;
    if (!happened || nth > 300) break;
    ++failures;
  }
  EXPECT_GT(failures, 3);
  RecordProperty("failure_points", failures);
}

}  // namespace
}  // namespace tercel::server
