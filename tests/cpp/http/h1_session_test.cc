#include "tercel/http/h1_session.h"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/memory_wire.h"

namespace tercel::http {
namespace {

using namespace std::chrono_literals;
using test::MemoryWire;

constexpr std::string_view kDefaults = "server: t\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

// A handler that a test scripts: it keeps the exchange, and notes what it is told.
class Script final : public Handler, public Observer {
 public:
  using Act = std::function<void(const Request&, Exchange&)>;

  void handle(const Request& request, Exchange& given) noexcept override {
    exchange = &given;
    given.observe(this);
    log.push_back(std::string{request.method} + " " + std::string{request.target});
    if (act) act(request, given);
  }
  void on_body() noexcept override {
    log.emplace_back("body");
    if (read_on_body) read();
  }
  void on_writable() noexcept override { log.emplace_back("writable"); }
  void on_notice(Notice notice) noexcept override {
    log.emplace_back(notice == Notice::kDraining ? "draining" : "input closed");
  }
  void on_end(Outcome outcome) noexcept override {
    const char* names[] = {"complete", "peer gone", "aborted"};
    log.emplace_back(names[static_cast<int>(outcome)]);
    exchange = nullptr;
  }

  // Reads what there is of the body, and notes how it ended.
  void read() {
    for (;;) {
      const BodyRead part = exchange->read_body();
      body.append(part.bytes);
      if (part.state == BodyState::kMore) continue;
      const char* names[] = {"", "end", "pending", "failed"};
      log.emplace_back(names[static_cast<int>(part.state)]);
      return;
    }
  }
  void answer(std::string_view text) {
    ASSERT_TRUE(exchange->start({}));
    ASSERT_TRUE(exchange->write(Payload::borrow(text), Final::kYes));
  }

  Act act;
  Exchange* exchange = nullptr;
  bool read_on_body = true;
  std::string body;
  std::vector<std::string> log;
};

class H1SessionTest : public testing::Test {
 protected:
  H1SessionTest() {
    context_.set_default_fields("t", "", /*with_date=*/true);
    make_session();
  }
  void make_session() {
    wire_.forget();
    session_ = std::make_unique<H1Session>(wire_, context_);
    wire_.session = session_.get();
  }
  [[nodiscard]] static std::string response(std::string_view rest) {
    return "HTTP/1.1 200 OK\r\n" + std::string{kDefaults} + std::string{rest};
  }
  // Answers every request at once.
  void answer_all() {
    script_.act = [this](const Request&, Exchange&) { script_.answer("hello"); };
  }

