#include "tercel/http/h2_session.h"

#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "http/h2_fixture.h"

namespace tercel::http {
namespace {

using namespace std::chrono_literals;
using namespace test;  // The client's frames.

class H2SessionTest : public H2Fixture {};

TEST_F(H2SessionTest, HeadAndBodyLeaveTogether) {
  answer_all();
  hello();
  EXPECT_EQ(send(h2_get(1)), head(1, " content-length=5") + "1 DATA 5 END hello\n");
  EXPECT_EQ(script_.log, (Lines{"GET /", "/ complete"}));
  EXPECT_EQ(wire_.phase, Phase::kIdle);
  EXPECT_EQ(h2_.exchanges.alive(), 0U);
  EXPECT_EQ(shared_.admission.active(), 0U);
}

TEST_F(H2SessionTest, EveryWayToCutTheInputGivesTheSameAnswers) {
  script_.act = [](const Request&, Scripted& one) {
    one.on_read = [&one] { one.answer(one.body); };
    one.read();
  };
  const std::string input = h2_hello() + h2_post(1, {{"content-length", "5"}}) + h2_get(3, "/x") +
                            h2_data(1, "hel") + h2_ping() + h2_data(1, "lo", kEndStream) +
                            h2_window_update(0, 1);
  const std::string want = "0 WINDOW_UPDATE 983041\n" + head(3, " content-length=0 END") +
                           "PING ACK\n" + head(1, " content-length=5") + "1 DATA 5 END hello\n";
  const auto sorted = [](std::string text) {
    // Answers to PING overtake; the order of the rest is the order of its causes.
    const std::size_t at = text.find("PING ACK\n");
    if (at != std::string::npos) text.erase(at, 9);
    return text;
  };
  for (std::size_t cut = 0; cut <= input.size(); ++cut) {
    make_session();
    std::string got = send(input.substr(0, cut));
    got += send(input.substr(cut));
    EXPECT_EQ(sorted(got), sorted(want)) << "cut at " << cut;
    EXPECT_NE(got.find("PING ACK\n"), std::string::npos);
  }
  make_session();
  std::string got;
  for (const char byte : input) got += send(std::string(1, byte));
  EXPECT_EQ(sorted(got), sorted(want));
  session_.reset();
  EXPECT_EQ(wire_.blocks().outstanding(), 0U);
}

TEST_F(H2SessionTest, StreamsAreServedAtOnceAndAnsweredInAnyOrder) {
  hello();
  EXPECT_EQ(send(h2_get(1, "/1") + h2_get(3, "/3")), "");
  EXPECT_EQ(wire_.phase, Phase::kHandler);
  script_.of("/3").answer("three");
  EXPECT_EQ(sent(), head(3, " content-length=5") + "3 DATA 5 END three\n");
  script_.of("/1").answer("one");
  EXPECT_EQ(sent(), head(1, " content-length=3") + "1 DATA 3 END one\n");
  EXPECT_EQ(wire_.phase, Phase::kIdle);
}

TEST_F(H2SessionTest, TheRequestIsThatOfHttp1) {
  script_.act = [](const Request& request, Scripted& one) {
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.path, "/a%20b");
    EXPECT_EQ(request.query, "c=d?");
    EXPECT_EQ(request.authority, "a.example:80");
    EXPECT_EQ(request.version, Version::kHttp2);
    EXPECT_FALSE(request.has_body);
    EXPECT_TRUE(request.accepts_trailers);
    std::string fields;
    for (const Field& field : request.fields) {
      fields += std::string{field.name} + ": " + std::string{field.value} + "\n";
    }
    EXPECT_EQ(fields, "host: a.example:80\nte: trailers\ncookie: a=1; b=2; c=3\nx: y\n");
    one.answer("");
  };
  hello();
  EXPECT_EQ(send(h2_headers(1, {{":method", "GET"},
                                {":scheme", "http"},
                                {":authority", "a.example:80"},
                                {":path", "/a%20b?c=d?"},
                                {"te", "trailers"},
                                {"cookie", "a=1; b=2"},
                                {"x", "y"},
                                {"cookie", "c=3"}})),
            head(1, " content-length=0 END"));
}

TEST_F(H2SessionTest, EachPartLeavesAtOnceAndTheLastMayWaitForTheNextRequest) {
  hello();
  script_.act = [this](const Request&, Scripted& one) {
    const Field link[] = {{"link", "</a>"}};
    wire_.pushed = {};
    ASSERT_TRUE(one.exchange->interim({.status = 103, .fields = link}));
    EXPECT_EQ(std::exchange(wire_.pushed, {}), (MemoryWire::Pushed{1, 0}));
    ASSERT_TRUE(one.exchange->start({}));
    EXPECT_EQ(std::exchange(wire_.pushed, {}), (MemoryWire::Pushed{0, 0}));
    ASSERT_TRUE(one.exchange->write(Payload::borrow("a"), Final::kNo));
    EXPECT_EQ(std::exchange(wire_.pushed, {}), (MemoryWire::Pushed{1, 0}));
    EXPECT_FALSE(wire_.sent.empty());
    ASSERT_TRUE(one.exchange->write(Payload::borrow("b"), Final::kYes));
  };
  EXPECT_EQ(send(h2_get(1)),
            "1 HEADERS :status=103 link=</a>\n" + head(1) + "1 DATA 1 a\n1 DATA 1 END b\n");
  EXPECT_EQ(wire_.pushed, (MemoryWire::Pushed{0, 1}));
  script_.act = [](const Request&, Scripted& one) { one.answer("x"); };
  wire_.pushed = {};
  (void)send(h2_get(3) + h2_get(5));
  EXPECT_EQ(wire_.pushed, (MemoryWire::Pushed{0, 1}));
}

TEST_F(H2SessionTest, HeadAndNoContentHaveNoBody) {
  const Field length[] = {{"Content-Length", "7"}};
  script_.act = [&](const Request&, Scripted& one) {
    ASSERT_TRUE(one.exchange->start({.fields = length}));
    ASSERT_TRUE(one.exchange->write(Payload::borrow("ignored"), Final::kYes));
  };
  hello();
  EXPECT_EQ(
      send(h2_headers(
          1, {{":method", "HEAD"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}})),
      head(1, " content-length=7 END"));
  script_.act = [&](const Request&, Scripted& one) {
    ASSERT_TRUE(one.exchange->start({.status = 204, .fields = length}));
    ASSERT_TRUE(one.exchange->write(Payload::borrow("ignored"), Final::kYes));
  };
  EXPECT_EQ(send(h2_get(3)),
            "3 HEADERS :status=204 server=t date=Sun, 06 Nov 1994 08:49:37 GMT END\n");
}

TEST_F(H2SessionTest, ConnectionFieldsAreLeftOutAndNamesAreInLowerCase) {
  const Field fields[] = {{"Transfer-Encoding", "chunked"},
                          {"Keep-Alive", "x"},
                          {"X-Name", " v "},
                          {"Upgrade", "h2c"},
                          {"Server", "mine"}};
  script_.act = [&](const Request&, Scripted& one) {
    ASSERT_TRUE(one.exchange->start({.fields = fields}));
    ASSERT_TRUE(one.exchange->write(Payload::borrow(""), Final::kYes));
  };
  hello();
  EXPECT_EQ(send(h2_get(1)),
            "1 HEADERS :status=200 date=Sun, 06 Nov 1994 08:49:37 GMT x-name=v server=mine "
            "content-length=0 END\n");
}

TEST_F(H2SessionTest, TrailersBothWays) {
  const Field trailers[] = {{"X-Sum", "9"}, {"Content-Length", "1"}};
  hello();
  (void)send(h2_post(1, {{"te", "trailers"}}) + h2_data(1, "ab"));
  Scripted& one = script_.of("/");
  one.read();
  EXPECT_EQ(send(h2_headers(1, {{"x-check", "7"}, {"host", "evil"}})), "");
  EXPECT_EQ(one.body, "ab");
  EXPECT_EQ(script_.take_log(),
            (Lines{"POST /", "/ pending", "/ body", "/ end", "/ trailer x-check=7"}));
  ASSERT_TRUE(one.exchange->start({.status = 200, .fields = {}, .trailers = true}));
  ASSERT_TRUE(one.exchange->write(Payload::borrow("x"), Final::kNo));
  ASSERT_TRUE(one.exchange->finish(trailers));
  EXPECT_EQ(sent(), head(1) + "1 DATA 1 x\n1 HEADERS x-sum=9 END\n");
  EXPECT_EQ(h2_.exchanges.alive(), 0U);
}

TEST_F(H2SessionTest, TheContinueIsSentWhenTheHandlerFirstReads) {
  hello();
  EXPECT_EQ(send(h2_post(1, {{"expect", "100-continue"}})), "");
  script_.of("/").read();
  EXPECT_EQ(sent(), "1 HEADERS :status=100\n");
  script_.of("/").read();
  EXPECT_EQ(sent(), "");
  (void)send(h2_data(1, "hi", kEndStream));
  EXPECT_EQ(script_.of("/").body, "hi");
}

TEST_F(H2SessionTest, AnEarlyAnswerWaitsForTheLittleThatFollows) {
  answer_all();
  hello();
  EXPECT_EQ(send(h2_post(1)), head(1, " content-length=5") + "1 DATA 5 END hello\n");
  EXPECT_EQ(h2_.exchanges.alive(), 1U);
  EXPECT_EQ(send(h2_data(1, "la") + h2_data(1, "te", kEndStream) + h2_get(3)),
            head(3, " content-length=5") + "3 DATA 5 END hello\n");
  EXPECT_EQ(h2_.exchanges.alive(), 0U);
}

TEST_F(H2SessionTest, AnEarlyAnswerEndsTheStreamWithoutBlame) {
  answer_all();
  hello();
  (void)send(h2_post(1));
  wire_.time += 900ms;
  session_->on_tick(wire_.time);
  EXPECT_EQ(sent(), "");
  wire_.time += 100ms;
  session_->on_tick(wire_.time);
  EXPECT_EQ(sent(), "1 RST_STREAM 0\n");
  // What was on its way is ignored.
  EXPECT_EQ(send(h2_data(1, "late", kEndStream) + h2_get(3)),
            head(3, " content-length=5") + "3 DATA 5 END hello\n");
}

TEST_F(H2SessionTest, WhatCannotBeHereSoonIsNotWaitedFor) {
  answer_all();
  hello();
  // More than the window.
  EXPECT_TRUE(send(h2_post(1, {{"content-length", "100000000"}})).ends_with("1 RST_STREAM 0\n"));
  // More streams at once than a client has use for.
  std::string lines;
  for (int id = 3; id < 3 + 2 * 17; id += 2) lines = send(h2_post(id));
  EXPECT_TRUE(lines.ends_with("35 RST_STREAM 0\n")) << lines;
  // When the connection ends.
  session_->notify_draining();
  session_->drain();
  EXPECT_NE(sent().find("3 RST_STREAM 0\n"), std::string::npos);
  EXPECT_EQ(h2_.exchanges.alive(), 0U);
}

TEST_F(H2SessionTest, AStreamThatIsWaitedForMayBeReset) {
  answer_all();
  hello();
  for (int id = 1; id < 1 + 2 * 40; id += 2) {
    EXPECT_FALSE(send(h2_post(id)).ends_with("RST_STREAM 0\n")) << id;
    (void)send(h2_reset(id));
  }
  EXPECT_EQ(h2_.exchanges.alive(), 0U);
}

TEST_F(H2SessionTest, AResetEndsThatExchangeAndNoOther) {
  hello();
  (void)send(h2_get(1, "/1") + h2_get(3, "/3") + h2_reset(1));
  EXPECT_EQ(script_.log, (Lines{"GET /1", "GET /3", "/1 peer gone"}));
  script_.of("/3").answer("x");
  EXPECT_EQ(sent(), head(3, " content-length=1") + "3 DATA 1 END x\n");
}

TEST_F(H2SessionTest, AnAbortIsAnErrorResponseBeforeTheHeadAndAResetAfterIt) {
  hello();
  (void)send(h2_get(1, "/1") + h2_get(3, "/3"));
  script_.of("/1").exchange->abort(Errc::kHandlerFailed);
  EXPECT_TRUE(sent().starts_with("1 HEADERS :status=500 "));
  ASSERT_TRUE(script_.of("/3").exchange->start({}));
  ASSERT_TRUE(script_.of("/3").exchange->write(Payload::borrow("x"), Final::kNo));
  script_.of("/3").exchange->abort(Errc::kHandlerFailed);
  EXPECT_EQ(sent(), head(3) + "3 DATA 1 x\n3 RST_STREAM 2\n");
  EXPECT_EQ(script_.log.back(), "/3 aborted");
  EXPECT_EQ(h2_.exchanges.alive(), 0U);
}

TEST_F(H2SessionTest, ADeclaredLengthIsTheLaw) {
  const Field fields[] = {{"content-length", "3"}};
  hello();
  (void)send(h2_get(1, "/1") + h2_get(3, "/3") + h2_get(5, "/5"));
  ASSERT_TRUE(script_.of("/1").exchange->start({.fields = fields}));
  EXPECT_EQ(script_.of("/1").exchange->write(Payload::borrow("abcd"), Final::kYes).error(),
            Errc::kResponseTooLong);
  EXPECT_EQ(sent(), head(1, " content-length=3") + "1 DATA 3 END abc\n");
  ASSERT_TRUE(script_.of("/3").exchange->start({.fields = fields}));
  EXPECT_FALSE(script_.of("/3").exchange->write(Payload::borrow("ab"), Final::kYes));
  EXPECT_TRUE(sent().starts_with("3 HEADERS :status=500 "));
  ASSERT_TRUE(script_.of("/5").exchange->start({.fields = fields}));
  ASSERT_TRUE(script_.of("/5").exchange->write(Payload::borrow("a"), Final::kNo));
  EXPECT_EQ(script_.of("/5").exchange->write(Payload::borrow("b"), Final::kYes).error(),
            Errc::kResponseTooShort);
  EXPECT_TRUE(sent().ends_with("5 RST_STREAM 2\n"));
}

TEST_F(H2SessionTest, StepsOutOfOrderChangeNothing) {
  hello();
  (void)send(h2_get(1));
  Exchange& exchange = *script_.of("/").exchange;
  EXPECT_EQ(exchange.write(Payload::borrow("x"), Final::kYes).error(), Errc::kIllegalStep);
  const Field bad[] = {{"x", "a\r\nb: c"}};
  EXPECT_EQ(exchange.start({.fields = bad}).error(), Errc::kBadResponseField);
  ASSERT_TRUE(exchange.start({}));
  EXPECT_EQ(exchange.start({}).error(), Errc::kIllegalStep);
  EXPECT_EQ(sent(), "");
  ASSERT_TRUE(exchange.write(Payload::borrow("x"), Final::kYes));
  EXPECT_EQ(sent(), head(1, " content-length=1") + "1 DATA 1 END x\n");
}

// --- windows

TEST_F(H2SessionTest, AResponseWaitsForTheWindowOfItsStreamAndBlocksNoOther) {
  hello({{4, 10}});  // SETTINGS_INITIAL_WINDOW_SIZE
  answer_all("0123456789abcdef");
  EXPECT_EQ(send(h2_get(1)), head(1, " content-length=16") + "1 DATA 10 0123456789\n");
  EXPECT_EQ(script_.log.back(), "/ complete");  // Handed over; the rest waits.
  EXPECT_EQ(wire_.phase, Phase::kHandler);
  answer_all("short");
  EXPECT_EQ(send(h2_get(3)), head(3, " content-length=5") + "3 DATA 5 END short\n");
  EXPECT_EQ(send(h2_window_update(1, 4)), "1 DATA 4 abcd\n");
  EXPECT_EQ(send(h2_window_update(1, 100)), "1 DATA 2 END ef\n");
  EXPECT_EQ(h2_.exchanges.alive(), 0U);
}

TEST_F(H2SessionTest, AWriterWaitsWhileTheWindowIsShut) {
  shared_.limits.output_high_water_bytes = 10;
  hello({{4, 4}});
  (void)send(h2_get(1));
  Scripted& one = script_.of("/");
  ASSERT_TRUE(one.exchange->start({}));
  ASSERT_TRUE(one.exchange->write(Payload::borrow(std::string(14, 'a')), Final::kNo));
  EXPECT_TRUE(one.exchange->writable());  // Four of them left.
  ASSERT_TRUE(one.exchange->write(Payload::borrow("bc"), Final::kNo));
  EXPECT_FALSE(one.exchange->writable());
  EXPECT_EQ(script_.log.back(), "GET /");
  (void)send(h2_window_update(1, 1));
  EXPECT_EQ(script_.log.back(), "GET /");
  (void)send(h2_window_update(1, 1));
  EXPECT_EQ(script_.log.back(), "/ writable");
}

TEST_F(H2SessionTest, NothingIsCutWhileTheWireIsPressed) {
  hello({{4, 1 << 20}});
  (void)send(h2_window_update(0, 1 << 20));
  wire_.under_pressure = true;
  answer_all(std::string(40'000, 'x'));
  EXPECT_EQ(send(h2_get(1)), "");
  wire_.under_pressure = false;
  session_->on_sent();
  (void)sent();
  EXPECT_EQ(reader_->body(1).size(), 40'000U);
}

TEST_F(H2SessionTest, OwnedBytesAreCutWithoutACopyAndReleasedOnceInTheEnd) {
  static int released;
  released = 0;
  const std::string body(40'000, 'x');
  hello({{4, 20'000}});
  script_.act = [&](const Request&, Scripted& one) {
    ASSERT_TRUE(one.exchange->start({}));
    ASSERT_TRUE(one.exchange->write(
        Payload::own(body, &released, [](void*) noexcept { ++released; }), Final::kYes));
  };
  (void)send(h2_get(1));
  EXPECT_EQ(released, 0);
  (void)send(h2_window_update(1, 20'000));
  EXPECT_EQ(released, 1);
  EXPECT_EQ(reader_->body(1), body);
  // And when the client loses interest in the middle.
  (void)send(h2_get(3) + h2_reset(3));
  EXPECT_EQ(released, 2);
  EXPECT_EQ(h2_.parts.alive(), 0U);
}

TEST_F(H2SessionTest, FilesAreCutIntoFramesToo) {
  hello();
  script_.act = [](const Request&, Scripted& one) {
    ASSERT_TRUE(one.exchange->start({}));
    ASSERT_TRUE(one.exchange->write_file({.file = 7, .offset = 100, .count = 20'000}, Final::kYes));
  };
  wire_.receive(h2_get(1));
  const std::string raw = wire_.take_sent();
  EXPECT_NE(raw.find("<file:100+16384>"), std::string::npos);
  EXPECT_NE(raw.find("<file:16484+3616>"), std::string::npos);
}

TEST_F(H2SessionTest, ABodyThatNobodyReadsShutsItsOwnWindowOnly) {
  h2_.options.window_bytes = 1000;
  make_session();
  hello();
  (void)send(h2_post(1));
  EXPECT_EQ(send(h2_data(1, std::string(1000, 'a'))), "");
  Scripted& one = script_.of("/");
  one.read();
  EXPECT_EQ(one.body.size(), 1000U);
  EXPECT_NE(sent().find("1 WINDOW_UPDATE "), std::string::npos);
}

TEST_F(H2SessionTest, TheConnectionIsCreditedAsBytesArrive) {
  hello();
  (void)send(h2_post(1));
  std::string updates;
  for (int i = 0; i < 4; ++i) updates += send(h2_data(1, std::string(16'000, 'a')));
  (void)send(h2_post(3));
  for (int i = 0; i < 4; ++i) updates += send(h2_data(3, std::string(16'000, 'a')));
  for (int i = 5; i < 25; i += 2) {
    (void)send(h2_post(static_cast<std::uint32_t>(i)));
    for (int j = 0; j < 4; ++j) {
      updates += send(h2_data(static_cast<std::uint32_t>(i), std::string(16'000, 'a')));
    }
  }
  EXPECT_NE(updates.find("0 WINDOW_UPDATE "), std::string::npos);
  EXPECT_EQ(updates.find("GOAWAY"), std::string::npos);
}

TEST_F(H2SessionTest, WhoReadsAllThatComesIsSentMoreAtOnceUpToALimit) {
  h2_.options.window_bytes = 16'384;
  h2_.options.window_bytes_max = 65'536;
  make_session();
  hello();
  (void)send(h2_post(1));
  script_.of("/").read();
  std::size_t credit = 16'384;
  for (int i = 0; i < 40; ++i) {
    const std::string lines = send(h2_data(1, std::string(8000, 'a')));
    credit -= 8000;
    for (std::size_t at = 0; (at = lines.find("1 WINDOW_UPDATE ", at)) != std::string::npos;) {
      at += 16;
      if (at == 16 || lines[at - 17] == '\n') credit += std::stoul(lines.substr(at));
    }
    ASSERT_LE(credit, 65'536U);
  }
  EXPECT_GT(credit, 32'768U);
}

// --- limits

TEST_F(H2SessionTest, WhatIsTooMuchIsAnsweredOnItsStream) {
  answer_all();
  shared_.limits.target_bytes_max = 10;
  shared_.limits.body_bytes_max = 10;
  shared_.limits.fields_max = 3;
  hello();
  EXPECT_TRUE(send(h2_get(1, "/01234567890")).starts_with("1 HEADERS :status=414 "));
  EXPECT_TRUE(send(h2_post(3, {{"content-length", "11"}})).starts_with("3 HEADERS :status=413 "));
  EXPECT_TRUE(send(h2_post(5, {{"cookie", "a"}, {"cookie", "b"}, {"cookie", "c"}, {"cookie", "d"}}))
                  .starts_with("5 HEADERS :status=431 "));
  EXPECT_TRUE(send(h2_post(7, {{"expect", "tea"}})).starts_with("7 HEADERS :status=417 "));
  EXPECT_TRUE(
      send(h2_headers(
               9, {{":method", "TRACE"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}}))
          .starts_with("9 HEADERS :status=501 "));
  EXPECT_TRUE(script_.log.empty());
  // The connection, and its compression, are as good as before.
  EXPECT_EQ(send(h2_get(11)), head(11, " content-length=5") + "11 DATA 5 END hello\n");
}

TEST_F(H2SessionTest, TheSizeOfTheListHoldsWhileItIsDecoded) {
  shared_.limits.head_bytes_max = 1000;
  make_session();
  hello();
  const std::string big = send(h2_headers(1, {{":method", "GET"},
                                              {":scheme", "http"},
                                              {":path", "/"},
                                              {":authority", "a"},
                                              {"x", std::string(900, 'y')}}));
  EXPECT_TRUE(big.starts_with("1 HEADERS :status=431 ")) << big;
  EXPECT_TRUE(script_.log.empty());
}

TEST_F(H2SessionTest, ABodyOverTheLimitIsAnsweredWhileItArrives) {
  shared_.limits.body_bytes_max = 3;
  hello();
  (void)send(h2_post(1));
  script_.of("/").read();
  const std::string answer = send(h2_data(1, "abcd"));
  EXPECT_TRUE(answer.starts_with("1 HEADERS :status=413 ")) << answer;
  EXPECT_TRUE(answer.ends_with("1 RST_STREAM 0\n")) << answer;
  EXPECT_EQ(script_.log, (Lines{"POST /", "/ pending", "/ aborted"}));
}

TEST_F(H2SessionTest, ARequestAboveTheLimitOfRequestsWaitsForItsTurn) {
  answer_all();
  shared_.admission.limit(1, 1);
  ASSERT_TRUE(shared_.admission.try_enter());  // By another connection.
  hello();
  EXPECT_EQ(send(h2_get(1)), "");
  EXPECT_TRUE(script_.log.empty());
  shared_.admission.leave();
  wire_.run();
  EXPECT_EQ(sent(), head(1, " content-length=5") + "1 DATA 5 END hello\n");
  EXPECT_EQ(shared_.admission.active(), 0U);
}

TEST_F(H2SessionTest, AFullQueueAndASlowOneAnswer503) {
  shared_.admission.limit(1, 1);
  ASSERT_TRUE(shared_.admission.try_enter());
  hello();
  EXPECT_EQ(send(h2_get(1)), "");
  EXPECT_TRUE(send(h2_get(3)).starts_with("3 HEADERS :status=503 "));
  wire_.time += 29s;
  session_->on_tick(wire_.time);
  EXPECT_EQ(sent(), "");
  wire_.time += 1s;
  session_->on_tick(wire_.time);
  EXPECT_TRUE(sent().starts_with("1 HEADERS :status=503 "));
  EXPECT_EQ(shared_.admission.waiting(), 0U);
}

TEST_F(H2SessionTest, AResetTakesARequestOutOfTheQueue) {
  shared_.admission.limit(1, 2);
  ASSERT_TRUE(shared_.admission.try_enter());
  hello();
  (void)send(h2_get(1) + h2_get(3) + h2_reset(1));
  EXPECT_EQ(shared_.admission.waiting(), 1U);
  session_.reset();
  EXPECT_EQ(shared_.admission.waiting(), 0U);
  EXPECT_EQ(shared_.admission.active(), 1U);
  EXPECT_TRUE(script_.log.empty());
}

// --- time

TEST_F(H2SessionTest, ABodyThatStallsIsA408AndOneThatIsNotWaitedForIsNot) {
  hello();
  (void)send(h2_post(1));
  wire_.time += 60s;
  session_->on_tick(wire_.time);
  EXPECT_EQ(sent(), "");
  script_.of("/").read();
  wire_.time += 29s;
  session_->on_tick(wire_.time);
  EXPECT_EQ(sent(), "");
  wire_.time += 1s;
  session_->on_tick(wire_.time);
  EXPECT_TRUE(sent().starts_with("1 HEADERS :status=408 "));
  EXPECT_EQ(script_.log.back(), "/ aborted");
}

TEST_F(H2SessionTest, AStalledWindowKillsItsStreamAndNoOther) {
  hello({{4, 0}});
  answer_all("x");
  (void)send(h2_get(1));
  script_.act = nullptr;
  (void)send(h2_get(3, "/3"));
  session_->on_tick(wire_.time);
  wire_.time += 29s;
  session_->on_tick(wire_.time);
  EXPECT_EQ(sent(), "");
  wire_.time += 2s;
  session_->on_tick(wire_.time);
  EXPECT_EQ(sent(), "1 RST_STREAM 8\n");
  EXPECT_NE(script_.of("/3").exchange, nullptr);
  EXPECT_EQ(h2_.exchanges.alive(), 1U);
}

TEST_F(H2SessionTest, AWindowThatIsOpenedByteByByteIsHeldToThePace) {
  hello({{4, 0}});
  answer_all(std::string(10'000, 'x'));
  (void)send(h2_get(1));
  std::string lines;
  for (int second = 0; second < 40 && lines.find("RST_STREAM") == std::string::npos; ++second) {
    wire_.time += 1s;
    lines += send(h2_window_update(1, 10));
    session_->on_tick(wire_.time);
    lines += sent();
  }
  EXPECT_NE(lines.find("1 RST_STREAM 8\n"), std::string::npos);
}

TEST_F(H2SessionTest, TheOldestRequestIsTheOneThatTookTooLong) {
  hello();
  wire_.time = 5s;
  (void)send(h2_get(1, "/1"));
  wire_.time = 6s;
  (void)send(h2_get(3, "/3"));
  EXPECT_EQ(session_->waiting_since(), 5s);
  session_->on_timeout(Errc::kRequestTimeout);
  EXPECT_TRUE(sent().starts_with("1 HEADERS :status=503 "));
  EXPECT_EQ(session_->waiting_since(), 6s);
}

TEST_F(H2SessionTest, AnIdleConnectionSaysGoodbye) {
  hello();
  EXPECT_EQ(wire_.phase, Phase::kIdle);
  session_->on_timeout(Errc::kIdleTimeout);
  EXPECT_EQ(sent(), "GOAWAY 0 0\n");
  EXPECT_TRUE(wire_.closed);
}

TEST_F(H2SessionTest, PartOfAFrameIsPartOfAHead) {
  hello();
  (void)send(h2_get(1).substr(0, 20));
  EXPECT_EQ(wire_.phase, Phase::kHead);
  session_->on_timeout(Errc::kHeadTimeout);
  EXPECT_EQ(sent(), "GOAWAY 0 11\n");
}

TEST_F(H2SessionTest, AHeaderBlockThatNeverEndsIsNotHiddenByOpenStreams) {
  hello();
  (void)send(h2_get(1, "/1") + h2_get(3).substr(0, 20));
  EXPECT_EQ(wire_.phase, Phase::kHandler);
  wire_.time += 31s;
  session_->on_tick(wire_.time);
  EXPECT_EQ(sent(), "GOAWAY 1 11\n");
  EXPECT_EQ(script_.log.back(), "/1 aborted");
}

// --- ends

TEST_F(H2SessionTest, ADrainIsAnnouncedAndThenMeantAndServesWhatCrossedIt) {
  answer_all();
  hello();
  session_->drain();
  EXPECT_EQ(sent(), "GOAWAY 2147483647 0\nPING\n");
  EXPECT_EQ(send(h2_get(1)), head(1, " content-length=5") + "1 DATA 5 END hello\n");
  script_.act = nullptr;
  (void)send(h2_get(3, "/3"));
  EXPECT_EQ(send(h2_ping(/*ack=*/true)), "GOAWAY 3 0\n");
  EXPECT_EQ(send(h2_get(5) + h2_data(5, "x")), "");  // Ignored: it is above the last.
  EXPECT_FALSE(wire_.closed);
  script_.of("/3").answer("last");
  EXPECT_EQ(sent(), head(3, " content-length=4") + "3 DATA 4 END last\n");
  EXPECT_TRUE(wire_.closed);
}

TEST_F(H2SessionTest, ADrainOfAnIdleConnectionWaitsForItsClientOnlyAMoment) {
  hello();
  session_->drain();
  (void)sent();
  EXPECT_FALSE(wire_.closed);
  session_->on_timeout(Errc::kIdleTimeout);
  EXPECT_EQ(sent(), "GOAWAY 0 0\n");
  EXPECT_TRUE(wire_.closed);
}

TEST_F(H2SessionTest, LongStreamsAreToldOfTheDrain) {
  hello();
  (void)send(h2_get(1, "/1") + h2_get(3, "/3"));
  session_->notify_draining();
  EXPECT_EQ(script_.log, (Lines{"GET /1", "GET /3", "/1 draining", "/3 draining"}));
}

TEST_F(H2SessionTest, TheLimitOfRequestsOfAConnectionDrainsIt) {
  shared_.limits.requests_max = 2;
  answer_all();
  hello();
  EXPECT_EQ(send(h2_get(1)).find("GOAWAY"), std::string::npos);
  EXPECT_NE(send(h2_get(3)).find("GOAWAY 2147483647 0\n"), std::string::npos);
}

TEST_F(H2SessionTest, ACloseThatTheApplicationAsksForDrains) {
  const Field close[] = {{"Connection", "close"}};
  script_.act = [&](const Request&, Scripted& one) {
    ASSERT_TRUE(one.exchange->start({.fields = close}));
    ASSERT_TRUE(one.exchange->write(Payload::borrow("x"), Final::kYes));
  };
  hello();
  const std::string lines = send(h2_get(1));
  EXPECT_NE(lines.find("GOAWAY 2147483647 0\n"), std::string::npos);
  EXPECT_EQ(lines.find("connection"), std::string::npos);
}

TEST_F(H2SessionTest, ADeadConnectionEndsEveryExchangeOnce) {
  hello();
  (void)send(h2_get(1, "/1") + h2_get(3, "/3"));
  session_->on_closed(Errc::kReset);
  session_.reset();
  EXPECT_EQ(script_.log, (Lines{"GET /1", "GET /3", "/1 peer gone", "/3 peer gone"}));
  EXPECT_EQ(h2_.exchanges.alive(), 0U);
  EXPECT_EQ(shared_.admission.active(), 0U);
}

TEST_F(H2SessionTest, AClientThatEndsItsDirectionIsStillAnswered) {
  hello();
  (void)send(h2_get(1, "/1") + h2_post(3));
  wire_.end_input();
  EXPECT_TRUE(sent().starts_with("3 HEADERS :status=400 "));  // Its body will never be complete.
  session_->on_input_closed();
  EXPECT_EQ(script_.log.back(), "/1 input closed");
  EXPECT_FALSE(wire_.closed);
  script_.of("/1").answer("late");
  EXPECT_EQ(sent(), head(1, " content-length=4") + "1 DATA 4 END late\n");
  EXPECT_TRUE(wire_.closed);
}

TEST_F(H2SessionTest, AClientThatSaysGoodbyeIsServedToTheEnd) {
  hello();
  (void)send(h2_get(1) + h2_frame(7, 0, 0, h2_number(0, 4) + h2_number(0, 4)));
  EXPECT_FALSE(wire_.closed);
  script_.of("/").answer("x");
  EXPECT_EQ(sent(), head(1, " content-length=1") + "1 DATA 1 END x\n");
  EXPECT_TRUE(wire_.closed);
}

// What a recorder hears, a line each.
struct Listing final : Recorder {
  Token on_request(const Request& request, const Endpoints&,
                   std::chrono::nanoseconds waited) noexcept override {
    text += std::string{request.method} + ' ' + std::string{request.target} +
            (request.version == Version::kHttp2 ? " 2" : " ?");
    if (waited > 0s) text += " +" + std::to_string(waited / 1s) + 's';
    return nullptr;
  }
  Token on_refused(const PartialHead& head, const Endpoints&) noexcept override {
    text += "refused " + std::string{head.method} + ' ' + std::string{head.target};
    return nullptr;
  }
  void on_response(Token, const Summary& summary) noexcept override {
    constexpr const char* kOutcomes[] = {" complete", " client-gone", " aborted"};
    text += ' ' + std::to_string(summary.status) + ' ' + std::to_string(summary.body_bytes) +
            kOutcomes[static_cast<int>(summary.outcome)];
    if (summary.error) text += ' ' + std::string{info(*summary.error).name};
    text += '\n';
  }
  std::string text;
};

TEST_F(H2SessionTest, TheRecordNamesEveryRequest) {
  Listing listing;
  shared_.recorder = &listing;
  shared_.limits.body_bytes_max = 10;
  answer_all();
  hello();
  (void)send(h2_get(1, "/a") + h2_post(3, {{"content-length", "11"}}) + h2_post(5, {{"Bad", "x"}}) +
             h2_post(7, {{"expect", "tea"}}));
  const auto bytes = [](Errc error) { return std::to_string(info(error).text.size() + 1); };
  EXPECT_EQ(listing.text, "GET /a 2 200 5 complete\nPOST / 2 413 " + bytes(Errc::kBodyTooLarge) +
                              " complete BodyTooLarge\nrefused POST / 0 0 aborted BadField\n" +
                              "refused POST / 417 " + bytes(Errc::kBadExpectation) +
                              " complete BadExpectation\n");
}

TEST_F(H2SessionTest, TheRecordTellsAClientThatLeftFromOneThatIsCutOff) {
  Listing listing;
  shared_.recorder = &listing;
  const auto says = [&](const auto& end) {
    make_session();
    hello();
    (void)send(h2_post(1, {{"content-length", "9"}}));
    listing.text.clear();
    end();
    return listing.text;
  };
  const auto begin = [&] {
    ASSERT_TRUE(script_.of("/").exchange->start({}));
    ASSERT_TRUE(script_.of("/").exchange->write(Payload::borrow("x"), Final::kNo));
  };
  EXPECT_EQ(says([&] { (void)send(h2_reset(1)); }), " 0 0 client-gone\n");
  EXPECT_EQ(says([&] { session_->on_closed(Errc::kReset); }), " 0 0 client-gone\n");
  EXPECT_EQ(says([&] { session_->on_closed(Errc::kDraining); }), " 0 0 aborted Draining\n");
  EXPECT_EQ(says([&] { session_->on_timeout(Errc::kWriteTimeout); }),
            " 0 0 aborted WriteTimeout\n");
  EXPECT_EQ(says([&] {
              begin();
              session_->on_timeout(Errc::kRequestTimeout);
            }),
            " 200 1 aborted RequestTimeout\n");
  EXPECT_EQ(says([&] { session_->on_timeout(Errc::kRequestTimeout); }),
            " 503 47 complete RequestTimeout\n");
  EXPECT_EQ(script_.log.back(), "/ aborted");  // Whoever was answered for.
  // The stream and the connection end for what the client sent.
  EXPECT_EQ(says([&] { (void)send(h2_data(1, "1234567890")); }), " 0 0 aborted BadContentLength\n");
  EXPECT_EQ(says([&] { (void)send(h2_window_update(1, 0)); }), " 0 0 aborted BadFrame\n");
  EXPECT_EQ(says([&] { (void)send(h2_frame(6, 0, 1, "12345678")); }), " 0 0 aborted BadFrame\n");
  EXPECT_EQ(says([&] {
              wire_.under_pressure = true;
              for (int i = 0; i < 3000 && !wire_.closed; ++i) wire_.receive(test::h2_ping());
              wire_.under_pressure = false;
            }),
            "refused   0 0 aborted Flooded\n 0 0 aborted Flooded\n");
}

TEST_F(H2SessionTest, TheRecordCountsTheWaitForATurn) {
  Listing listing;
  shared_.recorder = &listing;
  answer_all();
  shared_.admission.limit(1, 2);
  ASSERT_TRUE(shared_.admission.try_enter());
  hello();
  (void)send(h2_get(1, "/served") + h2_get(3, "/left") + h2_get(5, "/refused"));
  wire_.time += 3s;
  (void)send(h2_reset(3));
  shared_.admission.leave();
  wire_.run();
  EXPECT_EQ(listing.text,
            "GET /refused 2 503 50 complete Overloaded\n"
            "GET /left 2 +3s 0 0 client-gone\n"
            "GET /served 2 +3s 200 5 complete\n");

  listing.text.clear();
  ASSERT_TRUE(shared_.admission.try_enter());
  (void)send(h2_get(7, "/late"));
  wire_.time += 1h;
  session_->on_tick(wire_.time);
  EXPECT_EQ(listing.text, "GET /late 2 +3600s 503 50 complete Overloaded\n");
  shared_.admission.leave();
}

// --- tunnels: RFC 8441

const FieldList kConnect{{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"},
                         {":path", "/chat"},     {":authority", "a"},        {"x", "y"}};

TEST_F(H2SessionTest, AnExtendedConnectBecomesATunnel) {
  Listing listing;
  shared_.recorder = &listing;
  const Field fields[] = {{"sec-websocket-accept", "x"}, {"sec-websocket-protocol", "chat"}};
  script_.act = [&](const Request& request, Scripted& one) {
    EXPECT_EQ(request.protocol, "websocket");
    EXPECT_FALSE(request.has_body);
    one.read();
    EXPECT_EQ(script_.log.back(), "/chat end");
    ASSERT_TRUE(one.exchange->start({.status = 101, .fields = fields}));
  };
  hello();
  EXPECT_EQ(send(h2_headers(1, kConnect, kEndHeaders) + h2_data(1, "early")),
            head(1, " sec-websocket-protocol=chat"));
  Scripted& one = script_.of("/chat");
  EXPECT_EQ(session_->waiting_since(), 0s);
  one.read();
  EXPECT_EQ(one.body, "early");
  ASSERT_TRUE(one.exchange->write(Payload::borrow("ours"), Final::kNo));
  EXPECT_EQ(sent(), "1 DATA 4 ours\n");
  wire_.time += 1h;
  session_->on_tick(wire_.time);
  (void)send(h2_data(1, "theirs", kEndStream));
  EXPECT_EQ(one.body, "earlytheirs");
  EXPECT_EQ(script_.log.back(), "/chat end");
  ASSERT_TRUE(one.exchange->write(Payload::borrow(""), Final::kYes));
  EXPECT_EQ(sent(), "1 DATA 0 END\n");
  EXPECT_EQ(h2_.exchanges.alive(), 0U);
  // As it went over the wire.
  EXPECT_EQ(listing.text, "CONNECT /chat 2 200 4 complete\n");
}

TEST_F(H2SessionTest, ATunnelMayBeDenied) {
  answer_all("no");
  hello();
  EXPECT_EQ(send(h2_headers(1, kConnect, kEndHeaders)),
            head(1, " content-length=2") + "1 DATA 2 END no\n1 RST_STREAM 0\n");
}

TEST_F(H2SessionTest, OtherTunnelsAreNotOffered) {
  hello();
  FieldList other = kConnect;
  other[1].second = "connect-udp";
  EXPECT_TRUE(send(h2_headers(1, other, kEndHeaders)).starts_with("1 HEADERS :status=501 "));
  EXPECT_TRUE(send(h2_headers(3, {{":method", "CONNECT"}, {":authority", "a:1"}}, kEndHeaders))
                  .starts_with("3 HEADERS :status=501 "));
  FieldList get = kConnect;
  get[0].second = "GET";
  EXPECT_EQ(send(h2_headers(5, get, kEndHeaders)), "5 RST_STREAM 1\n");
  FieldList no_path = kConnect;
  no_path.erase(no_path.begin() + 3);
  EXPECT_EQ(send(h2_headers(7, no_path, kEndHeaders)), "7 RST_STREAM 1\n");
}

TEST_F(H2SessionTest, AHandlerMayEndOtherStreamsFromInsideItsOwn) {
  hello();
  (void)send(h2_get(1, "/1") + h2_get(3, "/3"));
  script_.act = [this](const Request&, Scripted& one) {
    script_.of("/1").exchange->abort(Errc::kHandlerFailed);
    script_.of("/3").answer("three");
    one.answer("five");
  };
  const std::string lines = send(h2_get(5, "/5"));
  EXPECT_NE(lines.find("1 HEADERS :status=500"), std::string::npos);
  EXPECT_NE(lines.find("3 DATA 5 END three\n"), std::string::npos);
  EXPECT_NE(lines.find("5 DATA 4 END five\n"), std::string::npos);
  EXPECT_EQ(h2_.exchanges.alive(), 0U);
}

}  // namespace
}  // namespace tercel::http
