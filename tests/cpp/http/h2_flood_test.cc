// What a client may do often, but not without end. Source: RFC 9113 section 10.5.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "http/h2_fixture.h"

namespace tercel::http {
namespace {

using namespace std::chrono_literals;
using namespace test;

class H2FloodTest : public H2Fixture {
 protected:
  // Sends until the connection ends. How often it was sent by then; `max` when it did not end.
  int sends_until_goaway(int max, const std::function<std::string(int)>& make) {
    for (int i = 0; i < max; ++i) {
      last_lines_ = send(make(i));
      if (wire_.closed || wire_.was_reset) return i + 1;
    }
    return max;
  }
  std::string last_lines_;
  std::uint32_t next_id_ = 1;
};

std::uint32_t odd(int i) {
  return 2 * static_cast<std::uint32_t>(i) + 1;
}

TEST_F(H2FloodTest, RapidResetIsCutOffAfterItsBurst) {
  hello();
  const int count =
      sends_until_goaway(5000, [](int i) { return h2_get(odd(i)) + h2_reset(odd(i)); });
  EXPECT_EQ(count, 1001);
  EXPECT_NE(last_lines_.find(" 11\n"), std::string::npos) << last_lines_;
  EXPECT_EQ(shared_.admission.active(), 0U);
}

TEST_F(H2FloodTest, ResetsAtAnHonestRateGoOnForEver) {
  hello();
  const int count = sends_until_goaway(5000, [this](int i) {
    wire_.time += 50ms;
    return h2_get(odd(i)) + h2_reset(odd(i));
  });
  EXPECT_EQ(count, 5000);
}

// CVE-2025-8671: the client makes the server reset.
TEST_F(H2FloodTest, ResetsThatTheServerIsDrivenToCountAsTheClients) {
  const std::pair<const char*, std::function<std::string(std::uint32_t)>> kWays[] = {
      {"window overflow",
       [](std::uint32_t id) { return h2_post(id) + h2_window_update(id, 0x7fffffff); }},
      {"malformed fields",
       [](std::uint32_t id) {
         return h2_post(id, {{"Upper", "x"}});
       }},
      {"wrong length",
       [](std::uint32_t id) {
         return h2_post(id, {{"content-length", "1"}}) + h2_data(id, "ab", kEndStream);
       }},
      {"no fields", [](std::uint32_t id) { return h2_frame(1, 5, id, ""); }},
      {"trailers that are not the end",
       [](std::uint32_t id) {
         return h2_post(id) + h2_headers(id, {{"a", "b"}}, kEndHeaders);
       }},
  };
  for (const auto& [name, make] : kWays) {
    make_session();
    hello();
    EXPECT_EQ(sends_until_goaway(3000, [&make](int i) { return make(odd(i)); }), 1001) << name;
    EXPECT_NE(last_lines_.find(" 11\n"), std::string::npos) << name << ": " << last_lines_;
  }
}

TEST_F(H2FloodTest, MoreStreamsThanAllowedAreAnError) {
  h2_.options.streams_max = 2;
  make_session();
  hello();
  (void)send(h2_get(1, "/1") + h2_get(3, "/3"));
  EXPECT_EQ(script_.take_log(), (Lines{"GET /1", "GET /3"}));
  EXPECT_EQ(send(h2_get(5)), "GOAWAY 3 1\n");
}

TEST_F(H2FloodTest, AResetGivesNoPlaceBackWhileTheHandlerWorksOn) {
  h2_.options.streams_max = 2;
  make_session();
  hello();
  script_.act = [](const Request&, Scripted& one) { one.works_on = true; };
  (void)send(h2_get(1, "/1") + h2_get(3, "/3") + h2_reset(1) + h2_reset(3));
  EXPECT_EQ(script_.take_log(), (Lines{"GET /1", "GET /3", "/1 peer gone", "/3 peer gone"}));
  EXPECT_EQ(send(h2_get(5)), "5 RST_STREAM 7\n");
  script_.of("/1").place->leave();
  answer_all();
  EXPECT_EQ(send(h2_get(7)), head(7, " content-length=5") + "7 DATA 5 END hello\n");
  // And it may work on for longer than there is a connection.
  session_.reset();
  script_.of("/3").place->leave();
}

TEST_F(H2FloodTest, StreamsThatAreRefusedCountAsResets) {
  h2_.options.streams_max = 1;
  make_session();
  hello();
  script_.act = [](const Request&, Scripted& one) { one.works_on = true; };
  (void)send(h2_get(1, "/1") + h2_reset(1));
  EXPECT_EQ(send(h2_get(3)), "3 RST_STREAM 7\n");
  const int count = sends_until_goaway(3000, [](int i) { return h2_get(odd(i) + 4); });
  EXPECT_NEAR(count, 1000, 2);
  EXPECT_NE(last_lines_.find(" 11\n"), std::string::npos) << last_lines_;
  script_.of("/1").place->leave();
}

TEST_F(H2FloodTest, AHeaderBlockOfManyFramesEndsTheConnection) {
  hello();
  std::string block = h2_frame(1, kEndStream, 1, h2_block({{":method", "GET"}}));
  for (int i = 0; i < 8; ++i) block += h2_frame(9, 0, 1, "");
  EXPECT_EQ(send(block.substr(0, block.size() - 9)), "");
  EXPECT_EQ(send(block.substr(block.size() - 9)), "GOAWAY 0 11\n");
  EXPECT_TRUE(script_.log.empty());
}

TEST_F(H2FloodTest, EightContinuationsAreServed) {
  answer_all();
  hello();
  const std::string fields =
      h2_block({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}});
  std::string block = h2_frame(1, kEndStream, 1, fields.substr(0, 5));
  for (std::size_t i = 0; i < 8; ++i) {
    const std::size_t from = 5 + 3 * i;
    block += i < 7 ? h2_frame(9, 0, 1, fields.substr(from, 3))
                   : h2_frame(9, kEndHeaders, 1, fields.substr(from));
  }
  EXPECT_EQ(send(block), head(1, " content-length=5") + "1 DATA 5 END hello\n");
}

TEST_F(H2FloodTest, AHeaderBlockThatIsLargerThanItMayBecomeIsNotDecoded) {
  shared_.limits.head_bytes_max = 20'000;
  make_session();
  hello();
  const std::string part(16'384, '\0');
  EXPECT_EQ(send(h2_frame(1, 0, 1, part)), "");
  EXPECT_EQ(send(h2_frame(9, 0, 1, part)), "GOAWAY 0 11\n");
}

// CVE-2016-6581, CVE-2026-49975: far below the limit of a head, and a thousand times its size on
// the wire.
TEST_F(H2FloodTest, AFieldOfTheTableIsNotToBeHadOverAndOver) {
  answer_all();
  hello();
  const FieldList fields{
      {":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}};
  const std::string value(1000, 'v');
  // A literal that the table keeps, as its entry 62.
  const std::string kept = std::string("\x40\x01x\x7f\xe9\x06", 6) + value;
  EXPECT_EQ(send(h2_frame(1, 5, 1, h2_block(fields) + kept)),
            head(1, " content-length=5") + "1 DATA 5 END hello\n");
  EXPECT_EQ(send(h2_frame(1, 5, 3, h2_block(fields) + std::string(7, '\xbe'))),
            head(3, " content-length=5") + "3 DATA 5 END hello\n");
  EXPECT_TRUE(send(h2_frame(1, 5, 5, h2_block(fields) + std::string(14, '\xbe')))
                  .starts_with("5 HEADERS :status=431 "));
}

// CVE-2026-49975: each field is a byte on the wire, and almost nothing decoded.
TEST_F(H2FloodTest, CrumbsOfOneByteAreAsManyAsFieldsMayBe) {
  answer_all();
  hello();
  const std::string block =
      h2_block({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}});
  const auto fields_max = static_cast<std::size_t>(shared_.limits.fields_max);
  // Entry 62: a cookie without a value. Entry 32 of the static table is one too.
  EXPECT_EQ(send(h2_frame(1, 5, 1,
                          block + std::string("\x40\x06"
                                              "cookie\x00",
                                              9))),
            head(1, " content-length=5") + "1 DATA 5 END hello\n");
  for (const char crumb : {'\xbe', '\xa0'}) {
    const auto with = [&](std::size_t count) { return block + std::string(count, crumb); };
    EXPECT_TRUE(
        send(h2_frame(1, 5, next_id_ += 2, with(fields_max + 1))).find(" HEADERS :status=431 ") !=
        std::string::npos);
    EXPECT_TRUE(send(h2_frame(1, 5, next_id_ += 2, with(16'000))).find(" HEADERS :status=431 ") !=
                std::string::npos);
    EXPECT_TRUE(send(h2_frame(1, 5, next_id_ += 2, with(8))).find(" HEADERS :status=200 ") !=
                std::string::npos);
  }
}

TEST_F(H2FloodTest, ATableThatChangesItsSizeInEachBlockCostsNoMoreThanItsRequests) {
  answer_all();
  hello({{1, 0xffffffff}});
  const std::string block =
      h2_block({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}});
  for (int i = 0; i < 1000; ++i) {
    const std::string lines = send(h2_frame(1, 5, odd(i), "\x20\x3f\xe1\x1f" + block));
    ASSERT_NE(lines.find(" HEADERS :status=200"), std::string::npos) << i;
  }
  // What is no field counts as bytes of the block.
  const std::string many(16'000, '\x20');
  EXPECT_EQ(send(h2_frame(1, 0, odd(1000), many)), "");
  std::string lines;
  for (int i = 0; i < 8 && !wire_.closed; ++i) lines += send(h2_frame(9, 0, odd(1000), many));
  EXPECT_EQ(lines, "GOAWAY 1999 11\n");
}

TEST_F(H2FloodTest, WhatCostsNothingToSendHasItsBudget) {
  int turn = 0;
  const std::pair<const char*, std::pair<int, std::function<std::string()>>> kFloods[] = {
      {"SETTINGS", {1001, [] { return h2_settings(); }}},
      {"PING", {1001, [] { return h2_ping(); }}},
      {"PRIORITY", {10'001, [] { return h2_frame(2, 0, 1, h2_number(0, 4) + '\0'); }}},
      // A tree that is turned over and over: CVE-2016-6580, CVE-2019-9513.
      {"PRIORITY that moves",
       {10'001,
        [&turn] {
          const std::uint32_t id = odd(++turn % 100);
          return h2_frame(2, 0, id, h2_number(0x80000000U | (id + 2), 4) + '\xff');
        }}},
      {"PRIORITY_UPDATE", {10'001, [] { return h2_frame(16, 0, 0, h2_number(1, 4) + "u=1"); }}},
      {"WINDOW_UPDATE", {10'065, [] { return h2_window_update(0, 1); }}},
      {"unknown", {10'001, [] { return h2_frame(99, 0, 0, "x"); }}},
  };
  for (const auto& [name, flood] : kFloods) {
    make_session();
    hello();
    const int count = sends_until_goaway(20'000, [&flood](int) { return flood.second(); });
    // The client's own SETTINGS were the first of the dear ones, and the answer to ours.
    EXPECT_LE(count, flood.first) << name;
    EXPECT_GE(count, flood.first - 12) << name;
    EXPECT_NE(last_lines_.find("GOAWAY 0 11\n"), std::string::npos) << name << ": " << last_lines_;
  }
}

TEST_F(H2FloodTest, WhoeverHadTooMuchIsInTheLogOnce) {
  struct Listing final : Recorder {
    Token on_request(const Request&, const Endpoints&, std::chrono::nanoseconds) noexcept override {
      return nullptr;
    }
    Token on_refused(const PartialHead&, const Endpoints&) noexcept override { return this; }
    void on_response(Token token, const Summary& summary) noexcept override {
      if (token == this) refused.push_back(summary.error.value_or(Errc::kClosed));
    }
    std::vector<Errc> refused;
  } listing;
  shared_.recorder = &listing;
  const std::string open_block = h2_frame(1, kEndStream, 1, h2_block({{":method", "GET"}}));
  const std::pair<const char*, std::function<std::string(int)>> kFloods[] = {
      {"PING", [](int) { return h2_ping(); }},
      {"empty DATA", [](int i) { return i == 0 ? h2_post(1) : h2_data(1, ""); }},
      {"resets", [](int i) { return h2_get(odd(i)) + h2_reset(odd(i)); }},
      {"CONTINUATION",
       [&open_block](int i) { return i == 0 ? open_block : h2_frame(9, 0, 1, ""); }},
  };
  for (const auto& [name, make] : kFloods) {
    make_session();
    hello();
    listing.refused.clear();
    (void)sends_until_goaway(20'000, make);
    EXPECT_EQ(listing.refused, std::vector<Errc>{Errc::kFlooded}) << name;
  }
}

TEST_F(H2FloodTest, EmptyDataHasItsBudget) {
  hello();
  (void)send(h2_post(1));
  EXPECT_NEAR(sends_until_goaway(20'000, [](int) { return h2_data(1, ""); }), 10'000, 12);
}

TEST_F(H2FloodTest, UpdatesThatAnswerDataCostNothing) {
  hello();
  (void)send(h2_get(1));
  Scripted& one = script_.of("/");
  ASSERT_TRUE(one.exchange->start({}));
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(one.exchange->write(Payload::borrow("x"), Final::kNo));
    ASSERT_EQ(send(h2_window_update(1, 1) + h2_window_update(0, 1)).find("GOAWAY"),
              std::string::npos);
  }
}

TEST_F(H2FloodTest, AnswersThatNobodyReadsEndTheConnection) {
  hello();
  wire_.under_pressure = true;
  int count = 0;
  for (; count < 3000 && !wire_.closed && !wire_.was_reset; ++count) {
    wire_.time += 100ms;  // At a rate that is fine.
    wire_.receive(h2_ping());
  }
  EXPECT_GE(count, 1000);
  EXPECT_LE(count, 1005);
}

TEST_F(H2FloodTest, UnreadAnswersToRequestsAreAsManyAsThereAreStreams) {
  answer_all();
  hello();
  wire_.under_pressure = true;
  for (int i = 0; i < 300; ++i) wire_.receive(h2_get(odd(i)));
  EXPECT_EQ(script_.log.size(), 200U);  // A line for the begin and one for the end of each.
  session_->on_timeout(Errc::kWriteTimeout);
  EXPECT_TRUE(wire_.was_reset);
  EXPECT_EQ(h2_.exchanges.alive(), 0U);
}

}  // namespace
}  // namespace tercel::http
