#include "tercel/http/h1_response.h"

#include <string>

#include <gtest/gtest.h>

#include "http/h1_input.h"

namespace tercel::http {
namespace {

const Limits kLimits;

std::string describe(const ResponseHead& head) {
  if (head.verdict == HeadStatus::kNeedMore) return "need more";
  if (head.verdict == HeadStatus::kBad) return std::string{info(head.error).name};
  static constexpr std::string_view kFramings[] = {"none", "length", "chunked", "close"};
  std::string text = std::to_string(head.status) + " " + std::string{head.reason};
  text += head.version == Version::kHttp10 ? " 1.0 " : " 1.1 ";
  text += kFramings[static_cast<int>(head.framing)];
  if (head.content_length) text += "=" + std::to_string(*head.content_length);
  if (head.keep_alive) text += " keep";
  for (const Field& field : head.fields) {
    text.append("\n").append(field.name).append("=").append(field.value);
  }
  return text + "\n" + std::to_string(head.bytes);
}

std::string parse_cut_at(std::size_t cut, std::string_view input, const Limits& limits,
                         AnswerTo request) {
  static HeadBuffer fields;
  ExactBytes first{input.substr(0, cut)};
  ResponseHead head = parse_response_head(first.span(), 0, request, limits, fields);
  if (head.verdict != HeadStatus::kNeedMore) return describe(head);
  std::string again{first.span().begin(), first.span().end()};
  ExactBytes both{again.append(input.substr(cut))};
  return describe(parse_response_head(both.span(), cut, request, limits, fields));
}

std::string parse_byte_by_byte(std::string_view input, const Limits& limits, AnswerTo request) {
  static HeadBuffer fields;
  std::string arrived;
  for (std::size_t size = 1; size <= input.size(); ++size) {
    ExactBytes bytes{arrived.append(input.substr(size - 1, 1))};
    const ResponseHead head = parse_response_head(bytes.span(), size - 1, request, limits, fields);
    if (head.verdict != HeadStatus::kNeedMore) return describe(head);
    arrived.assign(bytes.span().begin(), bytes.span().end());
  }
  return "need more";
}

// What the parser makes of `input`, however it is cut.
std::string parse(std::string_view input, AnswerTo request = AnswerTo::kOther,
                  const Limits& limits = kLimits) {
  const std::string whole = parse_cut_at(input.size(), input, limits, request);
  for (std::size_t cut = 0; cut < input.size(); ++cut) {
    EXPECT_EQ(parse_cut_at(cut, input, limits, request), whole) << "cut at " << cut;
  }
  EXPECT_EQ(parse_byte_by_byte(input, limits, request), whole);
  return whole;
}

// The first line of the verdict on a response with these fields.
std::string framing(std::string_view fields, std::string_view status_line = "HTTP/1.1 200 OK",
                    AnswerTo request = AnswerTo::kOther) {
  std::string input{status_line};
  input.append("\r\n").append(fields).append("\r\n");
  const std::string verdict = parse(input, request);
  return verdict.substr(0, verdict.find('\n'));
}

TEST(H1ResponseTest, ReadsAHead) {
  EXPECT_EQ(parse("HTTP/1.1 206 Partial Content\r\nETag: \"a\"\r\nContent-Length:  3 \r\n\r\nabc"),
            "206 Partial Content 1.1 length=3 keep\netag=\"a\"\ncontent-length=3\n64");
}

TEST(H1ResponseTest, AReasonMayBeMissingOrStrange) {
  EXPECT_EQ(framing("", "HTTP/1.1 200 "), "200  1.1 close");
  EXPECT_EQ(framing("", "HTTP/1.1 200"), "200  1.1 close");
  EXPECT_EQ(framing("", "HTTP/1.1 200 \xc3\xa4\tb"), "200 \xc3\xa4\tb 1.1 close");
  EXPECT_EQ(framing("", "HTTP/1.1 200 a\x01"), "BadRequestLine");
}

TEST(H1ResponseTest, RefusesOtherStatusLines) {
  for (const auto* line :
       {"HTTP/1.1  200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "http/1.1 200 OK",
        "HTTP/1.1\t200 OK", "HTTP/11 200 OK", "200 OK", " HTTP/1.1 200 OK", "HTTP/1.1 200\tOK",
        "ICY 200 OK", "\r\nHTTP/1.1 200 OK"}) {
    EXPECT_EQ(framing("", line), "BadRequestLine") << line;
  }
  EXPECT_EQ(framing("", "HTTP/2.0 200 OK"), "BadVersion");
  EXPECT_EQ(framing("", "HTTP/0.9 200 OK"), "BadVersion");
  for (const auto* line : {"HTTP/1.1 000 A", "HTTP/1.1 099 A", "HTTP/1.1 600 A", "HTTP/1.1 999 A",
                           "HTTP/1.1 101 Switching Protocols"}) {
    EXPECT_EQ(framing("", line), "BadResponseStatus") << line;
  }
}

TEST(H1ResponseTest, OnlyCrlfEndsALine) {
  EXPECT_EQ(parse("HTTP/1.1 200 OK\n\n"), "BadRequestLine");
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\na: b\n\r\n"), "BadField");
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\na: b\rc\r\n\r\n"), "BadField");
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n"), "BadField");
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\na : b\r\n\r\n"), "BadField");
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\na: b\r\n"), "need more");
}

// RFC 9112 section 6.3, in its order.
TEST(H1ResponseTest, KnowsHowTheBodyEnds) {
  const auto* const kFive = "Content-Length: 5\r\n";
  const auto* const kChunked = "Transfer-Encoding: Chunked\r\n";
  EXPECT_EQ(framing(kFive), "200 OK 1.1 length=5 keep");
  EXPECT_EQ(framing("Content-Length: 0\r\n"), "200 OK 1.1 length=0 keep");
  EXPECT_EQ(framing(kChunked), "200 OK 1.1 chunked keep");
  EXPECT_EQ(framing(""), "200 OK 1.1 close");
  EXPECT_EQ(framing(kFive, "HTTP/1.1 200 OK", AnswerTo::kHead), "200 OK 1.1 none=5 keep");
  EXPECT_EQ(framing(kChunked, "HTTP/1.1 200 OK", AnswerTo::kHead), "200 OK 1.1 none keep");
  EXPECT_EQ(framing("", "HTTP/1.1 200 OK", AnswerTo::kHead), "200 OK 1.1 none keep");
  EXPECT_EQ(framing("", "HTTP/1.1 204 A"), "204 A 1.1 none keep");
  EXPECT_EQ(framing(kFive, "HTTP/1.1 304 A"), "304 A 1.1 none=5 keep");
  EXPECT_EQ(framing("", "HTTP/1.1 100 A"), "100 A 1.1 none keep");
  EXPECT_EQ(framing(kFive, "HTTP/1.1 205 A"), "205 A 1.1 length=5 keep");
}

// Nothing but the connection ends what follows, whatever the head says.
TEST(H1ResponseTest, WhoAskedForAnUpgradeGets101) {
  constexpr std::string_view kSwitch = "HTTP/1.1 101 Switching";
  constexpr auto kUpgrade = AnswerTo::kUpgrade;
  EXPECT_EQ(framing("Upgrade: websocket\r\n", kSwitch, kUpgrade), "101 Switching 1.1 close");
  EXPECT_EQ(framing("Content-Length: 5\r\n", kSwitch, kUpgrade), "101 Switching 1.1 close=5");
  EXPECT_EQ(framing("Upgrade: websocket\r\n", kSwitch, AnswerTo::kHead), "BadResponseStatus");
  EXPECT_EQ(framing("", "HTTP/1.1 103 A", kUpgrade), "103 A 1.1 none keep");
  EXPECT_EQ(framing("Content-Length: 5\r\n", "HTTP/1.1 200 OK", kUpgrade),
            "200 OK 1.1 length=5 keep");
}

// The body that they announce may come, and be read as the next response.
TEST(H1ResponseTest, ASizeWhereNoneMayBeEndsTheConnection) {
  EXPECT_EQ(framing("Content-Length: 5\r\n", "HTTP/1.1 204 A"), "204 A 1.1 none=5");
  EXPECT_EQ(framing("Content-Length: 0\r\n", "HTTP/1.1 204 A"), "204 A 1.1 none=0 keep");
  EXPECT_EQ(framing("Transfer-Encoding: chunked\r\n", "HTTP/1.1 204 A"), "204 A 1.1 none");
  EXPECT_EQ(framing("Content-Length: 5\r\n", "HTTP/1.1 102 A"), "102 A 1.1 none=5");
}

TEST(H1ResponseTest, RefusesSizesOfTwoMeanings) {
  EXPECT_EQ(framing("Content-Length: 5\r\nContent-Length: 5\r\n"), "BadContentLength");
  EXPECT_EQ(framing("Content-Length: 5, 5\r\n"), "BadContentLength");
  EXPECT_EQ(framing("Content-Length: +5\r\n"), "BadContentLength");
  EXPECT_EQ(framing("Content-Length: 0x5\r\n"), "BadContentLength");
  EXPECT_EQ(framing("Content-Length:\r\n"), "BadContentLength");
  EXPECT_EQ(framing("Content-Length: 99999999999999999999\r\n"), "BodyTooLarge");
  EXPECT_EQ(framing("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "LengthConflict");
  EXPECT_EQ(framing("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), "LengthConflict");
  EXPECT_EQ(framing("Transfer-Encoding: gzip, chunked\r\n"), "BadTransferEncoding");
  EXPECT_EQ(framing("Transfer-Encoding: identity\r\n"), "BadTransferEncoding");
  EXPECT_EQ(framing("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
            "BadTransferEncoding");
  EXPECT_EQ(framing("Transfer-Encoding: chunked\r\n", "HTTP/1.0 200 OK"), "BadTransferEncoding");
  // Also where they do not count.
  EXPECT_EQ(framing("Content-Length: x\r\n", "HTTP/1.1 304 A"), "BadContentLength");
}

TEST(H1ResponseTest, KnowsWhetherTheConnectionStays) {
  const std::string five = "Content-Length: 5\r\n";
  EXPECT_EQ(framing(five + "Connection: close\r\n"), "200 OK 1.1 length=5");
  EXPECT_EQ(framing(five + "Connection: x, Close\r\n"), "200 OK 1.1 length=5");
  EXPECT_EQ(framing(five, "HTTP/1.0 200 OK"), "200 OK 1.0 length=5");
  EXPECT_EQ(framing(five + "Connection: keep-alive\r\n", "HTTP/1.0 200 OK"),
            "200 OK 1.0 length=5 keep");
  EXPECT_EQ(framing("Connection: keep-alive\r\n"), "200 OK 1.1 close");
}

// The rules of requests alone: these say nothing here.
TEST(H1ResponseTest, OtherFieldsAreNotItsConcern) {
  EXPECT_EQ(framing("Content-Length: 0\r\nHost: ///\r\nHost: b\r\nExpect: x\r\nUpgrade: h2c\r\n"),
            "200 OK 1.1 length=0 keep");
}

TEST(H1ResponseTest, HoldsTheLimits) {
  const Limits limits{.head_bytes_max = 64, .fields_max = 2};
  const std::string line = "HTTP/1.1 200 OK\r\n";
  EXPECT_EQ(parse(line + "a:\r\nb:\r\nc:\r\n\r\n", AnswerTo::kOther, limits), "TooManyFields");
  EXPECT_EQ(parse(line + "a:" + std::string(100, 'b'), AnswerTo::kOther, limits), "HeadTooLarge");
  EXPECT_EQ(parse("HTTP/1.1 200 " + std::string(100, 'b'), AnswerTo::kOther, limits),
            "HeadTooLarge");
}

}  // namespace
}  // namespace tercel::http
