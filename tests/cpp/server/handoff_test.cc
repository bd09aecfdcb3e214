#include "tercel/server/handoff.h"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "server/echo_handler.h"
#include "server/two_ends.h"
#include "support/allocations.h"
#include "support/temporary_directory.h"

namespace tercel::server {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using test::Call;
using test::EchoHandler;
using test::Fd;

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kHelloAnswer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
constexpr std::string_view kHold = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n";

// A handler that keeps the exchange of its last request, and notes what it is told.
class Notebook final : public http::Handler, public http::Observer {
 public:
  void handle(const http::Request& request, http::Exchange& given) noexcept override {
    exchange = &given;
    given.observe(this);
    log.push_back(std::string{request.method} + " " + std::string{request.target});
    if (act) act(request);
  }
  void on_body() noexcept override { log.emplace_back("body"); }
  void on_writable() noexcept override { log.emplace_back("writable"); }
  void on_notice(http::Notice notice) noexcept override {
    log.emplace_back(notice == http::Notice::kDraining ? "draining" : "input closed");
  }
  void on_end(http::Outcome outcome) noexcept override {
    constexpr std::array<const char*, 3> kNames{"complete", "peer gone", "aborted"};
    log.emplace_back(kNames[static_cast<std::size_t>(outcome)]);
    exchange = nullptr;
  }

  // Reads what there is of the body, and returns how it went on.
  http::BodyState read() {
    for (;;) {
      const http::BodyRead part = exchange->read_body();
      body.append(part.bytes);
      if (part.state != http::BodyState::kMore) return part.state;
    }
  }
  void answer(std::string_view text) {
    ASSERT_TRUE(exchange->start({}));
    ASSERT_TRUE(exchange->write(http::Payload::borrow(text), http::Final::kYes));
  }

  std::function<void(const http::Request&)> act;
  http::Exchange* exchange = nullptr;
  std::string body;
  std::vector<std::string> log;
};

using Log = std::vector<std::string>;

// A payload that counts how often it is released.
struct Owned {
  explicit Owned(std::size_t bytes) : text(bytes, 'o') {}
  [[nodiscard]] http::Payload payload() {
    return http::Payload::own(text, this,
                              [](void* self) noexcept { ++static_cast<Owned*>(self)->released; });
  }
  std::string text;
  int released = 0;
};

TEST(HandoffTest, ARequestAnsweredAtOnceIsOneMessageEachWay) {
  EchoHandler handler;
  test::TwoEnds ends{handler};
  const Fd client = ends.connect();
  test::send_text(client, kHello);
  const int wakes = ends.syscalls.calls(Call::kWrite);
  ends.turn_io();
  EXPECT_EQ(handler.requests, 0);
  EXPECT_EQ(ends.syscalls.calls(Call::kWrite), wakes + 1);
  ends.turn_app();
  EXPECT_EQ(handler.requests, 1);
  EXPECT_EQ(ends.syscalls.calls(Call::kWrite), wakes + 2);
  EXPECT_EQ(ends.io->crossings(), 1U);
  ends.turn_io();
  EXPECT_EQ(test::receive_all(client), kHelloAnswer);
  EXPECT_EQ(ends.io->crossings(), 0U);
  EXPECT_EQ(ends.syscalls.calls(Call::kWrite), wakes + 2);
  EXPECT_EQ(ends.app_loop->blocks().outstanding(), 0U);
}

TEST(HandoffTest, AllRequestsOfATurnAreOneBatchAndSoAreTheirAnswers) {
  EchoHandler handler;
  test::TwoEnds ends{handler};
  std::vector<Fd> clients;
  for (int i = 0; i < AppEnd::kLettersPerFlush; ++i) {
    clients.push_back(ends.connect());
    test::send_text(clients.back(), kHello);
  }
  const int wakes = ends.syscalls.calls(Call::kWrite);
  ends.settle();
  EXPECT_EQ(ends.syscalls.calls(Call::kWrite), wakes + 2);
  for (const Fd& client : clients) EXPECT_EQ(test::receive_all(client), kHelloAnswer);
}

TEST(HandoffTest, ALongBatchIsWorkedOnInSeveralTurns) {
  EchoHandler handler;
  test::TwoEnds ends{handler};
  std::vector<Fd> clients;
  for (int i = 0; i < AppEnd::kLettersPerTurn + 10; ++i) {
    clients.push_back(ends.connect());
    test::send_text(clients.back(), kHello);
  }
  while (ends.turn_io()) {
  }
  ends.turn_app();
  EXPECT_EQ(handler.requests, AppEnd::kLettersPerTurn);
  const Fd late = ends.connect();
  test::send_text(late, kHello);
  ends.turn_io();
  ends.turn_app();
  EXPECT_EQ(handler.requests, AppEnd::kLettersPerTurn + 11);
  ends.settle();
  for (const Fd& client : clients) EXPECT_EQ(test::receive_all(client), kHelloAnswer);
  EXPECT_EQ(test::receive_all(late), kHelloAnswer);
}

TEST(HandoffTest, TheHandlerSeesTheRequestAsItWas) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  http::Version version{};
  std::string seen;
  notebook.act = [&](const http::Request& request) {
    version = request.version;
    seen = std::string{request.method} + ' ' + std::string{request.path} + ' ' +
           std::string{request.query} + ' ' + std::string{request.authority};
    for (const http::Field& field : request.fields) {
      seen += '|' + std::string{field.name} + '=' + std::string{field.value};
    }
    EXPECT_EQ(request.content_length, 3U);
    EXPECT_TRUE(request.has_body && request.client != nullptr);
    EXPECT_STREQ(notebook.exchange->endpoints().local_path, "");
  };
  const Fd client = ends.connect();
  test::send_text(client,
                  "PUT /a/b?c=d HTTP/1.0\r\nHost: h:1\r\nContent-Length: 3\r\nX: y\r\n\r\n");
  ends.settle();
  EXPECT_EQ(version, http::Version::kHttp10);
  EXPECT_EQ(seen, "PUT /a/b c=d h:1|host=h:1|content-length=3|x=y");
}

