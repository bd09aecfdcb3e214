#include "tercel/proxy/forward.h"

#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "proxy/relay_fixture.h"
#include "tercel/base/log.h"
#include "tercel/http/amender.h"

namespace tercel::proxy {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using testing::Test;

constexpr std::string_view kGet = "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view kGetOn = "GET /a?b HTTP/1.1\r\nhost: h\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

// No fields of the proxy's own.
ForwardOptions plain() {
  return {.host = "o:1", .x_forwarded = Trail::kRemove, .via = ""};
}

class ForwardTest : public test::RelayFixture {
 protected:
  ForwardTest() { mount(plain()); }
  ~ForwardTest() override {
    session_->on_closed(Errc::kClosed);
    settle();
    EXPECT_EQ(context_.exchanges.alive(), 0U);
    EXPECT_EQ(loop_->blocks().outstanding(), 0U);
    EXPECT_EQ(loop_->timers().armed(), 0U);
    session_.reset();
  }
  void mount(ForwardOptions options) {
    session_.reset();
    forward_ = std::make_unique<Forward>(*loop_, origin_, std::move(options));
    open(*forward_);
  }
  // The status line that the client gets.
  static std::string status(const std::string& response) {
    return response.substr(0, response.find("\r\n"));
  }

  std::unique_ptr<Forward> forward_;
};

TEST_F(ForwardTest, ForwardsARequestAndItsResponse) {
  for (int request = 0; request < 3; ++request) {
    EXPECT_EQ(ask(kGet), kGetOn);
    EXPECT_EQ(answer(kOk), kOk);
  }
  EXPECT_EQ(origin_.peers.size(), 1U);
  EXPECT_EQ(origin_.kept, 3);
  EXPECT_FALSE(wire_.closed);
}

TEST_F(ForwardTest, FieldsOfOneConnectionStayBehind) {
  EXPECT_EQ(
      ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\n"
          "Keep-Alive: 5\r\nProxy-Connection: a\r\nUpgrade: h2c\r\nTE: gzip\r\nX-End: 2\r\n\r\n"),
      "GET / HTTP/1.1\r\nhost: h\r\nx-end: 2\r\n\r\n");
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nX-End: 2\r\n"
                   "Keep-Alive: a\r\nContent-Length: 0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nx-end: 2\r\ncontent-length: 0\r\n\r\n");
  EXPECT_FALSE(wire_.closed);  // That was the origin's connection.
  EXPECT_EQ(origin_.ended, 1);
}

// A proxy whose target is itself, for one.
TEST_F(ForwardTest, WhatGoesRoundInCirclesEnds) {
  const auto came = [this](std::size_t rounds, std::string_view more = "") {
    std::string via = "1.0 other, 1.1 tercels";
    for (std::size_t i = 0; i < rounds; ++i) via += i % 2 == 0 ? ", 1.1 tercel" : ",2.0 tercel (a)";
    return ask("GET / HTTP/1.1\r\nHost: h\r\nVia: " + via + "\r\n" + std::string{more} + "\r\n");
  };
  mount({.host = "o"});
  EXPECT_TRUE(came(Forward::kRoundsMax - 1).starts_with("GET / "));
  (void)answer(kOk);
  for (const std::string_view more : {"", "Via: 1.1 another\r\n"}) {
    EXPECT_EQ(came(Forward::kRoundsMax, more), "");
    const std::string got = wire_.take_sent();
    EXPECT_EQ(status(got), "HTTP/1.1 508 Loop Detected");
    EXPECT_TRUE(got.ends_with("The request goes round in circles.\n")) << got;
  }
  EXPECT_EQ(came(Forward::kRoundsMax - 1, "Via: 1.1 tercel\r\n"), "");
  EXPECT_EQ(status(wire_.take_sent()), "HTTP/1.1 508 Loop Detected");
  EXPECT_EQ(origin_.acquired, 1);
  // Without a name of its own it cannot tell.
  mount({.host = "o", .via = ""});
  EXPECT_TRUE(came(Forward::kRoundsMax).starts_with("GET / "));
  (void)answer(kOk);
}