  Script script_;
  H1Context context_{script_, Limits{}};
  MemoryWire wire_;
  std::unique_ptr<H1Session> session_;
};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(H1SessionTest, HeadAndBodyLeaveInOnePiece) {
  answer_all();
  wire_.receive(kGet);
  EXPECT_EQ(wire_.sent, response("content-length: 5\r\n\r\nhello"));
  EXPECT_EQ(script_.log, (std::vector<std::string>{"GET /", "complete"}));
  EXPECT_EQ(wire_.phase, Phase::kIdle);
  EXPECT_FALSE(wire_.closed);
  EXPECT_EQ(context_.exchanges.alive(), 0U);
}

TEST_F(H1SessionTest, APeerThatDoesNotReadIsAskedForNoFurtherRequest) {
  answer_all();
  script_.act = [this](const Request&, Exchange&) {
    script_.answer("hello");
    wire_.under_pressure = true;
  };
  wire_.receive(std::string{kGet} + std::string{kGet});
  EXPECT_EQ(script_.log.size(), 2U);
  wire_.under_pressure = false;
  session_->on_sent();
  wire_.run();
  EXPECT_EQ(script_.log.size(), 4U);
}

TEST_F(H1SessionTest, EachPartLeavesAtOnceAndTheLastMayWait) {
  script_.act = [this](const Request&, Exchange& exchange) {
    const Field link[] = {{"link", "</a>"}};
    ASSERT_TRUE(exchange.interim({.status = 103, .fields = link}));
    ASSERT_TRUE(exchange.start({}));
    EXPECT_EQ(std::exchange(wire_.pushed, {}), (MemoryWire::Pushed{1, 0}));
    ASSERT_TRUE(exchange.write(Payload::borrow("a"), Final::kNo));
    EXPECT_EQ(std::exchange(wire_.pushed, {}), (MemoryWire::Pushed{1, 0}));
    ASSERT_TRUE(exchange.finish({}));
  };
  wire_.receive(kGet);
  EXPECT_EQ(wire_.pushed, (MemoryWire::Pushed{0, 1}));
}

TEST_F(H1SessionTest, EveryWayToCutTheInputGivesTheSameAnswers) {
  answer_all();
  const std::string two =
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
      "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n";
  script_.act = [this](const Request&, Exchange&) {
    script_.read();
    if (script_.log.back() == "end") script_.answer("hello");
  };
  const std::string want = response("content-length: 5\r\n\r\nhello");
  for (std::size_t cut = 0; cut <= two.size(); ++cut) {
    script_.log.clear();
    script_.body.clear();
    make_session();
    const auto answer_when_read = [this] {
      if (script_.exchange != nullptr && script_.log.back() == "end") {
        script_.answer("hello");
        wire_.run();
      }
    };
    wire_.receive(two.substr(0, cut));
    answer_when_read();
    wire_.receive(two.substr(cut));
    answer_when_read();
    EXPECT_EQ(wire_.take_sent(), want + want) << "cut at " << cut;
    EXPECT_EQ(script_.body, "abcde") << "cut at " << cut;
  }
}

TEST_F(H1SessionTest, PipelinedRequestsAreAnsweredInOrderAndOneAtATime) {
  wire_.receive("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(script_.log, (std::vector<std::string>{"GET /1"}));
  script_.answer("one");
  // Not from inside the answer to the first: the handler may be deep in its own step.
  EXPECT_EQ(script_.log, (std::vector<std::string>{"GET /1", "complete"}));
  wire_.run();
  script_.answer("two");
  EXPECT_EQ(wire_.sent,
            response("content-length: 3\r\n\r\none") + response("content-length: 3\r\n\r\ntwo"));
}

TEST_F(H1SessionTest, UnknownLengthIsChunkedForHttp11AndEndedByCloseForHttp10) {
  script_.act = [](const Request&, Exchange& exchange) {
    ASSERT_TRUE(exchange.start({}));
    ASSERT_TRUE(exchange.write(Payload::borrow("ab"), Final::kNo));
    ASSERT_TRUE(exchange.write(Payload::borrow(""), Final::kNo));
    ASSERT_TRUE(exchange.write(Payload::borrow("c"), Final::kYes));
  };
  wire_.receive(kGet);
  EXPECT_EQ(wire_.take_sent(),
            response("transfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"));
  wire_.receive("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(wire_.take_sent(), response("connection: close\r\n\r\nabc"));
  EXPECT_TRUE(wire_.closed);
}

TEST_F(H1SessionTest, HeadHasTheFieldsButNoBody) {
  const std::array<Field, 1> fields{{{"Content-Length", "7"}}};
  script_.act = [&](const Request&, Exchange& exchange) {
    ASSERT_TRUE(exchange.start({.fields = fields}));
    ASSERT_TRUE(exchange.write(Payload::borrow("ignored"), Final::kYes));
  };
  wire_.receive("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(wire_.sent, response("content-length: 7\r\n\r\n"));
  EXPECT_FALSE(wire_.closed);
}

TEST_F(H1SessionTest, NoContentHasNeitherBodyNorLength) {
  const std::array<Field, 1> fields{{{"Content-Length", "7"}}};
  script_.act = [&](const Request&, Exchange& exchange) {
    ASSERT_TRUE(exchange.start({.status = 204, .fields = fields}));
    ASSERT_TRUE(exchange.write(Payload::borrow("ignored"), Final::kYes));
  };
  wire_.receive(kGet);
  EXPECT_EQ(wire_.sent, "HTTP/1.1 204 No Content\r\n" + std::string{kDefaults} + "\r\n");
}

TEST_F(H1SessionTest, ResetContentSaysThatThereIsNone) {
  const std::array<Field, 1> fields{{{"Content-Length", "7"}}};
  script_.act = [&](const Request&, Exchange& exchange) {
    ASSERT_TRUE(exchange.start({.status = 205, .fields = fields}));
    ASSERT_TRUE(exchange.write(Payload::borrow("ignored"), Final::kYes));
  };
  wire_.receive(kGet);
  EXPECT_EQ(wire_.sent, "HTTP/1.1 205 Reset Content\r\n" + std::string{kDefaults} +
                            "content-length: 0\r\n\r\n");
}

TEST_F(H1SessionTest, TheContinueIsSentWhenTheHandlerFirstReads) {
  wire_.receive("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(wire_.sent, "");
  script_.read();
  EXPECT_EQ(wire_.take_sent(), "HTTP/1.1 100 Continue\r\n\r\n");
  wire_.receive("hi");
  EXPECT_EQ(script_.body, "hi");
  EXPECT_EQ(wire_.take_sent(), "");
}

TEST_F(H1SessionTest, AnAnswerInsteadOfTheContinueClosesTheConnection) {
  answer_all();
  wire_.receive("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(wire_.sent, response("content-length: 5\r\nconnection: close\r\n\r\nhello"));
  EXPECT_TRUE(wire_.closed);
}

TEST_F(H1SessionTest, WhatArrivedOfABodyIsTakenWithoutAskingForTheRest) {
  wire_.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
  const BodyRead here = script_.exchange->arrived_body();
  EXPECT_EQ(here.bytes, "ab");
  EXPECT_EQ(here.state, BodyState::kMore);
  EXPECT_EQ(script_.exchange->arrived_body().state, BodyState::kPending);
  EXPECT_EQ(wire_.phase, Phase::kHandler);  // No time limit runs.
  wire_.receive("cd");
  EXPECT_EQ(script_.log, (std::vector<std::string>{"POST /"}));
  script_.read();
  EXPECT_EQ(wire_.phase, Phase::kBody);
  wire_.receive("e");
  EXPECT_EQ(script_.body, "cde");
  EXPECT_EQ(script_.log, (std::vector<std::string>{"POST /", "pending", "body", "end"}));
  EXPECT_EQ(script_.exchange->arrived_body().state, BodyState::kEnd);
}

TEST_F(H1SessionTest, LookingAtWhatArrivedSendsNoContinueAndJudgesNoEnd) {
  wire_.receive("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nh");
  EXPECT_EQ(script_.exchange->arrived_body().state, BodyState::kPending);
  EXPECT_EQ(wire_.sent, "");
  script_.read();
  EXPECT_EQ(script_.body, "h");
  wire_.end_input();
  EXPECT_EQ(script_.log.back(), "aborted");

  make_session();
  wire_.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
  wire_.end_input();
  EXPECT_EQ(script_.exchange->arrived_body().bytes, "ab");
  EXPECT_EQ(script_.exchange->arrived_body().state, BodyState::kPending);
  script_.answer("all the same");
  EXPECT_TRUE(wire_.sent.starts_with("HTTP/1.1 200 "));
}

TEST_F(H1SessionTest, AnUnreadBodyIsSkippedWhenItIsSmall) {
  answer_all();
  wire_.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
  EXPECT_EQ(wire_.phase, Phase::kBody);
  wire_.receive("dyGET /next HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(script_.log, (std::vector<std::string>{"POST /", "complete", "GET /next", "complete"}));
}

TEST_F(H1SessionTest, AnUnreadBodyThatIsLargeClosesTheConnection) {
  answer_all();
  wire_.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbo");
  EXPECT_TRUE(wire_.closed);
  EXPECT_EQ(script_.log, (std::vector<std::string>{"POST /", "complete"}));
}

TEST_F(H1SessionTest, ABodyOverTheLimitIsRefusedBeforeTheHandler) {
  context_.limits.body_bytes_max = 10;
  wire_.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
  EXPECT_TRUE(wire_.sent.starts_with("HTTP/1.1 413 Content Too Large\r\n")) << wire_.sent;
  EXPECT_TRUE(script_.log.empty());
  EXPECT_TRUE(wire_.closed);
}

TEST_F(H1SessionTest, ARefusedHeadRequestIsAnsweredWithoutABody) {
  context_.limits.body_bytes_max = 10;
  wire_.receive("HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
  EXPECT_TRUE(wire_.sent.starts_with("HTTP/1.1 413 Content Too Large\r\n")) << wire_.sent;
  EXPECT_TRUE(wire_.sent.ends_with("\r\n\r\n")) << wire_.sent;
}

// What a recorder hears, a line each.
class Listing final : public Recorder {
 public:
  Token on_request(const Request& request, const Endpoints&,
                   std::chrono::nanoseconds waited) noexcept override {
    if (waited > 0s) text += "+" + std::to_string(waited / 1s) + "s ";
    text += std::string{request.method} + " " + std::string{request.target};
    return nullptr;
  }
  Token on_refused(const PartialHead& head, const Endpoints&) noexcept override {
    text += "refused [" + std::string{head.method} + "] [" + std::string{head.target} + "]" +
            (head.version ? " v" : "");
    return nullptr;
  }
  void on_response(Token, const Summary& summary) noexcept override {
    constexpr const char* kOutcomes[] = {" complete", " client-gone", " aborted"};
    text += " " + std::to_string(summary.status) + " " + std::to_string(summary.body_bytes) +
            kOutcomes[static_cast<int>(summary.outcome)];
    if (summary.error) text += " " + std::string{info(*summary.error).name};
    text += "\n";
  }
  std::string text;
};

TEST_F(H1SessionTest, TheRecordOfARefusalNamesTheRequestIfItIsKnown) {
  Listing listing;
  context_.recorder = &listing;
  context_.limits.body_bytes_max = 10;
  wire_.receive("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
  make_session();
  wire_.receive("HEAD /b HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
  make_session();
  wire_.receive("GET /c HTTP/1.1\r\n\r\n");
  make_session();
  script_.act = [](const Request&, Exchange& exchange) { exchange.abort(Errc::kHandlerFailed); };
  wire_.receive("GET /d HTTP/1.1\r\nHost: a\r\n\r\n");
  context_.admission.limit(1, 1);
  ASSERT_TRUE(context_.admission.try_enter());
  make_session();
  wire_.receive("HEAD /queued HTTP/1.1\r\nHost: a\r\n\r\n");
  wire_.time += 7s;
  session_->on_timeout(Errc::kOverloaded);
  const auto bytes = [](Errc error) { return std::to_string(info(error).text.size() + 1); };
  EXPECT_EQ(listing.text, "POST /a 413 " + bytes(Errc::kBodyTooLarge) +
                              " complete BodyTooLarge\nHEAD /b 413 0 complete BodyTooLarge\n" +
                              "refused [GET] [/c] v 400 " + bytes(Errc::kBadHost) +
                              " complete BadHost\nGET /d 500 " + bytes(Errc::kHandlerFailed) +
                              " complete HandlerFailed\n+7s HEAD /queued 503 0 complete " +
                              "Overloaded\n");
}

TEST_F(H1SessionTest, TheRecordOfARefusedHeadSaysWhatWasInOrder) {
  Listing listing;
  context_.recorder = &listing;
  context_.limits.target_bytes_max = 8;
  const auto says = [&](std::string_view head) {
    make_session();
    listing.text.clear();
    wire_.receive(head);
    return listing.text.substr(0, listing.text.rfind(" complete"));
  };
  EXPECT_EQ(says("GE\x1bT / HTTP/1.1\r\n\r\n"), "refused [] [] 400 30");
  EXPECT_EQ(says("get / HTTP/1.1\r\n\r\n"), "refused [get] [] 501 30");
  EXPECT_EQ(says("GET /\x1b HTTP/1.1\r\n\r\n"), "refused [GET] [] 400 32");
  EXPECT_EQ(says("GET /1234567890 HTTP/1.1\r\n\r\n"), "refused [GET] [/1234567] 414 37");
  EXPECT_EQ(says("GET / HTTP/3.0\r\n\r\n"), "refused [GET] [/] 505 34");
  EXPECT_EQ(says("GET a HTTP/1.1\r\n\r\n"), "refused [GET] [a] v 400 32");
  EXPECT_EQ(says("GET / HTTP/1.1\r\na b: c\r\n\r\n"), "refused [GET] [/] v 400 28");

  make_session();
  listing.text.clear();
  wire_.receive("GET /a HTTP/1.1\r\nHost:");
  session_->on_timeout(Errc::kHeadTimeout);
  EXPECT_EQ(listing.text, "refused [GET] [/a] v 408 40 complete HeadTimeout\n");
}

TEST_F(H1SessionTest, TheRecordTellsAClientThatLeftFromOneThatIsCutOff) {
  Listing listing;
  context_.recorder = &listing;
  const auto says = [&](const auto& end) {
    make_session();
    listing.text.clear();
    wire_.receive("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
    end();
    return listing.text;
  };
  const auto begin = [&] {
    ASSERT_TRUE(script_.exchange->start({}));
    ASSERT_TRUE(script_.exchange->write(Payload::borrow("x"), Final::kNo));
  };
  EXPECT_EQ(says([&] { session_->on_closed(Errc::kReset); }), "POST /a 0 0 client-gone\n");
  EXPECT_EQ(says([&] { session_->on_closed(Errc::kDraining); }), "POST /a 0 0 aborted Draining\n");
  // A head that was started and not sent did not reach the client.
  EXPECT_EQ(says([&] {
              ASSERT_TRUE(script_.exchange->start({}));
              session_->on_closed(Errc::kReset);
            }),
            "POST /a 0 0 client-gone\n");
  EXPECT_EQ(says([&] {
              begin();
              session_->on_closed(Errc::kReset);
            }),
            "POST /a 200 1 client-gone\n");
  for (const auto& [error, name] : {std::pair{Errc::kWriteTimeout, "WriteTimeout"},
                                    {Errc::kBodyTimeout, "BodyTimeout"},
                                    {Errc::kRequestTimeout, "RequestTimeout"}}) {
    EXPECT_EQ(says([&, code = error] {
                begin();
                session_->on_timeout(code);
              }),
              std::string{"POST /a 200 1 aborted "} + name + "\n");
  }
  EXPECT_EQ(says([&] { session_->on_timeout(Errc::kBodyTimeout); }),
            "POST /a 408 40 complete BodyTimeout\n");
  EXPECT_EQ(script_.log.back(), "aborted");  // Whoever was answered for.
}

TEST_F(H1SessionTest, TheRecordCountsTheWaitForATurn) {
  Listing listing;
  context_.recorder = &listing;
  answer_all();
  context_.admission.limit(1, 1);
  ASSERT_TRUE(context_.admission.try_enter());
  wire_.receive("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
  wire_.time += 3s;
  context_.admission.leave();
  wire_.run();
  EXPECT_EQ(listing.text, "+3s GET /a 200 5 complete\n");

  ASSERT_TRUE(context_.admission.try_enter());
  make_session();
  listing.text.clear();
  wire_.receive("GET /b HTTP/1.1\r\nHost: a\r\n\r\n");
  wire_.time += 5s;
  session_->on_closed(Errc::kReset);
  EXPECT_EQ(listing.text, "+5s GET /b 0 0 client-gone\n");
  context_.admission.leave();
}

TEST_F(H1SessionTest, AnAbortSaysWhenToComeBackAndWhetherTheConnectionStays) {
  script_.act = [](const Request&, Exchange& exchange) { exchange.abort(Errc::kRateLimited, 7s); };
  wire_.receive(kGet);
  EXPECT_NE(wire_.sent.find("\r\nretry-after: 7\r\n"), std::string::npos) << wire_.sent;
  EXPECT_EQ(wire_.take_sent().find("connection:"), std::string::npos);
  EXPECT_FALSE(wire_.closed);
  wire_.receive("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(wire_.take_sent().find("\r\nconnection: keep-alive\r\n"), std::string::npos);
  EXPECT_FALSE(wire_.closed);
  wire_.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n");
  EXPECT_NE(wire_.take_sent().find("\r\nconnection: close\r\n"), std::string::npos);
  EXPECT_TRUE(wire_.closed);
}

TEST_F(H1SessionTest, AChunkedBodyOverTheLimitIsAnsweredBySession) {
  context_.limits.body_bytes_max = 3;
  script_.act = [this](const Request&, Exchange&) { script_.read(); };
  wire_.receive("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n");
  EXPECT_TRUE(wire_.sent.starts_with("HTTP/1.1 413 ")) << wire_.sent;
  EXPECT_EQ(script_.log, (std::vector<std::string>{"POST /", "failed", "aborted"}));
  EXPECT_TRUE(wire_.closed);
}

TEST_F(H1SessionTest, AHandlerThatGivesUpOnABrokenBodyDoesNotChangeTheAnswer) {
  script_.act = [this](const Request&, Exchange& exchange) {
    script_.read();
    EXPECT_EQ(exchange.start({}).error(), Errc::kClosed);
    exchange.abort(Errc::kHandlerFailed);
  };
  wire_.receive("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n");
  EXPECT_TRUE(wire_.sent.starts_with("HTTP/1.1 400 ")) << wire_.sent;
  EXPECT_TRUE(wire_.closed);
}

TEST_F(H1SessionTest, ABrokenBodyAfterTheHeadWasSentCutsTheResponseOff) {
  wire_.receive("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
  ASSERT_TRUE(script_.exchange->start({}));
  ASSERT_TRUE(script_.exchange->write(Payload::borrow("x"), Final::kNo));
  script_.read();
  wire_.receive("oops\r\n");
  EXPECT_EQ(script_.log.back(), "aborted");
  EXPECT_TRUE(wire_.was_reset);
}

TEST_F(H1SessionTest, ALongerBodyThanDeclaredIsCutAndReported) {
  const std::array<Field, 1> fields{{{"content-length", "3"}}};
  wire_.receive(kGet);
  ASSERT_TRUE(script_.exchange->start({.fields = fields}));
  const Result<void> wrote = script_.exchange->write(Payload::borrow("abcd"), Final::kYes);
  ASSERT_FALSE(wrote);
  EXPECT_EQ(wrote.error(), Errc::kResponseTooLong);
  EXPECT_EQ(wire_.sent, response("content-length: 3\r\n\r\nabc"));
}

TEST_F(H1SessionTest, AShorterBodyThanDeclaredIs500BeforeTheHeadAndACutAfterIt) {
  const std::array<Field, 1> fields{{{"content-length", "3"}}};
  wire_.receive(kGet);
  ASSERT_TRUE(script_.exchange->start({.fields = fields}));
  EXPECT_FALSE(script_.exchange->write(Payload::borrow("ab"), Final::kYes));
  EXPECT_TRUE(wire_.take_sent().starts_with("HTTP/1.1 500 "));

  wire_.receive(kGet);
  ASSERT_TRUE(script_.exchange->start({.fields = fields}));
  ASSERT_TRUE(script_.exchange->write(Payload::borrow("a"), Final::kNo));
  const Result<void> wrote = script_.exchange->write(Payload::borrow("b"), Final::kYes);
  ASSERT_FALSE(wrote);
  EXPECT_EQ(wrote.error(), Errc::kResponseTooShort);
  EXPECT_TRUE(wire_.sent.ends_with("\r\n\r\nab"));
  EXPECT_TRUE(wire_.closed);
}

TEST_F(H1SessionTest, StepsOutOfOrderChangeNothing) {
  wire_.receive(kGet);
  EXPECT_EQ(script_.exchange->write(Payload::borrow("x"), Final::kYes).error(), Errc::kIllegalStep);
  ASSERT_TRUE(script_.exchange->start({}));
  EXPECT_EQ(script_.exchange->start({}).error(), Errc::kIllegalStep);
  EXPECT_EQ(wire_.sent, "");
  ASSERT_TRUE(script_.exchange->write(Payload::borrow("x"), Final::kYes));
  EXPECT_EQ(wire_.sent, response("content-length: 1\r\n\r\nx"));
}

TEST_F(H1SessionTest, AForbiddenFieldIsRefusedAndAnotherAnswerMayFollow) {
  const std::array<Field, 1> fields{{{"x", "a\r\nb: c"}}};
  wire_.receive(kGet);
  EXPECT_EQ(script_.exchange->start({.fields = fields}).error(), Errc::kBadResponseField);
  script_.answer("ok");
  EXPECT_EQ(wire_.sent, response("content-length: 2\r\n\r\nok"));
}

TEST_F(H1SessionTest, AnAbortBeforeTheFirstByteIsAnErrorResponse) {
  wire_.receive(kGet);
  ASSERT_TRUE(script_.exchange->start({}));
  script_.exchange->abort(Errc::kHandlerFailed);
  EXPECT_TRUE(wire_.sent.starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
  EXPECT_EQ(script_.log.back(), "aborted");
  EXPECT_FALSE(wire_.closed);
}

TEST_F(H1SessionTest, EarlyHintsGoOutBeforeTheHeldHead) {
  const std::array<Field, 1> links{{{"link", "</a.css>; rel=preload"}}};
  wire_.receive(kGet);
  ASSERT_TRUE(script_.exchange->start({}));
  ASSERT_TRUE(script_.exchange->interim({.status = 103, .fields = links}));
  ASSERT_TRUE(script_.exchange->write(Payload::borrow("x"), Final::kYes));
  EXPECT_EQ(wire_.sent, "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n" +
                            response("content-length: 1\r\n\r\nx"));
}

TEST_F(H1SessionTest, TrailersFollowTheLastChunkWhenTheClientAcceptsThem) {
  const std::array<Field, 1> trailers{{{"X-Sum", "9"}}};
  for (const std::string_view te : {"TE: trailers\r\n", ""}) {
    wire_.receive("GET / HTTP/1.1\r\nHost: a\r\n" + std::string{te} + "\r\n");
    ASSERT_TRUE(script_.exchange->start({.status = 200, .fields = {}, .trailers = true}));
    ASSERT_TRUE(script_.exchange->write(Payload::borrow("x"), Final::kNo));
    ASSERT_TRUE(script_.exchange->finish(trailers));
    EXPECT_EQ(wire_.take_sent(), response("transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" +
                                          std::string{te.empty() ? "" : "x-sum: 9\r\n"} + "\r\n"));
  }
}

TEST_F(H1SessionTest, NothingIsServedAfterTheClientSaidClose) {
  answer_all();
  wire_.receive(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(script_.log, (std::vector<std::string>{"GET /", "complete"}));
  EXPECT_TRUE(wire_.closed);
}

TEST_F(H1SessionTest, ADrainedConnectionAnswersOnceMoreAndCloses) {
  answer_all();
  session_->drain();
  wire_.receive(kGet);
  EXPECT_EQ(wire_.sent, response("content-length: 5\r\nconnection: close\r\n\r\nhello"));
  EXPECT_TRUE(wire_.closed);
}

TEST_F(H1SessionTest, TheRequestLimitOfAConnectionClosesIt) {
  context_.limits.requests_max = 2;
  answer_all();
  wire_.receive(kGet);
  EXPECT_FALSE(wire_.closed);
  wire_.receive(kGet);
  EXPECT_TRUE(wire_.closed);
}

TEST_F(H1SessionTest, ARequestAboveTheLimitWaitsUnreadForItsTurn) {
  answer_all();
  context_.admission.limit(1, 1);
  ASSERT_TRUE(context_.admission.try_enter());  // By another connection.
  wire_.receive(kGet);
  EXPECT_EQ(wire_.phase, Phase::kQueued);
  wire_.receive("GET /next");  // Changes nothing.
  EXPECT_TRUE(script_.log.empty());
  context_.admission.leave();
  wire_.run();
  EXPECT_EQ(script_.log, (std::vector<std::string>{"GET /", "complete"}));
  EXPECT_EQ(context_.admission.active(), 0U);
}

// RFC 9112 section 9.6: without `Connection: close` the client may send its next request at once.
TEST_F(H1SessionTest, ADrainAfterTheHeadOfAResponseIsAnnouncedWithTheNextOne) {
  script_.act = [](const Request&, Exchange& exchange) {
    ASSERT_TRUE(exchange.start({}));
    ASSERT_TRUE(exchange.write(Payload::borrow("a"), Final::kNo));
  };
  wire_.receive(kGet);
  session_->drain();
  ASSERT_TRUE(script_.exchange->write(Payload::borrow("b"), Final::kYes));
  EXPECT_EQ(wire_.take_sent().find("connection: close"), std::string::npos);
  EXPECT_FALSE(wire_.closed);
  EXPECT_EQ(wire_.phase, Phase::kIdle);
  answer_all();
  wire_.receive(kGet);
  EXPECT_EQ(wire_.sent, response("content-length: 5\r\nconnection: close\r\n\r\nhello"));
  EXPECT_TRUE(wire_.closed);
}

TEST_F(H1SessionTest, AFullQueueAndAQueueThatIsTooSlowAnswer503WithRetryAfter) {
  context_.admission.limit(1, 1);
  ASSERT_TRUE(context_.admission.try_enter());
  wire_.receive(kGet);
  session_->on_timeout(Errc::kOverloaded);
  EXPECT_TRUE(wire_.sent.starts_with("HTTP/1.1 503 "));
  EXPECT_NE(wire_.sent.find("retry-after: 1\r\n"), std::string::npos);
  EXPECT_EQ(context_.admission.waiting(), 0U);

  context_.admission.limit(1, 0);
  make_session();
  wire_.receive(kGet);
  EXPECT_TRUE(wire_.sent.starts_with("HTTP/1.1 503 "));
}

TEST_F(H1SessionTest, AClientThatLeavesTheQueueTakesNoPlaceWithIt) {
  context_.admission.limit(1, 1);
  for (const bool admitted : {false, true}) {
    ASSERT_TRUE(context_.admission.try_enter());
    make_session();
    wire_.receive(kGet);
    if (admitted) context_.admission.leave();
    session_->on_closed(Errc::kReset);
    if (!admitted) context_.admission.leave();
    EXPECT_EQ(context_.admission.active(), 0U);
    EXPECT_EQ(context_.admission.waiting(), 0U);
  }
  EXPECT_TRUE(script_.log.empty());
}

TEST_F(H1SessionTest, ADeadConnectionEndsTheExchangeOnce) {
  wire_.receive(kGet);
  session_->on_closed(Errc::kReset);
  EXPECT_EQ(script_.log, (std::vector<std::string>{"GET /", "peer gone"}));
  session_.reset();
  EXPECT_EQ(script_.log.size(), 2U);
  EXPECT_EQ(context_.exchanges.alive(), 0U);
  EXPECT_EQ(context_.admission.active(), 0U);
}

TEST_F(H1SessionTest, ABodyThatEndsEarlyFailsAndIsAnswered) {
  script_.act = [this](const Request&, Exchange&) { script_.read(); };
  wire_.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
  wire_.end_input();
  EXPECT_EQ(script_.log,
            (std::vector<std::string>{"POST /", "pending", "body", "failed", "aborted"}));
  EXPECT_TRUE(wire_.sent.starts_with("HTTP/1.1 400 "));
}

TEST_F(H1SessionTest, AHalfClosedClientIsStillAnswered) {
  wire_.receive(kGet);
  wire_.end_input();
  script_.answer("late");
  EXPECT_EQ(wire_.sent, response("content-length: 4\r\n\r\nlate"));
  wire_.run();
  EXPECT_TRUE(wire_.closed);
}

TEST_F(H1SessionTest, TimeLimitsHaveTheirAnswers) {
  wire_.receive("GET / HTT");
  session_->on_timeout(Errc::kHeadTimeout);
  EXPECT_TRUE(wire_.take_sent().starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(wire_.closed);

  make_session();
  script_.act = [this](const Request&, Exchange&) { script_.read(); };
  wire_.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
  EXPECT_EQ(wire_.phase, Phase::kBody);
  session_->on_timeout(Errc::kBodyTimeout);
  EXPECT_TRUE(wire_.take_sent().starts_with("HTTP/1.1 408 "));
  EXPECT_EQ(script_.log.back(), "aborted");

  make_session();
  wire_.receive(kGet);
  ASSERT_TRUE(script_.exchange->start({}));
  ASSERT_TRUE(script_.exchange->write(Payload::borrow("x"), Final::kNo));
  session_->on_timeout(Errc::kWriteTimeout);
  EXPECT_TRUE(wire_.was_reset);
  EXPECT_EQ(script_.log.back(), "aborted");

  make_session();
  wire_.receive("");
  session_->on_timeout(Errc::kIdleTimeout);
  EXPECT_TRUE(wire_.closed);
}

TEST_F(H1SessionTest, WritableFollowsTheHighWaterMark) {
  wire_.receive(kGet);
  ASSERT_TRUE(script_.exchange->start({}));
  wire_.unsent = context_.limits.output_high_water_bytes + 1;
  ASSERT_TRUE(script_.exchange->write(Payload::borrow("x"), Final::kNo));
  EXPECT_FALSE(script_.exchange->writable());
  wire_.unsent = 0;
  session_->on_sent();
  EXPECT_EQ(script_.log.back(), "writable");
  session_->on_sent();
  EXPECT_EQ(script_.log.size(), 2U);  // Told once.
}

constexpr std::string_view kSwitch =
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

class TunnelTest : public H1SessionTest {
 protected:
  // Asks for a tunnel, and gets it.
  void open() {
    script_.act = [](const Request& request, Exchange& exchange) {
      EXPECT_EQ(request.protocol, "websocket");
      constexpr std::array<Field, 3> kFields{
          {{"X-A", "b"}, {"Content-Length", "9"}, {"Connection", "close"}}};
      EXPECT_TRUE(exchange.start({.status = 101, .fields = kFields}));
    };
    wire_.receive(kSwitch);
  }
};

TEST_F(TunnelTest, BeginsWithItsHeadAtOnce) {
  open();
  EXPECT_EQ(wire_.sent, "HTTP/1.1 101 Switching Protocols\r\n" + std::string{kDefaults} +
                            "x-a: b\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n");
  EXPECT_EQ(wire_.pushed.part, 1);
  EXPECT_EQ(wire_.phase, Phase::kTunnel);
  EXPECT_EQ(script_.log, (std::vector<std::string>{"GET /chat"}));
}

TEST_F(TunnelTest, CarriesBytesBothWaysAsTheyAre) {
  open();
  (void)wire_.take_sent();
  script_.read();
  wire_.receive("GET / HTTP/1.1\r\n\r\n");
  wire_.receive({"\0\r\n0\r\n\r\n", 8});
  EXPECT_EQ(script_.body, std::string("GET / HTTP/1.1\r\n\r\n\0\r\n0\r\n\r\n", 26));
  ASSERT_TRUE(script_.exchange->write(Payload::borrow("\x81\x02hi"), Final::kNo));
  EXPECT_EQ(wire_.sent, "\x81\x02hi");
  EXPECT_EQ(wire_.phase, Phase::kTunnel);
  EXPECT_EQ(session_->waiting_since(), std::chrono::nanoseconds{0});
}

TEST_F(TunnelTest, TakesWhatCameBehindTheHead) {
  open();
  session_.reset();
  make_session();
  wire_.receive(std::string{kSwitch} + "early");
  script_.read();
  EXPECT_EQ(script_.body, "early");
}

TEST_F(TunnelTest, ReadsNothingThatNobodyAsksFor) {
  open();
  wire_.receive("waits");
  EXPECT_EQ(wire_.input().bytes.size(), 5U);
  EXPECT_EQ(script_.log, (std::vector<std::string>{"GET /chat"}));
}

TEST_F(TunnelTest, ThePeersEndIsAnEndAndOursClosesTheConnection) {
  open();
  script_.read();
  wire_.end_input();
  EXPECT_EQ(script_.log, (std::vector<std::string>{"GET /chat", "pending", "body", "end"}));
  script_.read();
  EXPECT_EQ(script_.log.back(), "end");
  EXPECT_FALSE(wire_.closed);
  ASSERT_TRUE(script_.exchange->write(Payload::borrow("bye"), Final::kYes));
  EXPECT_EQ(script_.log.back(), "complete");
  EXPECT_TRUE(wire_.sent.ends_with("\r\n\r\nbye"));
  EXPECT_TRUE(wire_.closed);
  EXPECT_FALSE(wire_.was_reset);
  EXPECT_EQ(context_.exchanges.alive(), 0U);
}

TEST_F(TunnelTest, AnAbortIsAReset) {
  open();
  script_.exchange->abort(Errc::kHandlerFailed);
  EXPECT_EQ(script_.log.back(), "aborted");
  EXPECT_TRUE(wire_.was_reset);
}

TEST_F(TunnelTest, OutlivesADrainUntilItIsTold) {
  open();
  session_->drain();
  EXPECT_FALSE(wire_.closed);
  session_->notify_draining();
  EXPECT_EQ(script_.log.back(), "draining");
  ASSERT_TRUE(script_.exchange->write(Payload::borrow("bye"), Final::kYes));
  EXPECT_TRUE(wire_.closed);
}

TEST_F(TunnelTest, IsForWhoAskedAndStartsOnce) {
  open();
  EXPECT_EQ(script_.exchange->start({.status = 101, .fields = {}}).error(), Errc::kIllegalStep);
  EXPECT_EQ(script_.exchange->interim({.status = 103, .fields = {}}).error(), Errc::kIllegalStep);
  session_.reset();
  script_.act = [](const Request& request, Exchange& exchange) {
    EXPECT_EQ(request.protocol, "");
    EXPECT_EQ(exchange.start({.status = 101, .fields = {}}).error(), Errc::kBadResponseStatus);
  };
  make_session();
  wire_.receive(kGet);
}

TEST_F(TunnelTest, ThatIsDeclinedLeavesTheConnectionToTheNextRequest) {
  answer_all();
  wire_.receive(std::string{kSwitch} + std::string{kGet});
  EXPECT_EQ(script_.log, (std::vector<std::string>{"GET /chat", "complete", "GET /", "complete"}));
  EXPECT_FALSE(wire_.closed);
}

TEST_F(H1SessionTest, InterimResponsesFollowTheHighWaterMarkToo) {
  wire_.receive(kGet);
  wire_.unsent = context_.limits.output_high_water_bytes + 1;
  ASSERT_TRUE(script_.exchange->interim({.status = 103, .fields = {}}));
  EXPECT_FALSE(script_.exchange->writable());
  wire_.unsent = 0;
  session_->on_sent();
  EXPECT_EQ(script_.log, (std::vector<std::string>{"GET /", "writable"}));
}

TEST_F(H1SessionTest, AnOwnedPayloadIsReleasedOnceWhateverHappens) {
  int released = 0;
  const auto payload = [&] {
    return Payload::own("abc", &released,
                        [](void* owner) noexcept { ++*static_cast<int*>(owner); });
  };
  wire_.receive(kGet);
  (void)script_.exchange->write(payload(), Final::kYes);  // Before the head: refused.
  EXPECT_EQ(released, 1);
  ASSERT_TRUE(script_.exchange->start({}));
  ASSERT_TRUE(script_.exchange->write(payload(), Final::kYes));
  EXPECT_EQ(released, 2);
}

// Names a client and a host, and notes in which order it and the recorder are asked.
class Stamp final : public Amender, public Recorder {
 public:
  explicit Stamp(std::vector<std::string>& log) : log_{log} {}

  void amend(Request& request, std::span<Field> fields, const Endpoints& ends,
             Address& client) const noexcept override {
    EXPECT_EQ(request.client, &ends.peer);
    EXPECT_EQ(fields.data(), request.fields.data());
    EXPECT_EQ(fields.size(), request.fields.size());
    client = kClient;
    request.client = &client;
    fields[0].value = "amended";
    log_.emplace_back("amended");
  }
  Token on_request(const Request& request, const Endpoints&,
                   std::chrono::nanoseconds) noexcept override {
    EXPECT_EQ(*request.client, kClient);
    log_.emplace_back("recorded");
    return nullptr;
  }
  Token on_refused(const PartialHead&, const Endpoints&) noexcept override { return nullptr; }
  void on_response(Token, const Summary&) noexcept override {}

  static constexpr Address kClient{.ip = {192, 0, 2, 1}, .port = 7, .kind = AddressKind::kIpv4};

 private:
  std::vector<std::string>& log_;
};

TEST_F(H1SessionTest, ARequestIsAmendedBeforeItIsRecordedAndHandled) {
  const Stamp stamp{script_.log};
  Stamp recorder{script_.log};
  context_.amender = &stamp;
  context_.recorder = &recorder;
  script_.act = [this](const Request& request, Exchange&) {
    EXPECT_EQ(*request.client, Stamp::kClient);
    EXPECT_EQ(request.fields[0].value, "amended");
    script_.answer("hello");
  };
  wire_.receive(kGet);
  EXPECT_EQ(script_.log, (std::vector<std::string>{"amended", "recorded", "GET /", "complete"}));
}

}  // namespace
}  // namespace tercel::http
