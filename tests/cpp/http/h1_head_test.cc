#include "tercel/http/h1_head.h"

#include <string>

#include <gtest/gtest.h>

#include "http/h1_input.h"

namespace tercel::http {
namespace {

const Limits kLimits;

std::string describe(const HeadResult& head) {
  std::string text;
  const auto add = [&text](std::string_view name, std::string_view value) {
    text.append(name).append("=").append(value).append("\n");
  };
  const Request& request = head.request;
  add("method", request.method);
  add("target", request.target);
  add("path", request.path);
  add("query", request.query);
  add("authority", request.authority);
  add("version", request.version == Version::kHttp10 ? "1.0" : "1.1");
  for (const Field& field : request.fields) add(field.name, field.value);
  if (request.content_length) add("length", std::to_string(*request.content_length));
  add("framing", std::to_string(static_cast<int>(head.framing)));
  add("bytes", std::to_string(head.bytes));
  if (request.has_body) text += "has_body\n";
  if (request.accepts_trailers) text += "accepts_trailers\n";
  if (head.keep_alive) text += "keep_alive\n";
  if (head.expects_continue) text += "expects_continue\n";
  if (head.wants_upgrade) text += "wants_upgrade\n";
  return text;
}

std::string verdict(const HeadResult& head) {
  if (head.status == HeadStatus::kNeedMore) return "need more";
  if (head.status == HeadStatus::kBad) return std::string{info(head.error).name};
  return describe(head);
}

// Presents `input` up to `cut`, then all of it.
std::string parse_cut_at(std::size_t cut, std::string_view input, const Limits& limits) {
  static HeadBuffer fields;
  ExactBytes first{input.substr(0, cut)};
  HeadResult head = parse_request_head(first.span(), 0, limits, fields);
  if (head.status != HeadStatus::kNeedMore) return verdict(head);
  std::string again{first.span().begin(), first.span().end()};  // With names turned to lower case.
  ExactBytes both{again.append(input.substr(cut))};
  return verdict(parse_request_head(both.span(), cut, limits, fields));
}

std::string parse_byte_by_byte(std::string_view input, const Limits& limits) {
  static HeadBuffer fields;
  std::string arrived;
  for (std::size_t size = 1; size <= input.size(); ++size) {
    ExactBytes bytes{arrived.append(input.substr(size - 1, 1))};
    const HeadResult head = parse_request_head(bytes.span(), size - 1, limits, fields);
    if (head.status != HeadStatus::kNeedMore) return verdict(head);
    arrived.assign(bytes.span().begin(), bytes.span().end());
  }
  return "need more";
}

// The verdict on `input`, which must not depend on how it arrives: except that a line known to be
// bad before it ends may be found so only when it ends, if its parts come alone.
std::string parse(std::string_view input, const Limits& limits = kLimits) {
  const std::string whole = parse_cut_at(input.size(), input, limits);
  const auto agrees = [&](const std::string& split) {
    return split == whole || (split == "need more" && !input.ends_with('\n'));
  };
  EXPECT_PRED1(agrees, parse_byte_by_byte(input, limits)) << input;
  for (std::size_t cut = 0; cut < input.size(); ++cut) {
    EXPECT_PRED1(agrees, parse_cut_at(cut, input, limits)) << input << " cut at " << cut;
  }
  return whole;
}

std::string get_with(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n";
}

TEST(ParseRequestHeadTest, ReadsEveryPartOfARequest) {
  EXPECT_EQ(parse("\r\nPOST /a%20b/c?d=e?f HTTP/1.1\r\nHost:  example.org:80 \r\n"
                  "X-Empty:\r\nX-Text: two words\t\xe9 \r\nContent-Length: 12\r\n\r\nbody"),
            "method=POST\ntarget=/a%20b/c?d=e?f\npath=/a%20b/c\nquery=d=e?f\n"
            "authority=example.org:80\nversion=1.1\nhost=example.org:80\nx-empty=\n"
            "x-text=two words\t\xe9\ncontent-length=12\nlength=12\nframing=1\nbytes=110\n"
            "has_body\nkeep_alive\n");
}

TEST(ParseRequestHeadTest, AsksForMoreUntilTheLastByte) {
  const std::string head = get_with("Accept: */*\r\n");
  for (std::size_t size = 0; size < head.size(); ++size) {
    EXPECT_EQ(parse_cut_at(size, head.substr(0, size), kLimits), "need more");
  }
}

TEST(ParseRequestHeadTest, RefusesWhatCannotBeginARequestAtOnce) {
  EXPECT_EQ(parse("\x16"), "BadRequestLine");
  EXPECT_EQ(parse("\n"), "BadRequestLine");
  EXPECT_EQ(parse("\r\n\r"), "BadRequestLine");
  EXPECT_EQ(parse(get_with("a\n")), "BadField");
}

TEST(ParseRequestHeadTest, HoldsHeadsToTheirLimits) {
  const Limits limits{.target_bytes_max = 8, .head_bytes_max = 64, .fields_max = 2};
  EXPECT_EQ(parse("GET /2345678 HTTP/1.1\r\nHost: a\r\n\r\n", limits).substr(0, 10), "method=GET");
  EXPECT_EQ(parse("GET /23456789 HTTP/1.1\r\nHost: a\r\n\r\n", limits), "TargetTooLong");
  EXPECT_EQ(parse("GET /234567890", limits), "TargetTooLong");
  EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost: a\r\na:\r\nb:\r\n\r\n", limits), "TooManyFields");
  EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost: a\r\nb: " + std::string(64, 'c'), limits),
            "HeadTooLarge");
}

}  // namespace
}  // namespace tercel::http