TEST_F(ForwardTest, SaysForWhomItAsks) {
  const auto fields = [this](ForwardOptions options, std::string_view theirs) {
    mount(std::move(options));
    std::string text = ask("GET / HTTP/1.1\r\nHost: h\r\n" + std::string{theirs} + "\r\n");
    (void)answer(kOk);
    text.erase(0, text.find("host:"));
    return text.substr(0, text.size() - 2);
  };
  const std::string theirs =
      "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2\r\nX-Forwarded-Proto: https\r\n"
      "Forwarded: for=10.0.0.1\r\nVia: 1.0 a\r\n";
  // Nobody trusts who wrote theirs.
  for (const Trail trail : {Trail::kAppend, Trail::kReplace}) {
    EXPECT_EQ(fields({.host = "o", .x_forwarded = trail}, theirs),
              "host: h\r\nx-forwarded-for: 192.0.2.7\r\nx-forwarded-proto: http\r\n"
              "x-forwarded-host: h\r\nvia: 1.0 a, 1.1 tercel\r\n");
  }
  EXPECT_EQ(
      fields({.host = "o:1", .keep_host = false, .forwarded = Trail::kAppend, .via = "p"}, theirs),
      "host: o:1\r\nx-forwarded-for: 192.0.2.7\r\n"
      "x-forwarded-proto: http\r\nx-forwarded-host: h\r\n"
      "forwarded: for=192.0.2.7;host=\"h\";proto=http\r\n"
      "via: 1.0 a, 1.1 p\r\n");
  EXPECT_EQ(fields({.host = "o", .x_forwarded = Trail::kRemove, .via = ""}, theirs),
            "host: h\r\nvia: 1.0 a\r\n");
  EXPECT_EQ(fields({.host = "o", .x_forwarded = Trail::kKeep, .forwarded = Trail::kKeep, .via = ""},
                   "X-Forwarded-For: x\r\nForwarded: y\r\n"),
            "host: h\r\nx-forwarded-for: x\r\nforwarded: y\r\n");
  wire_.ends.peer = *parse_ip("2001:db8::1", 1);
  EXPECT_EQ(
      fields({.host = "o", .x_forwarded = Trail::kRemove, .forwarded = Trail::kReplace, .via = ""},
             ""),
      "host: h\r\nforwarded: for=\"[2001:db8::1]\";host=\"h\";proto=http\r\n");
}

// A trusted proxy stands before us: what edge::ProxyHeaders makes of its fields.
class Believing final : public http::Amender {
 public:
  explicit Believing(http::NamedIn field) noexcept : field_{field} {}
  void amend(http::Request& request, std::span<http::Field>, const http::Endpoints&,
             Address& client) const noexcept override {
    client = *parse_ip("203.0.113.9", 0);
    request.client = &client;
    request.named_in = field_;
    request.secure = true;
    request.root_path = "/app";
  }

 private:
  http::NamedIn field_;
};

TEST_F(ForwardTest, GoesOnWhereATrustedProxyBegan) {
  const auto fields = [this](http::NamedIn believed, Trail trail) {
    const Believing believing{believed};
    context_.amender = &believing;
    mount({.host = "o", .x_forwarded = trail, .forwarded = trail, .via = ""});
    std::string text =
        ask("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 6.6.6.6\r\n"
            "X-Forwarded-For: 203.0.113.9\r\nX-Real-IP: 203.0.113.9\r\n"
            "Forwarded: for=203.0.113.9\r\nX-Forwarded-Port: 1\r\n\r\n");
    (void)answer(kOk);
    context_.amender = nullptr;
    return text.substr(text.find("\r\n") + 11);
  };
  const std::string rest =
      "x-forwarded-proto: https\r\nx-forwarded-host: h\r\nx-forwarded-prefix: /app\r\n";
  const std::string ours = "forwarded: for=203.0.113.9;host=\"h\";proto=https\r\n\r\n";
  EXPECT_EQ(fields(http::NamedIn::kXForwardedFor, Trail::kAppend),
            "x-forwarded-for: 6.6.6.6, 203.0.113.9, 192.0.2.7\r\n" + rest + ours);
  EXPECT_EQ(fields(http::NamedIn::kForwarded, Trail::kAppend),
            "x-forwarded-for: 203.0.113.9\r\n" + rest +
                "forwarded: for=203.0.113.9, for=192.0.2.7;host=\"h\";proto=https\r\n\r\n");
  EXPECT_EQ(fields(http::NamedIn::kXRealIp, Trail::kAppend),
            "x-real-ip: 203.0.113.9\r\nx-forwarded-for: 203.0.113.9\r\n" + rest + ours);
  EXPECT_EQ(fields(http::NamedIn::kXForwardedFor, Trail::kReplace),
            "x-forwarded-for: 203.0.113.9\r\n" + rest + ours);
  // A proxy at a Unix socket has no address.
  wire_.ends.peer = {.kind = AddressKind::kUnix};
  EXPECT_EQ(fields(http::NamedIn::kXForwardedFor, Trail::kAppend),
            "x-forwarded-for: 6.6.6.6, 203.0.113.9, unknown\r\n" + rest + ours);
}

