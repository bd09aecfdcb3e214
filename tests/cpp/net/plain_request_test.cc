#include "tercel/net/plain_request.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tercel::net {
namespace {

using Verdict = PlainRequest::Verdict;

// The verdict, which is the same in whatever pieces the bytes come.
Verdict verdict_of(std::string_view bytes) {
  PlainRequest whole;
  whole.feed(bytes);
  PlainRequest single;
  for (const char& byte : bytes) single.feed({&byte, 1});
  EXPECT_EQ(single.verdict(), whole.verdict());
  for (std::size_t cut = 0; cut <= bytes.size() && bytes.size() < 100; ++cut) {
    PlainRequest two;
    two.feed(bytes.substr(0, cut));
    two.feed(bytes.substr(cut));
    EXPECT_EQ(two.verdict(), whole.verdict());
  }
  return whole.verdict();
}

TEST(PlainRequestTest, KnowsARequestByItsLine) {
  for (std::string_view line : {
           "GET / HTTP/1.1\r\n",
           "DELETE /a?b=c%20 HTTP/1.0\r\n",
           "OPTIONS * HTTP/1.1\r\n",
           "CONNECT host.test:443 HTTP/1.1\r\n",
           "CONNECT [::1]:443 HTTP/1.1\r\n",
           "GET http://a.test/ HTTP/1.1\r\n",
           "BASELINE-CONTROL / HTTP/1.1\r\n",
           "UPDATEREDIRECTREF / HTTP/1.1\r\n",
           "M-SEARCH * HTTP/1.1\r\n",
           "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
           "X / HTTP/",
       }) {
    EXPECT_EQ(verdict_of(line), Verdict::kHttp) << line;
  }
}

TEST(PlainRequestTest, WaitsForTheWholeLine) {
  constexpr std::string_view kLine = "PATCH /x HTTP/";
  for (std::size_t bytes = 0; bytes < kLine.size(); ++bytes) {
    EXPECT_EQ(verdict_of(kLine.substr(0, bytes)), Verdict::kUndecided) << bytes;
  }
  EXPECT_EQ(verdict_of(kLine), Verdict::kHttp);
}

TEST(PlainRequestTest, LeavesNoiseAlone) {
  for (std::string_view line : {
           "get / HTTP/1.1\r\n",
           " GET / HTTP/1.1\r\n",
           "\r\nGET / HTTP/1.1\r\n",
           "-GET / HTTP/1.1\r\n",
           "G\xc3\x89T / HTTP/1.1\r\n",
           "GET  / HTTP/1.1\r\n",
           "GET\t/ HTTP/1.1\r\n",
           "GET ? HTTP/1.1\r\n",
           "GET /\r\n",
           "GET /a\x7f HTTP/1.1\r\n",
           "GET /\xc3\xa9 HTTP/1.1\r\n",
           "GET /  HTTP/1.1\r\n",
           "GET / http/1.1\r\n",
           "BREW / HTCPCP/1.0\r\n",
           "OPTIONS rtsp://a.test RTSP/1.0\r\n",
           "SSH-2.0-OpenSSH_9.2\r\n",
           "EHLO mail.test\r\n",
           "\x16\x03\x01\x02",
       }) {
    EXPECT_EQ(verdict_of(line), Verdict::kOther) << line;
  }
}

TEST(PlainRequestTest, KeepsAVerdict) {
  PlainRequest request;
  request.feed(std::string_view{"\x16"});
  request.feed(std::string_view{"GET / HTTP/1.1\r\n"});
  EXPECT_EQ(request.verdict(), Verdict::kOther);
}

TEST(PlainRequestTest, IsBounded) {
  const auto line = [](std::size_t method, std::size_t target) {
    return std::string(method, 'A') + ' ' + std::string(target, '/') + " HTTP/1.1";
  };
  constexpr std::size_t kMethod = PlainRequest::kMethodBytesMax;
  constexpr std::size_t kTarget = PlainRequest::kTargetBytesMax;
  EXPECT_EQ(verdict_of(line(kMethod, kTarget)), Verdict::kHttp);
  EXPECT_EQ(verdict_of(line(kMethod + 1, 1)), Verdict::kOther);
  EXPECT_EQ(verdict_of(line(1, kTarget + 1)), Verdict::kOther);
  EXPECT_EQ(verdict_of(std::string(kMethod + 1, 'A')), Verdict::kOther);
  EXPECT_EQ(verdict_of("A " + std::string(kTarget + 1, '/')), Verdict::kOther);
}

// Whatever a record of TLS, or the hello of SSL 2, begins with.
TEST(PlainRequestTest, NoHandshakeBeginsLikeAMethod) {
  for (int type = 0; type < 256; ++type) {
    const char byte = static_cast<char>(type);
    const bool capital = byte >= 'A' && byte <= 'Z';
    EXPECT_EQ(verdict_of({&byte, 1}) == Verdict::kUndecided, capital) << type;
  }
}

}  // namespace
}  // namespace tercel::net