TEST(HandoffTest, ABodyThatIsHereComesWithTheRequest) {
  EchoHandler handler;
  test::TwoEnds ends{handler};
  const Fd client = ends.connect();
  const int wakes = ends.syscalls.calls(Call::kWrite);
  EXPECT_EQ(ends.ask(client, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc");
  EXPECT_EQ(ends.syscalls.calls(Call::kWrite), wakes + 2);
}

TEST(HandoffTest, ABodyByteByByteArrivesWhole) {
  EchoHandler handler;
  test::TwoEnds ends{handler};
  const Fd client = ends.connect();
  std::string answer;
  for (const char byte :
       std::string_view{"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"}) {
    answer += ends.ask(client, {&byte, 1});
  }
  EXPECT_EQ(answer, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde");
}

TEST(HandoffTest, SmallChunksAreGathered) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const Fd client = ends.connect();
  std::string request = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string body;
  for (int i = 0; i < 100; ++i) {
    request += "3\r\nabc\r\n";
    body += "abc";
  }
  test::send_text(client, request + "0\r\n\r\n");
  ends.settle();
  const http::BodyRead read = notebook.exchange->read_body();
  EXPECT_EQ(read.bytes, body);
  EXPECT_EQ(read.state, http::BodyState::kEnd);
}

TEST(HandoffTest, NoContinueIsSentAndNoTimeLimitRunsBeforeTheHandlerReads) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const Fd client = ends.connect();
  test::send_text(
      client, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  ends.settle();
  ends.pass(10min);
  EXPECT_EQ(test::receive_all(client), "");
  EXPECT_EQ(notebook.read(), http::BodyState::kPending);
  ends.settle();
  EXPECT_EQ(test::receive_all(client), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(ends.ask(client, "hi"), "");
  EXPECT_EQ(notebook.log.back(), "body");
  EXPECT_EQ(notebook.read(), http::BodyState::kEnd);
  EXPECT_EQ(notebook.body, "hi");
  notebook.answer("ok");
  ends.settle();
  EXPECT_TRUE(test::receive_all(client).starts_with("HTTP/1.1 200 "));
}

TEST(HandoffTest, TheBodyTimeLimitRunsWhileTheHandlerWaits) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const Fd client = ends.connect();
  test::send_text(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na");
  ends.settle();
  ends.pass(10min);
  EXPECT_EQ(notebook.read(), http::BodyState::kPending);
  ends.settle();
  ends.pass(31s);
  EXPECT_TRUE(test::receive_all(client).starts_with("HTTP/1.1 408 "));
  EXPECT_EQ(notebook.log, (Log{"POST /", "aborted"}));
}

TEST(HandoffTest, ATrailerSectionArrivesWithTheEnd) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const Fd client = ends.connect();
  test::send_text(client,
                  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "1\r\nx\r\n0\r\nchecksum: 17\r\nother: z\r\n\r\n");
  ends.settle();
  EXPECT_EQ(notebook.read(), http::BodyState::kEnd);
  const auto trailers = notebook.exchange->request_trailers();
  ASSERT_EQ(trailers.size(), 2U);
  EXPECT_EQ(trailers[0].name, "checksum");
  EXPECT_EQ(trailers[1].value, "z");
}

TEST(HandoffTest, ABrokenBodyFailsAndTheServerAnswersIt) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const Fd client = ends.connect();
  const std::string answer = ends.ask(
      client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_EQ(notebook.log, (Log{"POST /", "aborted"}));
}

TEST(HandoffTest, AHandlerThatGivesUpOnABrokenBodyDoesNotChangeTheAnswer) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  notebook.act = [&](const http::Request&) {
    EXPECT_EQ(notebook.read(), http::BodyState::kFailed);
    EXPECT_EQ(notebook.exchange->start({}).error(), Errc::kClosed);
    notebook.exchange->abort(Errc::kHandlerFailed);
  };
  const Fd client = ends.connect();
  const std::string answer = ends.ask(
      client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_EQ(notebook.log, (Log{"POST /", "aborted"}));
  EXPECT_EQ(ends.io->crossings(), 0U);
}

TEST(HandoffTest, AnAnswerThatMeetsABrokenBodyOnItsWayEndsTheExchangeAllTheSame) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const Fd client = ends.connect();
  (void)ends.ask(client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(notebook.read(), http::BodyState::kPending);
  notebook.answer("never mind");
  const std::string answer = ends.ask(client, "no chunk\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_EQ(notebook.log, (Log{"POST /", "complete"}));
  EXPECT_EQ(ends.io->crossings(), 0U);
}

// Reads what the peer sends, and returns how much it could send although nobody reads the body.
std::size_t send_until_full(test::TwoEnds& ends, const Fd& client) {
  const std::string piece(65536, 'b');
  std::size_t sent = 0;
  for (int tries = 0; tries < 200; ++tries) {
    const ssize_t bytes = ::send(client.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
    if (bytes > 0) sent += static_cast<std::size_t>(bytes);
    while (ends.turn_io()) {
    }
  }
  return sent;
}

TEST(HandoffTest, WhatIsReadAheadOfAStuckApplicationIsBounded) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const Fd client = ends.connect();
  test::send_text(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000000\r\n\r\n");
  const std::size_t stuck = send_until_full(ends, client);
  ends.settle();
  EXPECT_EQ(notebook.read(), http::BodyState::kPending);  // The application waits,
  ends.turn_app();
  const std::size_t before = notebook.body.size();
  EXPECT_LT(send_until_full(ends, client), 1U << 20);  // and gets stuck again.
  ends.turn_app();
  (void)notebook.exchange->arrived_body();
  EXPECT_LE(before, kAheadBytes + net::Loop::kScratchBytes);
  EXPECT_LE(ends.io_loop->blocks().outstanding(), 1 + kPartsMax);
  EXPECT_LT(stuck, 1U << 20);
}

TEST(HandoffTest, ALargeUploadArrivesWhole) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const Fd client = ends.connect();
  test::send_text(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
  ends.settle();
  std::string sent;
  http::BodyState state = notebook.read();
  for (int i = 0; state != http::BodyState::kEnd && i < 1000; ++i) {
    std::string piece(std::min<std::size_t>(70000, 3000000 - sent.size()), static_cast<char>(i));
    if (!piece.empty()) {
      const ssize_t bytes = ::send(client.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
      if (bytes > 0) sent.append(piece, 0, static_cast<std::size_t>(bytes));
    }
    ends.settle();
    state = notebook.read();
  }
  EXPECT_EQ(state, http::BodyState::kEnd);
  EXPECT_EQ(notebook.body, sent);
  EXPECT_EQ(notebook.body.size(), 3000000U);
}

TEST(HandoffTest, ALargeAnswerWaitsForItsReader) {
  EchoHandler handler;
  test::TwoEnds ends{handler};
  const Fd client = ends.connect();
  std::size_t got = 0;
  test::send_text(client, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  ends.settle();
  EXPECT_EQ(handler.jobs.alive(), 1U);
  for (int i = 0; i < 1000 && ends.io->crossings() > 0; ++i) {
    got += test::receive_all(client).size();
    ends.settle();
  }
  for (std::size_t more = 1; more > 0; got += more) {
    ends.settle();
    more = test::receive_all(client).size();
  }
  EXPECT_GT(got, EchoHandler::kLargeBytes);
  EXPECT_EQ(handler.outcomes, (std::vector{http::Outcome::kComplete}));
}

TEST(HandoffTest, WritableIsCreditThatTheExchangeGives) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const Fd client = ends.connect();
  (void)ends.ask(client, kHello);
  const std::string half(32 * 1024, 'w');
  ASSERT_TRUE(notebook.exchange->start({}));
  const auto write_half = [&] {
    ASSERT_TRUE(notebook.exchange->write(http::Payload::borrow(half), http::Final::kNo));
  };
  write_half();
  write_half();
  EXPECT_TRUE(notebook.exchange->writable());  // At the mark, not above it.
  write_half();
  EXPECT_FALSE(notebook.exchange->writable());
  for (int i = 0; i < 20 && !notebook.exchange->writable(); ++i) {
    (void)test::receive_all(client);
    ends.settle();
  }
  EXPECT_TRUE(notebook.exchange->writable());
  EXPECT_EQ(notebook.log, (Log{"GET /hello", "writable"}));
}

TEST(HandoffTest, InterimResponsesTakeCreditToo) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const Fd client = ends.connect();
  (void)ends.ask(client, kHello);
  const std::string link(8192, 'l');
  const http::Field field{"link", link};
  int sent = 0;
  // What the socket takes as well as what waits behind it.
  for (; sent < 1000 && notebook.exchange->writable(); ++sent) {
    ASSERT_TRUE(notebook.exchange->interim({.status = 103, .fields = {&field, 1}}));
    ends.settle();
  }
  EXPECT_LT(sent, 1000);
  std::size_t got = 0;
  for (int i = 0; i < 100 && !notebook.exchange->writable(); ++i) {
    got += test::receive_all(client).size();
    ends.settle();
  }
  EXPECT_GT(got, link.size());
  EXPECT_TRUE(notebook.exchange->writable());
  EXPECT_EQ(notebook.log, (Log{"GET /hello", "writable"}));
}

TEST(HandoffTest, AnOwnedPayloadIsReleasedOnTheApplicationsSideWhenItIsSent) {
  Notebook notebook;
  Owned large{100'000}, small{10};
  test::TwoEnds ends{notebook};
  const Fd client = ends.connect();
  (void)ends.ask(client, kHello);
  ASSERT_TRUE(notebook.exchange->start({}));
  ASSERT_TRUE(notebook.exchange->write(small.payload(), http::Final::kNo));
  EXPECT_EQ(small.released, 1);  // Copied.
  ASSERT_TRUE(notebook.exchange->write(large.payload(), http::Final::kYes));
  ends.turn_app();
  std::size_t got = 0;
  for (int i = 0; i < 50; ++i) {
    while (ends.turn_io()) {
    }
    got += test::receive_all(client).size();
  }
  EXPECT_GT(got, large.text.size());
  EXPECT_EQ(large.released, 0);
  ends.turn_app();
  EXPECT_EQ(large.released, 1);
  EXPECT_EQ(ends.app_loop->blocks().outstanding(), 0U);
}

TEST(HandoffTest, AnOwnedPayloadIsReleasedWhenNobodyTakesIt) {
  Owned one{100'000}, two{100'000}, three{100'000};
  Notebook notebook;
  test::TwoEnds ends{notebook};
  Fd client = ends.connect();
  (void)ends.ask(client, kHello);
  EXPECT_FALSE(notebook.exchange->write(one.payload(), http::Final::kYes));  // Not started.
  EXPECT_EQ(one.released, 1);
  ASSERT_TRUE(notebook.exchange->start({}));
  ASSERT_TRUE(notebook.exchange->write(two.payload(), http::Final::kNo));
  client.reset();
  while (ends.turn_io()) {
  }
  ASSERT_TRUE(notebook.exchange->write(three.payload(), http::Final::kNo));
  ends.settle();
  EXPECT_EQ(notebook.log, (Log{"GET /hello", "peer gone"}));
  EXPECT_EQ(two.released, 1);
  EXPECT_EQ(three.released, 1);
}

TEST(HandoffTest, AFileIsSentAndItsDescriptorGivenBack) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("file");
  const Fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  ASSERT_EQ(::write(file.get(), "0123456789", 10), 10);
  int released = 0;
  const Fd client = ends.connect();
  (void)ends.ask(client, kHello);
  ASSERT_TRUE(notebook.exchange->start({}));
  ASSERT_TRUE(notebook.exchange->write_file(
      {.file = file.get(),
       .offset = 2,
       .count = 5,
       .owner = &released,
       .release = [](void* count) noexcept { ++*static_cast<int*>(count); }},
      http::Final::kYes));
  ends.settle();
  EXPECT_EQ(test::receive_all(client), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n23456");
  EXPECT_EQ(released, 1);
}

TEST(HandoffTest, AnswersLaterInPiecesWithHintsAndTrailers) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const Fd client = ends.connect();
  (void)ends.ask(client, "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: te\r\n\r\n");
  constexpr std::array<http::Field, 1> hint{{{"link", "</a>"}}};
  constexpr std::array<http::Field, 1> trailer{{{"checksum", "9"}}};
  ASSERT_TRUE(notebook.exchange->interim({.status = 103, .fields = hint}));
  ends.settle();
  EXPECT_EQ(test::receive_all(client), "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
  ASSERT_TRUE(notebook.exchange->start({.status = 201, .fields = hint, .trailers = true}));
  ASSERT_TRUE(notebook.exchange->write(http::Payload::borrow("ab"), http::Final::kNo));
  ends.settle();
  EXPECT_EQ(test::receive_all(client),
            "HTTP/1.1 201 Created\r\nlink: </a>\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n");
  ASSERT_TRUE(notebook.exchange->finish(trailer));
  EXPECT_EQ(notebook.log.back(), "complete");
  ends.settle();
  EXPECT_EQ(test::receive_all(client), "0\r\nchecksum: 9\r\n\r\n");
  EXPECT_EQ(ends.io->crossings(), 0U);
}

TEST(HandoffTest, AbortingBeforeTheHeadIsAnErrorPageAndAfterItACut) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const Fd first = ends.connect();
  (void)ends.ask(first, kHello);
  notebook.exchange->abort(Errc::kHandlerFailed);
  EXPECT_EQ(notebook.exchange, nullptr);
  ends.settle();
  EXPECT_TRUE(test::receive_all(first).starts_with("HTTP/1.1 500 "));

  (void)ends.ask(first, kHello);
  ASSERT_TRUE(notebook.exchange->start({}));
  ASSERT_TRUE(notebook.exchange->write(http::Payload::borrow("ab"), http::Final::kNo));
  notebook.exchange->abort(Errc::kHandlerFailed);
  ends.settle();
  const std::string cut = test::receive_all(first);
  EXPECT_TRUE(cut.ends_with("\r\n\r\n2\r\nab\r\n")) << cut;
  EXPECT_EQ(notebook.log, (Log{"GET /hello", "aborted", "GET /hello", "aborted"}));
}

constexpr std::string_view kSwitch =
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

void expect_tunnel(const Fd& client) {
  EXPECT_TRUE(
      test::receive_all(client).ends_with("connection: Upgrade\r\nupgrade: websocket\r\n\r\n"));
}

TEST(HandoffTest, ATunnelCarriesBytesBothWays) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const Fd client = ends.connect();
  (void)ends.ask(client, kSwitch);
  ASSERT_TRUE(notebook.exchange->start({.status = 101, .fields = {}}));
  EXPECT_EQ(notebook.read(), http::BodyState::kPending);
  ends.settle();
  expect_tunnel(client);
  for (const std::string_view text : {"one", "two", "three"}) {
    test::send_text(client, text);
    ends.settle();
    EXPECT_EQ(notebook.log.back(), "body");
    EXPECT_EQ(notebook.read(), http::BodyState::kPending);
    ASSERT_TRUE(notebook.exchange->write(http::Payload::borrow(text), http::Final::kNo));
    ends.settle();
    EXPECT_EQ(test::receive_all(client), text);
  }
  EXPECT_EQ(notebook.body, "onetwothree");
  ASSERT_EQ(::shutdown(client.get(), SHUT_WR), 0);
  ends.settle();
  EXPECT_EQ(notebook.read(), http::BodyState::kEnd);
  ASSERT_TRUE(notebook.exchange->write(http::Payload::borrow("bye"), http::Final::kYes));
  ends.settle();
  EXPECT_EQ(test::receive_all(client), "bye");
  EXPECT_EQ(notebook.log.back(), "complete");
  EXPECT_EQ(ends.io->crossings(), 0U);
}

// A letter that was written before the start of the tunnel says that the request has no body.
TEST(HandoffTest, ALetterThatCrossesTheStartOfATunnelDoesNotEndIt) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const Fd client = ends.connect();
  (void)ends.ask(client, kSwitch);
  ends.server->notify_draining();  // Something to tell.
  ends.turn_io();
  ASSERT_TRUE(notebook.exchange->start({.status = 101, .fields = {}}));
  ends.turn_app();
  EXPECT_EQ(notebook.log.back(), "draining");
  EXPECT_EQ(notebook.read(), http::BodyState::kPending);
  ends.settle();
  test::send_text(client, "here");
  ends.settle();
  EXPECT_EQ(notebook.read(), http::BodyState::kPending);
  EXPECT_EQ(notebook.body, "here");
}

TEST(HandoffTest, ATunnelToAStuckApplicationReadsLittleAhead) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const Fd client = ends.connect();
  (void)ends.ask(client, kSwitch);
  ASSERT_TRUE(notebook.exchange->start({.status = 101, .fields = {}}));
  ends.settle();
  expect_tunnel(client);
  const std::string much(std::size_t{16} * 1024, 'x');
  while (::send(client.get(), much.data(), much.size(), MSG_DONTWAIT) > 0) ends.settle();
  const std::size_t blocks = ends.io_loop->blocks().outstanding();
  EXPECT_LE(blocks, kPartsMax + 2U);
}

TEST(HandoffTest, APeerThatLeavesIsNoticedWhileTheApplicationWaits) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  Fd client = ends.connect();
  (void)ends.ask(client, kHello);
  client.reset();
  ends.settle();
  EXPECT_EQ(notebook.log, (Log{"GET /hello", "peer gone"}));
  EXPECT_EQ(ends.io->crossings(), 0U);
}

TEST(HandoffTest, AHalfClosedPeerIsANoticeAndIsStillAnswered) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const Fd client = ends.connect();
  (void)ends.ask(client, kHello);
  ASSERT_EQ(::shutdown(client.get(), SHUT_WR), 0);
  ends.settle();
  ends.pass(2s);
  EXPECT_EQ(notebook.log, (Log{"GET /hello", "input closed"}));
  notebook.answer("late");
  ends.settle();
  EXPECT_TRUE(test::receive_all(client).ends_with("late"));
}