TEST_F(ForwardTest, FieldsAreSetAndRemoved) {
  ForwardOptions options{.host = "o"};
  options.request_fields = {{"x-key", "secret"},
                            {"cookie", std::nullopt},
                            {"x-forwarded-proto", "https"},
                            {"via", std::nullopt}};
  options.response_fields = {{"server", std::nullopt}, {"x-frame", "deny"}, {"via", "us"}};
  mount(std::move(options));
  EXPECT_EQ(
      ask("GET / HTTP/1.1\r\nHost: h\r\nX-Key: mine\r\nCookie: a=b\r\nX-A: c\r\nX-Key: 2\r\n\r\n"),
      "GET / HTTP/1.1\r\nhost: h\r\nx-a: c\r\nx-forwarded-for: 192.0.2.7\r\n"
      "x-forwarded-host: h\r\nx-key: secret\r\nx-forwarded-proto: https\r\n\r\n");
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nServer: a\r\nX-Frame: b\r\nX-Frame: c\r\nX-D: e\r\n"
                   "Content-Length: 0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nx-d: e\r\ncontent-length: 0\r\nx-frame: deny\r\nvia: us\r\n\r\n");
}

// Servers that make variables of names, as CGI and WSGI do, cannot tell "_" from "-".
TEST_F(ForwardTest, NamesThatAreLikeOursAreNoWayAround) {
  ForwardOptions options{.host = "o", .via = ""};
  options.request_fields = {{"x-key", "secret"}, {"x_gone", std::nullopt}};
  mount(std::move(options));
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: h\r\nX_Forwarded-For: 1\r\nX_Forwarded_Proto: 2\r\n"
                "X_Real_IP: 3\r\nX_Key: 4\r\nX-Gone: 6\r\nX_Gone: 7\r\nX_Other: 5\r\n\r\n"),
            "GET / HTTP/1.1\r\nhost: h\r\nx_other: 5\r\nx-forwarded-for: 192.0.2.7\r\n"
            "x-forwarded-proto: http\r\nx-forwarded-host: h\r\nx-key: secret\r\n\r\n");
}

TEST_F(ForwardTest, OptionsGoAsFarAsTheyMay) {
  EXPECT_EQ(ask("OPTIONS /a HTTP/1.1\r\nHost: h\r\nMax-Forwards: 3\r\n\r\n"),
            "OPTIONS /a HTTP/1.1\r\nhost: h\r\nmax-forwards: 2\r\n\r\n");
  (void)answer(kOk);
  EXPECT_EQ(ask("OPTIONS * HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n"), "");
  EXPECT_EQ(status(wire_.take_sent()), "HTTP/1.1 204 No Content");
  // Of other methods, and where it is no number, it says nothing.
  EXPECT_EQ(ask("GET /a HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n"),
            "GET /a HTTP/1.1\r\nhost: h\r\nmax-forwards: 0\r\n\r\n");
  (void)answer(kOk);
  EXPECT_EQ(ask("OPTIONS /a HTTP/1.1\r\nHost: h\r\nMax-Forwards: -1\r\n\r\n"),
            "OPTIONS /a HTTP/1.1\r\nhost: h\r\nmax-forwards: -1\r\n\r\n");
}

