// What RFC 9113 asks of requests, and h2spec does not: it was written for RFC 7540.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "http/h2_fixture.h"

namespace tercel::http {
namespace {

using namespace test;

class H2RulesTest : public H2Fixture {
 protected:
  // What comes of a request with these fields, on a connection of its own.
  std::string outcome(const FieldList& fields, int flags = kEndHeaders | kEndStream,
                      const std::string& behind = "") {
    make_session();
    answer_all();
    hello();
    std::string lines = send(h2_headers(1, fields, flags) + behind);
    if (lines.starts_with("1 HEADERS :status=")) return lines.substr(18, 3);
    if (!lines.empty()) lines.pop_back();
    return lines;
  }
  static FieldList get(const FieldList& more = {}) {
    FieldList fields{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return fields;
  }
};

constexpr const char* kMalformed = "1 RST_STREAM 1";

TEST_F(H2RulesTest, NamesAreTokensInLowerCase) {
  EXPECT_EQ(outcome(get({{"x-a!", "1"}})), "200");
  for (const char* name : {"", "X", "a b", "a\xe4", "a:b", "a\r", "a\n"}) {
    EXPECT_EQ(outcome(get({{name, "1"}})), kMalformed) << name;
  }
  EXPECT_EQ(outcome(get({{std::string(1, '\0'), "1"}})), kMalformed);
}

TEST_F(H2RulesTest, ValuesHaveNoControlBytesAndNoBlanksAroundThem) {
  EXPECT_EQ(outcome(get({{"x", "a b\tc\xff"}})), "200");
  EXPECT_EQ(outcome(get({{"x", ""}})), "200");
  for (const char* value : {" a", "a ", "\ta", "a\t", " ", "a\rb", "a\nb", "a\r\nb: c", "\x7f"}) {
    EXPECT_EQ(outcome(get({{"x", value}})), kMalformed) << value;
  }
  EXPECT_EQ(outcome(get({{"x", std::string("a\0b", 3)}})), kMalformed);
}

TEST_F(H2RulesTest, PseudoFieldsKeepTheRulesOfValues) {
  for (const char* path :
       {"/a\r\n", "/a b", "/\x7f", "/a#b", "/%zz", "/%2", "a", "*", "http://a/"}) {
    EXPECT_EQ(
        outcome({{":method", "GET"}, {":scheme", "http"}, {":path", path}, {":authority", "a"}}),
        kMalformed)
        << path;
  }
  for (const char byte : {'\r', '\n', '\0', ' ', '\t', '\x1b'}) {
    for (const char* name : {":method", ":scheme", ":path", ":authority"}) {
      FieldList fields = get();
      for (auto& [each, value] : fields) {
        if (each == name) value += byte + std::string{"x"};
      }
      EXPECT_EQ(outcome(fields), kMalformed) << name << ' ' << static_cast<int>(byte);
    }
  }
  EXPECT_EQ(outcome({{":method", "G T"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}}),
            kMalformed);
  EXPECT_EQ(
      outcome({{":method", "GET"}, {":scheme", "h ttp"}, {":path", "/"}, {":authority", "a"}}),
      kMalformed);
}

TEST_F(H2RulesTest, TheAsteriskIsForOptions) {
  EXPECT_EQ(
      outcome({{":method", "OPTIONS"}, {":scheme", "http"}, {":path", "*"}, {":authority", "a"}}),
      "200");
}

TEST_F(H2RulesTest, EachPseudoFieldIsThereOnceAndBeforeTheOthers) {
  const FieldList all = get();
  for (std::size_t i = 0; i < 3; ++i) {
    FieldList fields = all;
    fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(outcome(fields), kMalformed) << "without " << all[i].first;
    fields = all;
    fields.push_back(all[i]);
    EXPECT_EQ(outcome(fields), kMalformed) << "twice " << all[i].first;
  }
  EXPECT_EQ(outcome(get({{":authority", "a"}})), kMalformed);
  EXPECT_EQ(outcome({{":method", "GET"}, {"x", "y"}, {":scheme", "http"}, {":path", "/"}}),
            kMalformed);
  EXPECT_EQ(outcome(get({{":status", "200"}})), kMalformed);
  EXPECT_EQ(outcome(get({{":unknown", "x"}})), kMalformed);
}

TEST_F(H2RulesTest, HostAndAuthorityNameTheSameHost) {
  EXPECT_EQ(outcome(get({{"host", "a"}})), "200");
  EXPECT_EQ(outcome(get({{"host", "A"}})), "200");
  EXPECT_EQ(outcome(get({{"host", "b"}})), kMalformed);
  EXPECT_EQ(outcome(get({{"host", "a"}, {"host", "a"}})), kMalformed);
  EXPECT_EQ(outcome({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "a"}}),
            "200");
  EXPECT_EQ(outcome({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}), kMalformed);
  for (const char* host : {"a@b", "a b", "a/b", "[::1", "a:99999"}) {
    EXPECT_EQ(
        outcome({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", host}}),
        kMalformed)
        << host;
  }
}

TEST_F(H2RulesTest, FieldsOfTheConnectionAreRefused) {
  for (const char* name :
       {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}) {
    EXPECT_EQ(outcome(get({{name, "x"}})), kMalformed) << name;
  }
  EXPECT_EQ(outcome(get({{"te", "trailers"}})), "200");
  EXPECT_EQ(outcome(get({{"te", "gzip"}})), kMalformed);
  EXPECT_EQ(outcome(get({{"te", "trailers, gzip"}})), kMalformed);
}

TEST_F(H2RulesTest, TheDeclaredLengthIsThatOfTheData) {
  const auto post = [](const char* length) { return get({{"content-length", length}}); };
  EXPECT_EQ(outcome(post("0")), "200");
  EXPECT_EQ(outcome(post("1")), kMalformed);  // With the end of the stream.
  for (const char* length : {"", "+1", "-1", "0x1", "1,1", "1 1", "a"}) {
    EXPECT_EQ(outcome(post(length)), kMalformed) << length;
  }
  EXPECT_EQ(outcome(get({{"content-length", "1"}, {"content-length", "1"}})), kMalformed);
  EXPECT_EQ(outcome(post("18446744073709551616")), "413");
  script_.act = nullptr;
  for (const auto& [length, body] : {std::pair{"3", "ab"}, {"1", "ab"}}) {
    make_session();
    script_.act = nullptr;
    hello();
    EXPECT_EQ(send(h2_post(1, {{"content-length", length}}) + h2_data(1, body, kEndStream)),
              "1 RST_STREAM 1\n");
    EXPECT_EQ(script_.log.back(), "/ aborted");
  }
}

TEST_F(H2RulesTest, TrailersHaveNoPseudoFieldsAndEndTheStream) {
  const auto with_trailers = [this](const FieldList& trailers, int flags) {
    make_session();
    script_.act = nullptr;
    hello();
    return send(h2_post(1) + h2_data(1, "ab") + h2_headers(1, trailers, flags));
  };
  EXPECT_EQ(with_trailers({{"x", "y"}}, kEndHeaders | kEndStream), "");
  EXPECT_EQ(with_trailers({{":path", "/"}}, kEndHeaders | kEndStream), "1 RST_STREAM 1\n");
  EXPECT_EQ(with_trailers({{"X", "y"}}, kEndHeaders | kEndStream), "1 RST_STREAM 1\n");
  EXPECT_EQ(with_trailers({{"connection", "y"}}, kEndHeaders | kEndStream), "1 RST_STREAM 1\n");
  EXPECT_EQ(with_trailers({{"x", "y"}}, kEndHeaders), "1 RST_STREAM 1\n");
  EXPECT_TRUE(with_trailers({{"x", std::string(9000, 'y')}}, kEndHeaders | kEndStream)
                  .starts_with("1 HEADERS :status=431 "));
}

TEST_F(H2RulesTest, MethodsAreThoseOfHttp1) {
  const auto method = [this](const std::string& name) {
    return outcome({{":method", name}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}});
  };
  EXPECT_EQ(method("PROPFIND"), "200");
  EXPECT_EQ(method("get"), "501");
  EXPECT_EQ(method("TRACE"), "501");
  EXPECT_EQ(method(std::string(33, 'A')), "501");
}

TEST_F(H2RulesTest, FramesOfStreamsThatAreOverAreErrorsOfTheConnection) {
  answer_all();
  hello();
  (void)send(h2_get(1));
  EXPECT_EQ(send(h2_data(1, "x")), "GOAWAY 1 5\n");
  make_session();
  hello();
  (void)send(h2_get(1));
  EXPECT_EQ(send(h2_get(1)), "GOAWAY 1 5\n");
  make_session();
  hello();
  (void)send(h2_get(5));
  EXPECT_EQ(send(h2_get(3)), "GOAWAY 5 1\n");  // Skipped, and closed by that.
  make_session();
  hello();
  EXPECT_EQ(send(h2_data(1, "x")), "GOAWAY 0 1\n");
  make_session();
  hello();
  EXPECT_EQ(send(h2_get(2)), "GOAWAY 0 1\n");
}

TEST_F(H2RulesTest, WhatWeResetMayStillBeSpokenTo) {
  hello();
  EXPECT_EQ(send(h2_post(1, {{"X", "y"}})), "1 RST_STREAM 1\n");
  answer_all();
  EXPECT_EQ(send(h2_data(1, "x") + h2_headers(1, {{"a", "b"}}) + h2_get(3)),
            head(3, " content-length=5") + "3 DATA 5 END hello\n");
}

TEST_F(H2RulesTest, AStreamCannotDependOnItself) {
  hello();
  EXPECT_EQ(send(h2_frame(2, 0, 3, h2_number(3, 4) + '\0')), "GOAWAY 0 1\n");
  make_session();
  hello();
  EXPECT_EQ(send(h2_frame(1, kEndHeaders | kEndStream | kPriorityFlag, 1,
                          h2_number(1, 4) + '\0' + h2_block(get()))),
            "GOAWAY 0 1\n");
  make_session();
  hello();
  answer_all();
  EXPECT_EQ(send(h2_frame(1, kEndHeaders | kEndStream | kPriorityFlag | kPadded, 1,
                          '\1' + h2_number(3, 4) + '\0' + h2_block(get()) + '\0')),
            head(1, " content-length=5") + "1 DATA 5 END hello\n");
}

TEST_F(H2RulesTest, AFrameThatIsTooLargeIsRefusedForItsHead) {
  hello();
  EXPECT_EQ(send(h2_frame(0, 0, 1, std::string(16'385, 'x')).substr(0, 9)), "GOAWAY 0 6\n");
}

// As a peer may that has not read it, or does not care.
TEST_F(H2RulesTest, NothingIsServedBehindAGoawayForAnError) {
  answer_all();
  hello();
  EXPECT_EQ(send(h2_frame(6, 0, 0, "short") + h2_get(1) + h2_get(3)), "GOAWAY 0 6\n");
  wire_.receive(h2_get(5));
  EXPECT_EQ(sent(), "");
  EXPECT_TRUE(script_.log.empty());
}

TEST_F(H2RulesTest, WhatIsNotThePrefaceEndsTheConnection) {
  (void)send("PRI * HTTP/2.0\r\n\r\nSM\r\n\rX");
  EXPECT_TRUE(wire_.closed || wire_.was_reset);
}

TEST_F(H2RulesTest, UrgentResponsesGoFirst) {
  hello({{4, 1 << 20}});
  (void)send(h2_window_update(0, 1 << 20));
  wire_.under_pressure = true;
  answer_all(std::string(20'000, 'x'));
  (void)send(h2_headers(1, get({{"priority", "u=5"}})));
  (void)send(h2_headers(3, get({{"priority", "u=1"}})));
  wire_.under_pressure = false;
  session_->on_sent();
  const std::string lines = sent();
  EXPECT_LT(lines.find("3 DATA 3616 END"), lines.find("1 DATA 16384"));
}

}  // namespace
}  // namespace tercel::http