TEST(HandoffTest, DrainingIsTold) {
  Notebook notebook;
  test::TwoEnds ends{notebook};
  const Fd client = ends.connect();
  (void)ends.ask(client, kHello);
  ends.server->drain();
  ends.server->notify_draining();
  ends.settle();
  EXPECT_EQ(notebook.log, (Log{"GET /hello", "draining"}));
  notebook.answer("bye");
  ends.settle();
  EXPECT_NE(test::receive_all(client).find("connection: close"), std::string::npos);
}

TEST(HandoffTest, ARequestThatTakesTooLongIsEndedByTheServer) {
  Notebook notebook;
  Options options = test::plain_options();
  options.timeouts.request = 5s;
  test::TwoEnds ends{notebook, options};
  const Fd client = ends.connect();
  (void)ends.ask(client, kHello);
  ends.pass(6s);
  EXPECT_TRUE(test::receive_all(client).starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(notebook.log, (Log{"GET /hello", "aborted"}));
}

TEST(HandoffTest, PeersThatAskAndLeaveDoNotFillTheMemoryOfAStuckApplication) {
  EchoHandler handler;
  test::TwoEnds ends{handler};
  for (std::size_t i = 0; i < IoEnd::kOrphansMax; ++i) {
    const Fd client = ends.connect();
    test::send_text(client, kHold);
    ends.turn_io();
  }
  while (ends.turn_io()) {
  }
  EXPECT_EQ(ends.io->crossings(), IoEnd::kOrphansMax);
  const Fd client = ends.connect();
  test::send_text(client, kHello);
  while (ends.turn_io()) {
  }
  EXPECT_TRUE(test::receive_all(client).starts_with("HTTP/1.1 503 "));
  ends.settle();  // It moves again.
  EXPECT_EQ(ends.io->crossings(), 0U);
  EXPECT_EQ(handler.jobs.alive(), 0U);
  EXPECT_EQ(ends.ask(ends.connect(), kHello), kHelloAnswer);
}

TEST(HandoffTest, ASteadyStateAllocatesNothing) {
  EchoHandler handler;
  test::TwoEnds ends{handler};
  const Fd client = ends.connect();
  char answer[1024];
  const auto exchange = [&](std::string_view request) {
    test::send_text(client, request);
    ends.settle();
    ASSERT_GT(::read(client.get(), answer, sizeof answer), 0);
  };
  constexpr std::string_view kPost =
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
  for (int i = 0; i < 10; ++i) {
    exchange(kHello);
    exchange(kPost);
  }
  handler.outcomes.reserve(1000);
  const test::AllocationCount count;
  for (int i = 0; i < 100; ++i) {
    exchange(kHello);
    exchange(kPost);
  }
  EXPECT_EQ(count.so_far(), 0U);
}

// An upload in two parts, and an answer with a large body: returns false if nothing failed.
bool upload_with_failure(std::uint64_t nth) {
  Owned owned{5000};
  Notebook notebook;
  notebook.log.reserve(100);
  notebook.body.reserve(10'000);
  notebook.act = [&](const http::Request&) { (void)notebook.read(); };
  bool failed = false;
  {
    test::TwoEnds ends{notebook};
    const Fd client = ends.connect();
    const std::string part(3000, 'x');
    const auto send = [&](std::string_view text) {
      (void)::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
      ends.settle();
    };
    const test::AllocationFailure failure{nth};
    send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6000\r\n\r\n");
    send(part);
    send(part);
    if (notebook.exchange != nullptr) (void)notebook.read();
    if (notebook.exchange != nullptr) (void)notebook.exchange->start({});
    if (notebook.exchange != nullptr) {
      (void)notebook.exchange->write(owned.payload(), http::Final::kYes);
    } else {
      ++owned.released;
    }
    ends.settle();
    failed = failure.happened();
  }
  EXPECT_EQ(owned.released, 1);
  EXPECT_EQ(notebook.exchange, nullptr);
  return failed;
}

TEST(HandoffTest, WhateverAllocationFailsEveryExchangeEnds) {
  std::uint64_t nth = 1;
  while (upload_with_failure(nth)) {
    SCOPED_TRACE(nth);
    ++nth;
  }
  EXPECT_GT(nth, 5U);
}

TEST(HandoffTest, ClosingEndsWhatRunsAndStartsNothing) {
  Notebook notebook;
  {
    test::TwoEnds ends{notebook};
    const Fd running = ends.connect();
    (void)ends.ask(running, kHello);
    const Fd unseen = ends.connect();
    test::send_text(unseen, kHello);
    ends.turn_io();
  }
  EXPECT_EQ(notebook.log, (Log{"GET /hello", "aborted"}));
}

TEST(HandoffTest, EveryFailureToOpenIsReported) {
  EchoHandler handler;
  test::ManualClock clock;
  test::FailingSyscalls syscalls;
  const auto loop = *net::Loop::create(clock, syscalls);
  syscalls.fail(Call::kEventfd, EMFILE);
  EXPECT_EQ(AppEnd::create(*loop, handler, 1).error(), Errc::kTooManyFiles);
  const auto app = *AppEnd::create(*loop, handler, 1);
  syscalls.fail(Call::kEventfd, EMFILE);
  EXPECT_EQ(IoEnd::create(*loop, *app).error(), Errc::kTooManyFiles);
}

}  // namespace
}  // namespace tercel::server
