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
  if (!request.protocol.empty()) add("protocol", request.protocol);
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
  const bool late = !whole.starts_with("method=") && !input.ends_with('\n');
  const auto agrees = [&](const std::string& split) {
    return split == whole || (late && split == "need more");
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

std::string request_line(std::string_view line) {
  return std::string{line} + "\r\nHost: a\r\n\r\n";
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string with_byte(std::string_view before, char byte, std::string_view after) {
  return std::string{before}.append(1, byte).append(after);
}

constexpr std::string_view kTokenOthers = "!#$%&'*+-.^_`|~";

bool is_token_byte(char c) {
  const bool alphanumeric =
      (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return alphanumeric || (c != '\0' && kTokenOthers.find(c) != std::string_view::npos);
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

TEST(ParseRequestHeadTest, GivesViewsIntoTheBytes) {
  std::string bytes = get_with("X-Name: value\r\n");
  HeadBuffer fields;
  const HeadResult head = parse_request_head(bytes, 0, kLimits, fields);
  ASSERT_EQ(head.status, HeadStatus::kDone);
  EXPECT_EQ(head.request.fields.data(), fields.fields.data());
  EXPECT_EQ(head.request.fields[1].name.data(), &bytes[bytes.find("x-name")]);
  EXPECT_EQ(head.request.fields[1].value.data(), &bytes[bytes.find("value")]);
  EXPECT_EQ(head.request.path.data(), &bytes[bytes.find('/')]);
}

TEST(ParseRequestHeadTest, WritesNothingButFieldNamesInLowerCase) {
  std::string bytes =
      "OPTIONS /UP?UP HTTP/1.1\r\nHOST: UP\r\nX-LONGER-THAN-SIXTEEN: UP\r\n\r\nUP: UP";
  HeadBuffer fields;
  const std::string first = verdict(parse_request_head(bytes, 0, kLimits, fields));
  EXPECT_EQ(bytes,
            "OPTIONS /UP?UP HTTP/1.1\r\nhost: UP\r\nx-longer-than-sixteen: UP\r\n\r\nUP: UP");
  EXPECT_EQ(verdict(parse_request_head(bytes, 0, kLimits, fields)), first);
}

TEST(ParseRequestHeadTest, LeavesThePipelinedRequestAlone) {
  const std::string one = get_with("");
  EXPECT_EQ(parse(one + one), parse(one));
}

TEST(ParseRequestHeadTest, SkipsOneEmptyLine) {
  EXPECT_TRUE(contains(parse("\r\n" + get_with("")), "bytes=29\n"));
  EXPECT_EQ(parse("\r\n\r\n" + get_with("")), "BadRequestLine");
  EXPECT_EQ(parse("\n" + get_with("")), "BadRequestLine");
  EXPECT_EQ(parse("\r" + get_with("")), "BadRequestLine");
  EXPECT_EQ(parse(" \r\n" + get_with("")), "BadRequestLine");
}

TEST(ParseRequestHeadTest, RefusesWhatCannotBeginARequestAtOnce) {
  for (std::string_view start : {"\x16", "\n", "\r\n\r", "\r\r", " ", "G\x80", "GET\t", "GET /\x01",
                                 "GET / HTTP/1.1\n", "GET / HTTP/x", "GET / http"}) {
    EXPECT_TRUE(contains(parse(start), "Bad")) << start;
  }
  for (std::string_view field : {"a b", "a\r", "a\n", ":", " a", "a: \x01", "a: b\n", "a: b\rc"}) {
    EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost: a\r\n" + std::string{field}), "BadField") << field;
  }
}

// What the caller saw without a line end was judged already: only new bytes are searched.
TEST(ParseRequestHeadTest, DoesNotLookAgainWithoutANewLineEnd) {
  std::string bytes = "GET / HTTP/1.1\r\nno colon";
  HeadBuffer fields;
  EXPECT_EQ(parse_request_head(bytes, 18, kLimits, fields).status, HeadStatus::kNeedMore);
  EXPECT_EQ(parse_request_head(bytes, 15, kLimits, fields).status, HeadStatus::kBad);
  // Nor where the limit of the target was passed before.
  const Limits limits{.target_bytes_max = 100};
  bytes = "\x16" + std::string(200, 'a');
  EXPECT_EQ(parse_request_head(bytes, 150, limits, fields).status, HeadStatus::kNeedMore);
  EXPECT_EQ(parse_request_head(bytes, 100, limits, fields).status, HeadStatus::kBad);
}

TEST(RequestLineTest, PassesUpperCaseMethodsThrough) {
  for (std::string_view method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
                                  "PROPFIND", "M-SEARCH", "G", "FROBNICATE", "A1!#$%&'*+-.^_`|~"}) {
    EXPECT_TRUE(contains(parse(request_line(std::string{method} + " / HTTP/1.1")),
                         "method=" + std::string{method} + "\n"));
  }
}

TEST(RequestLineTest, RefusesMethodsItDoesNotImplement) {
  for (std::string_view method :
       {"get", "Get", "GEt", "CONNECT", "TRACE", "GETa", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG"}) {
    EXPECT_EQ(parse(request_line(std::string{method} + " / HTTP/1.1")), "BadMethod") << method;
  }
  EXPECT_EQ(parse("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"), "BadMethod");
  EXPECT_EQ(parse(std::string(40, 'A')), "BadMethod");
  EXPECT_TRUE(contains(parse(request_line(std::string(32, 'A') + " / HTTP/1.1")), "method=AAAA"));
}

TEST(RequestLineTest, JudgesEveryByteOfAMethod) {
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const std::string got = parse(with_byte("GE", c, "T / HTTP/1.1\r\nHost: a\r\n\r\n"));
    if (c == ' ') continue;  // Ends the method: the target is the matter then.
    const bool lower = c >= 'a' && c <= 'z';
    EXPECT_EQ(got.substr(0, 7), lower ? "BadMeth" : is_token_byte(c) ? "method=" : "BadRequ") << i;
  }
}

TEST(RequestLineTest, WantsSingleSpaces) {
  for (std::string_view line :
       {" GET / HTTP/1.1", "GET  / HTTP/1.1", "GET\t/\tHTTP/1.1", "GET /  HTTP/1.1",
        "GET / HTTP/1.1 ", "GET / HTTP/1.1\t", "GET /\rx HTTP/1.1", "GET HTTP/1.1", "GET /", "GET",
        "GET ", "GET / ", "GET / x HTTP/1.1", "\tGET / HTTP/1.1"}) {
    EXPECT_TRUE(contains(parse(request_line(line)), "Bad")) << line;
  }
}

TEST(RequestLineTest, JudgesEveryByteOfATarget) {
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    if (c == ' ' || c == '%') continue;
    const bool good = i > 0x20 && i < 0x7f && c != '#' && c != '\\';
    for (const std::string_view path : {"/", "/a-path-of-sixteen-bytes/and/more?query="}) {
      const std::string got =
          parse(with_byte("GET " + std::string{path}, c, " HTTP/1.1\r\nHost: a\r\n\r\n"));
      EXPECT_EQ(contains(got, "method=GET"), good) << i;
      EXPECT_EQ(contains(got, "Bad"), !good) << i;
    }
  }
}

TEST(RequestLineTest, WantsWholeEscapes) {
  for (std::string_view target :
       {"/%", "/%4", "/%4 1", "/%zz", "/%4z", "/a?%", "/a?b=%2", "/%%41"}) {
    EXPECT_EQ(parse(request_line("GET " + std::string{target} + " HTTP/1.1")), "BadTarget")
        << target;
  }
  EXPECT_TRUE(
      contains(parse(request_line("GET /%2f?%3F%00 HTTP/1.1")), "path=/%2f\nquery=%3F%00\n"));
}

TEST(RequestLineTest, SplitsTheTarget) {
  const auto parts = [](std::string_view target) {
    const std::string got = parse(request_line("GET " + std::string{target} + " HTTP/1.1"));
    const std::size_t begin = got.find("path=");
    return begin == std::string::npos ? got : got.substr(begin, got.find("version=") - begin);
  };
  EXPECT_EQ(parts("/"), "path=/\nquery=\nauthority=a\n");
  EXPECT_EQ(parts("/?"), "path=/\nquery=\nauthority=a\n");
  EXPECT_EQ(parts("//x/../y?a?b/c"), "path=//x/../y\nquery=a?b/c\nauthority=a\n");
  EXPECT_EQ(parts("http://b/x"), "path=/x\nquery=\nauthority=b\n");
  EXPECT_EQ(parts("HTTPS://b:8443"), "path=/\nquery=\nauthority=b:8443\n");
  EXPECT_EQ(parts("http://b?c/d"), "path=/\nquery=c/d\nauthority=b\n");
  EXPECT_EQ(parts("http://[::1]:80/x?http://y"), "path=/x\nquery=http://y\nauthority=[::1]:80\n");
  for (std::string_view bad : {"index.html", "a:80", "*", "?x", "http:/a", "http:a", "http://",
                               "http:///x", "http://:80/", "http://u@b/", "http://b:x/", "ftp://b/",
                               "http://b%zz/", "://b/", "x?http://b/", "*?x", "http?://b/"}) {
    EXPECT_EQ(parts(bad), "BadTarget") << bad;
  }
}

TEST(RequestLineTest, TakesTheAsteriskForOptionsOnly) {
  EXPECT_TRUE(contains(parse(request_line("OPTIONS * HTTP/1.1")), "path=*\nquery=\n"));
  EXPECT_EQ(parse(request_line("OPTIONS ** HTTP/1.1")), "BadTarget");
}

// RFC 9112 section 3.2.2: nobody is to route by the Host field of such a request.
TEST(RequestLineTest, AbsoluteTargetOverrulesTheHostField) {
  const std::string got = parse("GET http://b:1/ HTTP/1.1\r\nX: y\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(contains(got, "authority=b:1\n"));
  EXPECT_TRUE(contains(got, "x=y\nhost=b:1\n"));
}

// Applications find the host in that field, whatever the version.
TEST(RequestLineTest, AbsoluteTargetStandsForTheHostFieldThatHttp10MayLeaveOut) {
  const std::string got = parse("GET http://b:1/ HTTP/1.0\r\nX: y\r\n\r\n");
  EXPECT_TRUE(contains(got, "authority=b:1\n"));
  EXPECT_TRUE(contains(got, "x=y\nhost=b:1\n"));
  EXPECT_TRUE(contains(parse("GET http://b/ HTTP/1.0\r\nHost: a\r\n\r\n"), "host=b\n"));
  EXPECT_FALSE(contains(parse("GET / HTTP/1.0\r\nX: y\r\n\r\n"), "host="));
  // There is room for it behind as many fields as there may be.
  std::string head = "GET http://b/ HTTP/1.0\r\n";
  for (std::size_t i = 0; i < kFieldsMax; ++i) head += "x: y\r\n";
  Limits limits = kLimits;
  limits.fields_max = kFieldsMax;
  const std::string full = head + "\r\n";
  EXPECT_TRUE(contains(parse_cut_at(full.size(), full, limits), "x=y\nhost=b\n"));
  const std::string over = head + "x: y\r\n\r\n";
  EXPECT_EQ(parse_cut_at(over.size(), over, limits), "TooManyFields");
}

TEST(RequestLineTest, JudgesTheVersion) {
  const auto version = [](std::string_view text) {
    const std::string got = parse(request_line("GET / " + std::string{text}));
    const std::size_t begin = got.find("version=");
    return begin == std::string::npos ? got : got.substr(begin + 8, 3);
  };
  EXPECT_EQ(version("HTTP/1.1"), "1.1");
  EXPECT_EQ(version("HTTP/1.0"), "1.0");
  EXPECT_EQ(version("HTTP/1.2"), "1.1");  // RFC 9110 section 2.5.
  EXPECT_EQ(version("HTTP/1.9"), "1.1");
  for (std::string_view text : {"HTTP/2.0", "HTTP/0.9", "HTTP/9.9", "HTTP/0.0", "HTTP/3.1"}) {
    EXPECT_EQ(version(text), "BadVersion") << text;
  }
  for (std::string_view text :
       {"http/1.1", "HTTP/01.1", "HTTP/1", "HTTP/1.", "HTTP/.1", "HTTP/+1.1", "HTTP/ 1.1",
        "HTTPS/1.1", "HTTP/1.1.1", "HTTP/1.10", "HTTP/a.1", "HTTP/1,1", "HTTP 1.1", "HTP/1.1",
        "HTTP/1.1x", "\xc8TTP/1.1"}) {
    EXPECT_EQ(version(text), "BadRequestLine") << text;
  }
  EXPECT_EQ(parse("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "BadVersion");
}

TEST(FieldTest, JudgesEveryByteOfAName) {
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    if (c == ':') continue;  // Ends the name.
    for (const std::string_view start : {"X", "X-Name-Of-Sixteen-Bytes-And-More"}) {
      const std::string got = parse(get_with(with_byte(start, c, "Y: z\r\n")));
      EXPECT_EQ(contains(got, "=z\n"), is_token_byte(c)) << i;
      EXPECT_EQ(got == "BadField", !is_token_byte(c)) << i;
    }
  }
}

TEST(FieldTest, JudgesEveryByteOfAValue) {
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const bool good = (i >= 0x20 && i != 0x7f) || c == '\t';
    for (const std::string_view start : {"", "a value of sixteen bytes and more"}) {
      const std::string value = with_byte(std::string{start} + "<", c, ">");
      const std::string got = parse(get_with("X: " + value + "\r\n"));
      EXPECT_EQ(contains(got, "x=" + value + "\n"), good) << i;
      EXPECT_EQ(got == "BadField", !good) << i;
    }
  }
}

TEST(FieldTest, LeavesOutWhiteSpaceAroundTheValue) {
  const std::string got = parse(get_with("A:b\r\nB: \t c \t \r\nC:\r\nD: \t \r\nE:f g\th\r\n"));
  EXPECT_TRUE(contains(got, "a=b\nb=c\nc=\nd=\ne=f g\th\n"));
}

TEST(FieldTest, RefusesLinesThatAreNone) {
  for (std::string_view line :
       {"X : y\r\n", "X\t: y\r\n", ": y\r\n", "no-colon\r\n", " X: y\r\n", "X Y: z\r\n",
        "X: a\r\n b\r\n", "X: a\r\n\tb\r\n", "X: a\r\n\t\r\n", "X: 1\nY: 2\r\n", "X: a\rY: b\r\n",
        "X: a\r\r\n", "X\r\n: a\r\n", "X: a\n", "\n", "\r\rX: y\r\n", "X: y\r\n\rZ: 1\r\n"}) {
    EXPECT_EQ(parse(get_with(line)), "BadField") << line;
  }
  EXPECT_EQ(parse("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), "BadField");
  EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost: a\r\n\n"), "BadField");
}

TEST(HostTest, MustBeThereOnceAndBeAHost) {
  EXPECT_EQ(parse("GET / HTTP/1.1\r\nX: y\r\n\r\n"), "BadHost");
  EXPECT_EQ(parse("GET / HTTP/1.1\r\n\r\n"), "BadHost");
  EXPECT_EQ(parse("GET http://b/ HTTP/1.1\r\n\r\n"), "BadHost");
  EXPECT_EQ(parse("GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n"), "BadHost");
  EXPECT_TRUE(contains(parse("GET / HTTP/1.0\r\n\r\n"), "authority=\n"));
  EXPECT_TRUE(contains(parse("GET / HTTP/1.1\r\nhOsT:\r\n\r\n"), "host=\n"));
  EXPECT_EQ(parse(get_with("Host: a\r\n")), "BadHost");
  for (std::string_view host :
       {"a, b", "a/b", "http://a", "a:80x", "a\"b", "a\xe9", "a b", "[::1"}) {
    EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost: " + std::string{host} + "\r\n\r\n"), "BadHost")
        << host;
  }
}

// Size fields are where HTTP servers fall.
TEST(ContentLengthTest, IsOneDecimalNumber) {
  const auto length = [](std::string_view value) {
    const std::string got = parse(get_with("Content-Length:" + std::string{value} + "\r\n"));
    const std::size_t begin = got.find("\nlength=");
    return begin == std::string::npos ? got
                                      : got.substr(begin + 8, got.find("\nframing") - begin - 8);
  };
  EXPECT_EQ(length("0"), "0");
  EXPECT_EQ(length(" 5 \t"), "5");
  EXPECT_EQ(length("005"), "5");
  EXPECT_EQ(length("00000000000000000005"), "5");
  EXPECT_EQ(length("9223372036854775807"), "9223372036854775807");
  for (std::string_view value : {"",
                                 " ",
                                 "-1",
                                 "-0",
                                 "+1",
                                 "0x10",
                                 "1_0",
                                 "1 0",
                                 "1,1",
                                 "1, 1",
                                 "5;",
                                 "abc",
                                 "5a",
                                 "1e3",
                                 "1.0",
                                 "5\xa0",
                                 "\xa0"
                                 "5",
                                 "\xb2",
                                 "000000000000000000005",
                                 "0000000000000000000000000"}) {
    EXPECT_EQ(length(value), "BadContentLength") << value;
  }
  EXPECT_EQ(length("\x0b"
                   "5"),
            "BadField");
  EXPECT_EQ(length(std::string_view{"5\0", 2}), "BadField");
  for (const std::string& value :
       {std::string{"9223372036854775808"}, std::string{"18446744073709551616"},
        std::string{"18446744073709551621"}, std::string(40, '9'), std::string(5000, '1'),
        std::string(30, '0') + std::string(20, '1')}) {
    EXPECT_EQ(length(value), "BodyTooLarge") << value;
  }
}

TEST(ContentLengthTest, IsRefusedWhenRepeated) {
  EXPECT_EQ(parse(get_with("Content-Length: 5\r\nContent-Length: 5\r\n")), "BadContentLength");
  EXPECT_EQ(parse(get_with("Content-Length: 5\r\ncontent-length: 6\r\n")), "BadContentLength");
}

TEST(ContentLengthTest, MakesABodyUnlessItIsZero) {
  EXPECT_TRUE(
      contains(parse(get_with("Content-Length: 0\r\n")), "framing=1\nbytes=46\nkeep_alive"));
  EXPECT_TRUE(contains(parse(get_with("Content-Length: 1\r\n")), "framing=1\nbytes=46\nhas_body"));
  EXPECT_TRUE(contains(parse(get_with("")), "framing=0\nbytes=27\nkeep_alive"));
}

TEST(TransferEncodingTest, IsChunkedAlone) {
  for (std::string_view value : {"chunked", "ChUnKeD", "   chunked\t "}) {
    EXPECT_TRUE(contains(parse(get_with("Transfer-Encoding:" + std::string{value} + "\r\n")),
                         "framing=2\n"))
        << value;
  }
  for (std::string_view value :
       {"", "chunk", "chunkedd", "identity", "gzip", "gzip, chunked", "chunked, gzip", "chunked,",
        ",chunked", "chunked, chunked", "chunked;q=1", "\"chunked\"", "chunked\x85", "xchunked"}) {
    EXPECT_EQ(parse(get_with("Transfer-Encoding:" + std::string{value} + "\r\n")),
              "BadTransferEncoding")
        << value;
  }
  for (std::string_view first : {"chunked", "cow"}) {
    EXPECT_EQ(parse(get_with("Transfer-Encoding: " + std::string{first} +
                             "\r\nTransfer-Encoding: chunked\r\n")),
              "BadTransferEncoding");
  }
  EXPECT_EQ(parse("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), "BadTransferEncoding");
}

TEST(TransferEncodingTest, ExcludesContentLength) {
  EXPECT_EQ(parse(get_with("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n")),
            "LengthConflict");
  EXPECT_EQ(parse(get_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")),
            "LengthConflict");
}

TEST(ConnectionTest, DecidesOverReuse) {
  const auto keeps = [](std::string_view version, std::string_view fields) {
    return contains(parse("GET / HTTP/" + std::string{version} + "\r\nHost: a\r\n" +
                          std::string{fields} + "\r\n"),
                    "keep_alive\n");
  };
  EXPECT_TRUE(keeps("1.1", ""));
  EXPECT_TRUE(keeps("1.1", "Connection: keep-alive, x\r\n"));
  EXPECT_TRUE(keeps("1.1", "Connection: closed, clos, \"close\"\r\n"));
  EXPECT_FALSE(keeps("1.1", "Connection: foo , ClosE\r\n"));
  EXPECT_FALSE(keeps("1.1", "Connection: keep-alive\r\nConnection: x,close\r\n"));
  EXPECT_FALSE(keeps("1.0", ""));
  EXPECT_FALSE(keeps("1.0", "Connection: keep-alive, close\r\n"));
  EXPECT_TRUE(keeps("1.0", "Connection: Keep-Alive\r\n"));
}

TEST(UpgradeTest, NeedsBothFieldsAndNamesWebSocketAlone) {
  const auto asks = [](std::string_view fields) {
    return contains(parse(get_with(fields)), "protocol=websocket");
  };
  EXPECT_TRUE(asks("Connection: x, Upgrade\r\nUpgrade: WebSocket\r\n"));
  EXPECT_TRUE(asks("Upgrade: h2c, websocket\r\nConnection: upgrade\r\n"));
  EXPECT_TRUE(
      asks("Upgrade: h2c\r\nUpgrade: websocket\r\nConnection: a\r\nConnection: upgrade\r\n"));
  EXPECT_FALSE(asks("Connection: Upgrade\r\n"));
  EXPECT_FALSE(asks("Upgrade: websocket\r\n"));
  EXPECT_FALSE(asks("Connection: Upgrade\r\nUpgrade: h2c\r\n"));
  EXPECT_FALSE(asks("Connection: Upgrade\r\nUpgrade: websocket2, \"websocket\"\r\n"));
}

// RFC 9110 section 7.8 for HTTP/1.0; RFC 6455 section 4.1 for the rest.
TEST(UpgradeTest, IsOfferedToAGetOfHttp11WithoutABody) {
  constexpr std::string_view kFields = "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
  const auto asks = [&](std::string_view line, std::string_view more) {
    std::string head{line};
    return contains(parse(head.append(kFields).append(more).append("\r\n")), "protocol");
  };
  EXPECT_TRUE(asks("GET / HTTP/1.1\r\n", ""));
  EXPECT_TRUE(asks("GET / HTTP/1.1\r\n", "Content-Length: 0\r\n"));
  EXPECT_FALSE(asks("GET / HTTP/1.0\r\n", ""));
  EXPECT_FALSE(asks("POST / HTTP/1.1\r\n", ""));
  EXPECT_FALSE(asks("GET / HTTP/1.1\r\n", "Content-Length: 1\r\n"));
  EXPECT_FALSE(asks("GET / HTTP/1.1\r\n", "Transfer-Encoding: chunked\r\n"));
}

TEST(ExpectTest, KnowsOneExpectation) {
  EXPECT_TRUE(contains(parse(get_with("Expect: 100-Continue\r\n")), "expects_continue"));
  EXPECT_TRUE(contains(parse(get_with("Expect: , 100-continue,\r\n")), "expects_continue"));
  EXPECT_FALSE(contains(parse(get_with("Expect:\r\n")), "expects_continue"));
  EXPECT_EQ(parse(get_with("Expect: 200-maybe\r\n")), "BadExpectation");
  EXPECT_EQ(parse(get_with("Expect: 100-continue, x\r\n")), "BadExpectation");
  EXPECT_EQ(parse(get_with("Expect: 100-continue=1\r\n")), "BadExpectation");
  const std::string old = parse("GET / HTTP/1.0\r\nExpect: 100-continue\r\nExpect: x\r\n\r\n");
  EXPECT_TRUE(contains(old, "version=1.0"));
  EXPECT_FALSE(contains(old, "expects_continue"));
}

TEST(TeTest, AcceptsTrailers) {
  EXPECT_TRUE(contains(parse(get_with("TE: gzip;q=0.5 , Trailers\r\n")), "accepts_trailers"));
  EXPECT_TRUE(contains(parse(get_with("TE: trailers;q=1\r\n")), "accepts_trailers"));
  EXPECT_FALSE(contains(parse(get_with("TE: trailer, gzip;trailers\r\n")), "accepts_trailers"));
}

TEST(HeadLimitsTest, HoldTheTarget) {
  const Limits limits{.target_bytes_max = 8};
  EXPECT_TRUE(contains(parse(request_line("GET /2345678 HTTP/1.1"), limits), "target=/2345678\n"));
  EXPECT_EQ(parse(request_line("GET /23456789 HTTP/1.1"), limits), "TargetTooLong");
  EXPECT_EQ(parse("GET /23456789", limits), "TargetTooLong");
  EXPECT_EQ(parse("GET /234567%41 ", limits), "TargetTooLong");
  EXPECT_EQ(parse("GET /2345678", limits), "need more");
  EXPECT_EQ(parse(request_line("GET /2345\x01 89 HTTP/1.1"), limits), "BadTarget");
}

// A target that only grows, with never a line end, is refused while it arrives byte by byte.
TEST(HeadLimitsTest, HoldTheTargetBeforeTheLineEnds) {
  const Limits limits{.target_bytes_max = 100};
  for (std::string_view start :
       {"G ", "GET ", "\r\nFROBNICATE ", "\r\nABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF "}) {
    EXPECT_EQ(parse_byte_by_byte(std::string{start} + "/" + std::string(200, 'a'), limits),
              "TargetTooLong")
        << start;
  }
}

TEST(HeadLimitsTest, HoldTheHead) {
  const std::string head = get_with("X: " + std::string(30, 'y') + "\r\n");
  const Limits exact{.head_bytes_max = head.size()};
  const Limits small{.head_bytes_max = head.size() - 1};
  EXPECT_TRUE(contains(parse(head + "more", exact), "method=GET"));
  EXPECT_EQ(parse(head, small), "HeadTooLarge");
  EXPECT_EQ(parse(head.substr(0, head.size() - 1), small), "HeadTooLarge");
  EXPECT_EQ(parse(head.substr(0, head.size() - 2), small), "need more");
  EXPECT_EQ(parse(head.substr(0, head.size() - 2) + "y:z\r\n\r\n", small), "HeadTooLarge");
  // What is within the limit is judged first, in the order of the bytes.
  EXPECT_EQ(parse("GET / HTTP/1.1\r\nbad\r\n" + std::string(100, 'x'), small), "BadField");
}

TEST(HeadLimitsTest, HoldTheNumberOfFields) {
  const Limits limits{.fields_max = 3};
  EXPECT_TRUE(contains(parse(get_with("a:\r\nb:\r\n"), limits), "b=\n"));
  EXPECT_EQ(parse(get_with("a:\r\nb:\r\nc:\r\n"), limits), "TooManyFields");
}

TEST(HeadLimitsTest, NeverExceedTheBuffer) {
  const Limits limits{.head_bytes_max = 1 << 20, .fields_max = 100000};
  std::string fields;
  for (std::size_t i = 1; i < kFieldsMax; ++i) fields += "a:b\r\n";
  EXPECT_TRUE(contains(parse_cut_at(0, get_with(fields), limits), "keep_alive"));
  EXPECT_EQ(parse_cut_at(0, get_with(fields + "a:b\r\n"), limits), "TooManyFields");
}

}  // namespace
}  // namespace tercel::http