TEST_F(ForwardTest, AsksForTheOriginForm) {
  const auto line = [this](std::string_view request) {
    const std::string text = ask(request);
    (void)answer(kOk);
    return text.substr(0, text.find("\r\n", text.find("\r\n") + 2));
  };
  EXPECT_EQ(line("GET http://x/a?b=%20 HTTP/1.1\r\nHost: h\r\n\r\n"),
            "GET /a?b=%20 HTTP/1.1\r\nhost: x");
  EXPECT_EQ(line("GET http://x HTTP/1.1\r\nHost: h\r\n\r\n"), "GET / HTTP/1.1\r\nhost: x");
  EXPECT_EQ(line("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), "OPTIONS * HTTP/1.1\r\nhost: h");
  EXPECT_EQ(line("GET /%2e%2E//a?? HTTP/1.1\r\nHost: h\r\n\r\n"),
            "GET /%2e%2E//a?? HTTP/1.1\r\nhost: h");
}

TEST_F(ForwardTest, AnOldClientWithoutHost) {
  EXPECT_EQ(ask("GET / HTTP/1.0\r\n\r\n"), "GET / HTTP/1.1\r\nhost: o:1\r\n\r\n");
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhi");
  EXPECT_TRUE(wire_.closed);
}

TEST_F(ForwardTest, AnswersWithoutABody) {
  EXPECT_EQ(ask("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"), "HEAD / HTTP/1.1\r\nhost: h\r\n\r\n");
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n"),
            "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n");
  for (const std::string_view text :
       {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n"}) {
    (void)ask(kGet);
    EXPECT_EQ(answer(text), text);
  }
  EXPECT_EQ(origin_.kept, 3);
}

// --- bodies

TEST_F(ForwardTest, BodiesGoOnAsTheyCome) {
  EXPECT_EQ(ask("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"),
            "PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n");
  EXPECT_EQ(ask("he"), "he");
  EXPECT_EQ(ask("llo"), "llo");
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"),
            "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n");
  EXPECT_EQ(answer("ab"), "ab");
  EXPECT_EQ(answer("cd"), "cd");
}

TEST_F(ForwardTest, ChunksAndTrailersGoThroughBothWays) {
  EXPECT_EQ(ask("PUT / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n"
                "5;x=y\r\nhello\r\n0\r\nX-A: b\r\n\r\n"),
            "PUT / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\nte: trailers\r\n"
            "connection: te\r\n\r\n5\r\nhello\r\n0\r\nx-a: b\r\n\r\n");
  EXPECT_EQ(
      answer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
             "5\r\nhello\r\n0\r\nX-C: d\r\n\r\n"),
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-c: d\r\n\r\n");
  EXPECT_EQ(origin_.kept, 1);
}

TEST_F(ForwardTest, SingleByteTransfersChangeNothing) {
  syscalls_.limit_bytes(1);
  wire_.arrival_bytes = 1;
  EXPECT_EQ(ask("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"),
            "PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello");
  std::string got;
  for (const char byte :
       std::string_view{"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: y\r\n\r\nhello"}) {
    got += answer({&byte, 1});
  }
  EXPECT_EQ(got, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: y\r\n\r\nhello");
  EXPECT_EQ(origin_.kept, 1);
}

TEST_F(ForwardTest, ASlowClientHoldsTheOriginBack) {
  (void)ask(kGet);
  wire_.unsent = 1 << 20;
  (void)answer("HTTP/1.1 200 OK\r\ncontent-length: 8000000\r\n\r\n");
  const std::string part(65536, 'x');
  std::size_t sent = 0;
  for (ssize_t count = 0; count >= 0; settle()) {
    count = ::send(origin_.peer().get(), part.data(), part.size(), MSG_NOSIGNAL);
    if (count > 0) sent += static_cast<std::size_t>(count);
  }
  EXPECT_LT(sent, 1'000'000U);
  const std::size_t before = wire_.sent.size();
  wire_.unsent = 0;
  session_->on_sent();
  settle();
  EXPECT_GE(wire_.sent.size() - before, sent);
  close_client();
}

TEST_F(ForwardTest, ASlowOriginHoldsTheClientBack) {
  origin_.small = true;
  wire_.arrival_bytes = 16384;
  (void)ask("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n");
  wire_.receive(std::string(4'000'000, 'x'));
  settle();
  std::size_t got = 0;
  int turns = 0;
  for (; got < 4'000'000 && turns < 10'000; ++turns) {
    got += origin_.received().size();
    EXPECT_LE(loop_->blocks().outstanding(), 2U);  // The request, and what waits of its body.
    settle();
  }
  EXPECT_EQ(got, 4'000'000U);
  EXPECT_GT(turns, 10);
  EXPECT_EQ(answer(kOk), kOk);
}

// --- interim responses

TEST_F(ForwardTest, HintsGoThrough) {
  (void)ask(kGet);
  EXPECT_EQ(answer("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\nX: 1\r\n\r\n"),
            "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
  EXPECT_EQ(answer(kOk), kOk);
}

constexpr std::string_view kExpecting =
    "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

TEST_F(ForwardTest, TheClientIsAskedForItsBodyWhenTheOriginAsks) {
  EXPECT_EQ(ask(kExpecting),
            "PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n");
  EXPECT_EQ(wire_.sent, "");
  EXPECT_EQ(answer("HTTP/1.1 100 Continue\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(ask("hello"), "hello");
  EXPECT_EQ(answer(kOk), kOk);
  EXPECT_EQ(origin_.kept, 1);
}

TEST_F(ForwardTest, ARefusalComesBeforeTheBody) {
  (void)ask(kExpecting);
  EXPECT_EQ(status(answer("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")),
            "HTTP/1.1 403 Forbidden");
  EXPECT_EQ(origin_.ended, 1);
}

TEST_F(ForwardTest, AnOriginThatDoesNotSay100GetsTheBodyAfterAWhile) {
  (void)ask(kExpecting);
  pass(CallOptions{}.continue_time);
  EXPECT_EQ(wire_.take_sent(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(ask("hello"), "hello");
}

TEST_F(ForwardTest, AnEarlyAnswerWhileTheBodyIsSent) {
  (void)ask("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\nhe");
  EXPECT_EQ(status(answer("HTTP/1.1 413 Large\r\ncontent-length: 2\r\n\r\nno")),
            "HTTP/1.1 413 Large");
  EXPECT_EQ(origin_.ended, 1);
  EXPECT_TRUE(wire_.closed);  // The rest is too much to skip.
}

// The client may take its time with the rest of a body that nobody wants.
TEST_F(ForwardTest, TheConnectionIsGivenBackWhenTheResponseIsOver) {
  (void)ask("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhe");
  EXPECT_EQ(status(answer("HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n")), "HTTP/1.1 403 No");
  EXPECT_EQ(context_.exchanges.alive(), 1U);
  EXPECT_EQ(origin_.lent, 0);
  EXPECT_EQ(ask("llo worl" + std::string{kGet}), kGetOn);
  EXPECT_EQ(answer(kOk), kOk);
}

// --- upgrades

constexpr std::string_view kHandshake =
    "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
constexpr std::string_view kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

TEST_F(ForwardTest, AWebSocketIsATunnel) {
  EXPECT_EQ(ask(kHandshake),
            "GET /chat HTTP/1.1\r\nhost: h\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "sec-websocket-version: 13\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
  EXPECT_EQ(answer(std::string{kSwitch} + "first"),
            "HTTP/1.1 101 Switching Protocols\r\n"
            "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
            "connection: Upgrade\r\nupgrade: websocket\r\n\r\nfirst");
  EXPECT_EQ(ask("hello"), "hello");
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\n\r\n"), "HTTP/1.1 200 OK\r\n\r\n");
  wire_.unsent = 1 << 20;  // The client takes no more: the origin waits.
  (void)answer(std::string(100'000, 'x'));
  wire_.unsent = 0;
  session_->on_sent();
  settle();
  EXPECT_EQ(hang_up(), std::string(100'000, 'x'));
  EXPECT_TRUE(wire_.closed);
  EXPECT_EQ(origin_.ended, 1);
}

TEST_F(ForwardTest, TheClientLeavesATunnel) {
  (void)ask(kHandshake);
  (void)answer(kSwitch);
  close_client();
  char byte = 0;
  EXPECT_EQ(::recv(origin_.peer().get(), &byte, 1, 0), 0);
  EXPECT_EQ(origin_.lent, 0);
}

TEST_F(ForwardTest, TheClientEndsATunnel) {
  (void)ask(kHandshake);
  (void)answer(kSwitch);
  EXPECT_EQ(ask("bye"), "bye");
  wire_.end_input();
  settle();
  char byte = 0;
  EXPECT_EQ(::recv(origin_.peer().get(), &byte, 1, 0), 0);
  EXPECT_EQ(origin_.lent, 0);
  EXPECT_TRUE(wire_.closed);
  EXPECT_FALSE(wire_.was_reset);
}

TEST_F(ForwardTest, WhatTheClientSaidBeforeReachesASlowOrigin) {
  origin_.small = true;
  (void)ask(kHandshake);
  (void)answer(kSwitch);
  const std::string said(60'000, 'a');
  wire_.receive(said);
  settle();
  wire_.end_input();
  settle();
  EXPECT_FALSE(wire_.closed);
  std::string got;
  for (int reads = 0; reads < 100 && got.size() < said.size(); ++reads) {
    got += origin_.received();
    settle();
  }
  EXPECT_EQ(got.size(), said.size());
  char byte = 0;
  EXPECT_EQ(::recv(origin_.peer().get(), &byte, 1, 0), 0);
  EXPECT_EQ(origin_.lent, 0);
  EXPECT_TRUE(wire_.closed);
  EXPECT_FALSE(wire_.was_reset);
}

TEST_F(ForwardTest, AnOriginThatTakesNothingIsNotWaitedForLong) {
  origin_.small = true;
  (void)ask(kHandshake);
  (void)answer(kSwitch);
  wire_.receive(std::string(60'000, 'a'));
  settle();
  wire_.end_input();
  settle();
  EXPECT_EQ(origin_.lent, 1);
  pass(CallOptions{}.write_time);
  EXPECT_EQ(origin_.lent, 0);
  EXPECT_TRUE(wire_.was_reset);
}

TEST_F(ForwardTest, OnlyWhatWasAskedForIsATunnel) {
  EXPECT_EQ(status(ask(kHandshake)), "GET /chat HTTP/1.1");
  EXPECT_EQ(status(answer("HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n")),
            "HTTP/1.1 502 Bad Gateway");
  (void)ask(kHandshake);
  EXPECT_EQ(status(answer("HTTP/1.1 101 Switching\r\n\r\n")), "HTTP/1.1 502 Bad Gateway");
  (void)ask(kHandshake);
  EXPECT_EQ(answer(kOk), kOk);
  (void)ask(kGet);
  EXPECT_EQ(status(answer(kSwitch)), "HTTP/1.1 502 Bad Gateway");
}

// --- failures

TEST_F(ForwardTest, WhatTheOriginDoesWrongIsAnsweredFor) {
  const auto answer_to = [this](std::string_view text) {
    mount(plain());
    wire_.forget();
    (void)ask(kGet);
    return status(text.empty() ? hang_up() : answer(text));
  };
  EXPECT_EQ(answer_to("garbage\r\n\r\n"), "HTTP/1.1 502 Bad Gateway");
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\ncontent-length: 1, 2\r\n\r\n"),
            "HTTP/1.1 502 Bad Gateway");
  EXPECT_EQ(answer_to(""), "HTTP/1.1 502 Bad Gateway");
  mount(plain());
  (void)ask(kGet);
  pass(CallOptions{}.response_time);
  EXPECT_EQ(status(wire_.take_sent()), "HTTP/1.1 504 Gateway Timeout");
}

TEST_F(ForwardTest, AResponseThatIsCutOffLooksSo) {
  for (const std::string_view head :
       {"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n"}) {
    wire_.forget();
    mount(plain());
    (void)ask(kGet);
    EXPECT_EQ(answer(head), head);
    EXPECT_EQ(hang_up(), "");
    EXPECT_TRUE(wire_.closed);
  }
  // Where only the close would end it, the client must not take that for the end.
  wire_.forget();
  mount(plain());
  (void)ask("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(
      answer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n").ends_with("he"));
  EXPECT_EQ(hang_up(), "");
  EXPECT_TRUE(wire_.was_reset);
}

TEST_F(ForwardTest, NoConnection) {
  const auto answer_without = [this](Errc error, int times) {
    wire_.forget();
    mount(plain());
    origin_.refuse = error;
    origin_.refuses = times;
    (void)ask(kGet);
    return status(wire_.take_sent());
  };
  EXPECT_EQ(answer_without(Errc::kUpstreamUnreachable, 2), "HTTP/1.1 502 Bad Gateway");
  EXPECT_EQ(answer_without(Errc::kUpstreamBusy, 1), "HTTP/1.1 503 Service Unavailable");
  EXPECT_EQ(answer_without(Errc::kUpstreamTimeout, 1), "HTTP/1.1 504 Gateway Timeout");
  EXPECT_TRUE(origin_.peers.empty());
  EXPECT_EQ(answer_without(Errc::kUpstreamUnreachable, 1), "");  // The second attempt goes well.
  EXPECT_EQ(origin_.peers.size(), 1U);
  EXPECT_EQ(answer(kOk), kOk);
}

// Somebody else says what a failure looks like.
void refuse_in_word(http::Exchange& exchange, Errc error,
                    std::span<const http::Field> fields) noexcept {
  EXPECT_TRUE(exchange.start({.status = info(error).http_status, .fields = fields}));
  EXPECT_TRUE(exchange.write(http::Payload::borrow("no"), http::Final::kYes));
}

class Lines final : public LogSink {
 public:
  void log(LogLevel level, std::string_view text) noexcept override {
    EXPECT_EQ(level, LogLevel::kWarning);
    (all += text) += '\n';
  }
  std::string all;
};

TEST_F(ForwardTest, FailuresAreToldInTheOperatorsWay) {
  Lines lines;
  LogSink* const before = set_log_sink(&lines);
  ForwardOptions options = plain();
  options.refuse = &refuse_in_word;
  mount(std::move(options));
  const auto fail_with = [this](Errc error) {
    origin_.refuse = error;
    origin_.refuses = 1;
    (void)ask(kGet);
    return wire_.take_sent();
  };
  EXPECT_EQ(fail_with(Errc::kUpstreamTimeout),
            "HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 2\r\n\r\nno");
  EXPECT_EQ(fail_with(Errc::kUpstreamBusy),
            "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n"
            "content-length: 2\r\n\r\nno");
  (void)fail_with(Errc::kUpstreamTimeout);
  EXPECT_EQ(lines.all, "Forwarding to o:1 failed: the upstream did not answer in time\n");
  lines.all.clear();
  pass(1s);
  (void)fail_with(Errc::kUpstreamBusy);
  EXPECT_EQ(lines.all,
            "Forwarding to o:1 failed: too many requests wait for the upstream"
            " (and 2 more failures before)\n");
  set_log_sink(before);
}

TEST_F(ForwardTest, AClientThatGoesCancelsTheCall) {
  for (const std::string_view so_far : {"", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe"}) {
    mount(plain());
    (void)ask(kGet);
    if (!so_far.empty()) (void)answer(so_far);
    close_client();
    char byte = 0;
    const ssize_t got = ::recv(origin_.peer().get(), &byte, 1, 0);
    EXPECT_TRUE(got == 0 || (got < 0 && errno == ECONNRESET));
  }
  EXPECT_EQ(origin_.ended, 2);
  EXPECT_EQ(origin_.lent, 0);
}

TEST_F(ForwardTest, AClientThatClosedItsSideIsGoneOnceTheSessionSaysSo) {
  (void)ask(kGet);
  wire_.end_input();
  settle();
  EXPECT_EQ(origin_.lent, 1);
  session_->on_input_closed();
  settle();
  EXPECT_EQ(origin_.lent, 0);
  EXPECT_EQ(wire_.take_sent(), "");
  EXPECT_TRUE(wire_.closed || wire_.was_reset);
  // One that gets its response may still be reading.
  wire_.forget();
  mount(plain());
  (void)ask(kGet);
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe").size(), 40U);
  session_->on_input_closed();
  settle();
  EXPECT_EQ(answer("llo"), "llo");
}

TEST_F(ForwardTest, ACutOffUploadIsNoneToTheOrigin) {
  (void)ask("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\nx\r\n");
  EXPECT_EQ(status(wire_.take_sent()), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(origin_.ended, 1);
  EXPECT_EQ(origin_.lent, 0);
}

// --- once more

class ForwardAgainTest : public ForwardTest {
 protected:
  // An idle connection that the origin closes as the next request is on its way.
  void make_stale() {
    (void)ask(kGet);
    (void)answer(kOk);
    ASSERT_TRUE(origin_.has_idle());
  }
};

TEST_F(ForwardAgainTest, AStaleConnectionIsReplaced) {
  make_stale();
  EXPECT_EQ(ask(kGet), kGetOn);
  EXPECT_EQ(hang_up(), "");
  EXPECT_EQ(origin_.peers.size(), 2U);
  EXPECT_EQ(origin_.received(), kGetOn);
  EXPECT_EQ(answer(kOk), kOk);
}

TEST_F(ForwardAgainTest, ClosedBeforeTheRequestWasSent) {
  make_stale();
  origin_.peer().reset();
  EXPECT_EQ(ask("POST / HTTP/1.1\r\nHost: h\r\n\r\n"),
            "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(origin_.peers.size(), 2U);
  EXPECT_EQ(answer(kOk), kOk);
}

constexpr std::string_view kTimeout =
    "HTTP/1.1 408 Request Timeout\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno";

// Source: RFC 9110 section 15.5.9.
TEST_F(ForwardAgainTest, WhatAnIdleConnectionIsToldIsNoAnswer) {
  for (const std::string_view method : {"GET", "POST"}) {
    make_stale();
    const std::string request = std::string{method} + " / HTTP/1.1\r\nHost: h\r\n\r\n";
    const std::string passed_on = ask(request);
    EXPECT_EQ(answer(kTimeout), "");
    pass(0ns);
    EXPECT_EQ(origin_.wanted, Freshness::kNew);
    EXPECT_EQ(origin_.received(), passed_on);
    EXPECT_EQ(answer(kOk), kOk);
  }
}

TEST_F(ForwardAgainTest, ATimeoutOfARequestIsOne) {
  (void)ask(kGet);
  EXPECT_EQ(status(answer(kTimeout)), "HTTP/1.1 408 Request Timeout") << "a new connection";
  mount(plain());
  make_stale();
  (void)ask(kGet);
  EXPECT_EQ(status(answer("HTTP/1.1 408 R\r\ncontent-length: 0\r\n\r\n")), "HTTP/1.1 408 R")
      << "one that goes on";
  (void)ask("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe");
  EXPECT_EQ(status(answer(kTimeout)), "HTTP/1.1 408 Request Timeout") << "a body that is gone";
}

TEST_F(ForwardAgainTest, OnlyOnce) {
  make_stale();
  (void)ask(kGet);
  (void)hang_up();
  EXPECT_EQ(status(hang_up()), "HTTP/1.1 502 Bad Gateway");
  EXPECT_EQ(origin_.peers.size(), 2U);
}

TEST_F(ForwardAgainTest, NotOnAConnectionThatWasNew) {
  (void)ask(kGet);
  EXPECT_EQ(status(hang_up()), "HTTP/1.1 502 Bad Gateway");
  EXPECT_EQ(origin_.peers.size(), 1U);
}

TEST_F(ForwardAgainTest, NotWhereThatIsNotWished) {
  ForwardOptions options = plain();
  options.retries = false;
  mount(std::move(options));
  make_stale();
  (void)ask(kGet);
  EXPECT_EQ(status(hang_up()), "HTTP/1.1 502 Bad Gateway");
  EXPECT_EQ(origin_.peers.size(), 1U);
}

// The origin may have carried it out.
TEST_F(ForwardAgainTest, NotWhatMayNotBeDoneTwice) {
  make_stale();
  (void)ask("POST / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(status(hang_up()), "HTTP/1.1 502 Bad Gateway");
  EXPECT_EQ(origin_.peers.size(), 1U);
}

TEST_F(ForwardAgainTest, NotWhenPartOfTheBodyIsGone) {
  make_stale();
  (void)ask("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe");
  EXPECT_EQ(status(hang_up()), "HTTP/1.1 502 Bad Gateway");
  EXPECT_EQ(origin_.peers.size(), 1U);
}

// The client kept its body back, so that it is all there for the second attempt.
TEST_F(ForwardAgainTest, ABodyThatWaitsFor100) {
  make_stale();
  (void)ask(kExpecting);
  EXPECT_EQ(hang_up(), "");
  EXPECT_EQ(origin_.peers.size(), 2U);
  EXPECT_TRUE(origin_.received().ends_with("expect: 100-continue\r\n\r\n"));
  EXPECT_EQ(answer("HTTP/1.1 100 Continue\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(ask("hello"), "hello");
  EXPECT_EQ(answer(kOk), kOk);
}

TEST_F(ForwardAgainTest, NotOnceAResponseBegan) {
  make_stale();
  (void)ask(kGet);
  EXPECT_EQ(answer("HTTP/1.1 2"), "");
  EXPECT_EQ(status(hang_up()), "HTTP/1.1 502 Bad Gateway");
  EXPECT_EQ(origin_.peers.size(), 1U);
}

}  // namespace
}  // namespace tercel::proxy
