#include "tercel/edge/cors.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocations.h"
#include "support/memory_wire.h"
#include "tercel/http/h1_session.h"

namespace tercel::edge {
namespace {

// Answers at once, or keeps the exchange for the test to answer.
class Inner final : public http::Handler, public http::Observer {
 public:
  void handle(const http::Request&, http::Exchange& exchange) noexcept override {
    ++requests;
    if (fails) return exchange.abort(*fails);
    if (later) {
      exchange.observe(this);
      kept = &exchange;
      return;
    }
    hello(exchange);
  }
  void hello(http::Exchange& exchange) {
    if (!exchange.start({.fields = fields})) return;
    ASSERT_TRUE(exchange.write(http::Payload::borrow("hi"), http::Final::kYes));
  }
  void on_body() noexcept override { ++bodies; }
  void on_writable() noexcept override { ++writables; }
  void on_notice(http::Notice) noexcept override { ++notices; }
  void on_end(http::Outcome outcome) noexcept override {
    kept = nullptr;
    ended = outcome;
  }

  std::vector<http::Field> fields{{"content-length", "2"}};
  std::optional<Errc> fails;
  bool later = false;
  http::Exchange* kept = nullptr;
  std::optional<http::Outcome> ended;
  int requests = 0;
  int bodies = 0;
  int writables = 0;
  int notices = 0;
};

// A request is gone when its handler has returned.
class Fleeting final : public http::Handler {
 public:
  explicit Fleeting(http::Handler& inner) : inner_{inner} {}
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    std::string origin{http::find_field(request.fields, "origin")->value};
    const http::Field field{"origin", origin};
    http::Request copy = request;
    copy.fields = {&field, 1};
    inner_.handle(copy, exchange);
    std::fill(origin.begin(), origin.end(), '#');
  }

 private:
  http::Handler& inner_;
};

class CorsTest : public testing::Test {
 protected:
  CorsTest() { serve(cors_); }
  ~CorsTest() override { session_.reset(); }

  void serve(http::Handler& handler) {
    session_.reset();
    wire_.forget();
    context_ = std::make_unique<http::H1Context>(handler, http::Limits{});
    context_->set_default_fields("", "", /*with_date=*/false);
    session_ = std::make_unique<http::H1Session>(wire_, *context_);
    wire_.session = session_.get();
  }
  [[nodiscard]] std::string ask(std::string_view fields, std::string_view method = "GET") {
    wire_.receive(std::string{method} + " / HTTP/1.1\r\nHost: a\r\n" + std::string{fields} +
                  "\r\n");
    return wire_.take_sent();
  }

  Inner inner_;
  const CorsPolicy policy_{{.origins = {"https://a", "https://*.b"}, .credentials = true}};
  Cors cors_{inner_, policy_};
  test::MemoryWire wire_;
  std::unique_ptr<http::H1Context> context_;
  std::unique_ptr<http::H1Session> session_;
};

constexpr std::string_view kOfA = "Origin: https://a\r\n";
constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
constexpr std::string_view kHelloToA =
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\naccess-control-allow-origin: https://a\r\n"
    "access-control-allow-credentials: true\r\nvary: origin\r\n\r\nhi";

TEST_F(CorsTest, AnAnswerSaysWhoMayReadIt) {
  EXPECT_EQ(ask(kOfA), kHelloToA);
  EXPECT_EQ(ask("Origin: https://x.b\r\n"),
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\naccess-control-allow-origin: https://x.b\r\n"
            "access-control-allow-credentials: true\r\nvary: origin\r\n\r\nhi");
}

TEST_F(CorsTest, OtherOriginsAreAnsweredWithoutAWordAndWithVary) {
  EXPECT_EQ(ask("Origin: https://evil\r\n"),
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nvary: origin\r\n\r\nhi");
  EXPECT_EQ(inner_.requests, 1);
}

TEST_F(CorsTest, ARequestWithoutOriginIsNotTouched) {
  EXPECT_EQ(ask(""), kHello);
  EXPECT_EQ(ask("Access-Control-Request-Method: GET\r\n", "OPTIONS"), kHello);
}

TEST_F(CorsTest, APreflightIsAnsweredAndTheHandlerHearsNothing) {
  EXPECT_EQ(ask("Origin: https://a\r\nAccess-Control-Request-Method: PUT\r\n", "OPTIONS"),
            "HTTP/1.1 204 No Content\r\naccess-control-allow-origin: https://a\r\n"
            "access-control-allow-credentials: true\r\n"
            "access-control-allow-methods: GET, HEAD, POST, PUT, PATCH, DELETE\r\n"
            "access-control-max-age: 600\r\n"
            "vary: origin, access-control-request-method, access-control-request-headers\r\n\r\n");
  EXPECT_EQ(ask("Origin: https://evil\r\nAccess-Control-Request-Method: PUT\r\n", "OPTIONS"),
            "HTTP/1.1 204 No Content\r\n"
            "vary: origin, access-control-request-method, access-control-request-headers\r\n\r\n");
  EXPECT_EQ(inner_.requests, 0);
  EXPECT_EQ(ask(kOfA, "OPTIONS"), kHelloToA);  // A plain one is the handler's.
  EXPECT_EQ(inner_.requests, 1);
}

TEST_F(CorsTest, AnAnswerThatComesLaterHasTheFieldsToo) {
  Fleeting fleeting{cors_};
  serve(fleeting);
  inner_.later = true;
  EXPECT_EQ(ask("Origin: https://later.b\r\n"), "");
  inner_.hello(*inner_.kept);
  EXPECT_EQ(wire_.take_sent(),
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\naccess-control-allow-origin: "
            "https://later.b\r\naccess-control-allow-credentials: true\r\nvary: origin\r\n\r\nhi");
  EXPECT_EQ(inner_.ended, http::Outcome::kComplete);
}

TEST_F(CorsTest, TheHandlerHearsWhatTheExchangeSays) {
  inner_.later = true;
  EXPECT_EQ(ask("Origin: https://a\r\nContent-Length: 2\r\n", "POST"), "");
  EXPECT_EQ(inner_.kept->endpoints().peer, wire_.ends.peer);
  EXPECT_EQ(inner_.kept->read_body().state, http::BodyState::kPending);
  wire_.receive("hi");
  EXPECT_EQ(inner_.bodies, 1);
  const http::BodyRead read = inner_.kept->read_body();
  EXPECT_EQ(read.bytes, "hi");
  EXPECT_EQ(read.state, http::BodyState::kEnd);
  EXPECT_TRUE(inner_.kept->writable());
  session_->notify_draining();
  EXPECT_EQ(inner_.notices, 1);
  session_.reset();
  EXPECT_TRUE(inner_.ended);
}

TEST_F(CorsTest, WhatAHandlerGivesUpIsReadableToo) {
  inner_.fails = Errc::kRateLimited;
  const std::string answer = ask(kOfA);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 429 Too Many Requests\r\n")) << answer;
  EXPECT_NE(answer.find("\r\nretry-after: 1\r\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("\r\naccess-control-allow-origin: https://a\r\n"), std::string::npos);
  EXPECT_NE(answer.find("\r\nvary: origin\r\n"), std::string::npos);
  EXPECT_FALSE(wire_.closed);
  inner_.fails.reset();
  EXPECT_EQ(ask(kOfA), kHelloToA);
}

// The peer is told what was wrong with its request, not what the handler made of it.
TEST_F(CorsTest, AFaultOfTheBodyIsAnsweredByTheServer) {
  inner_.later = true;
  (void)ask("Origin: https://a\r\nTransfer-Encoding: chunked\r\n", "POST");
  EXPECT_EQ(inner_.kept->read_body().state, http::BodyState::kPending);
  wire_.receive("zz\r\n");
  ASSERT_NE(inner_.kept, nullptr);
  EXPECT_EQ(inner_.kept->read_body().state, http::BodyState::kFailed);
  inner_.kept->abort(Errc::kHandlerFailed);
  EXPECT_EQ(wire_.take_sent().substr(0, 12), "HTTP/1.1 400");
}

TEST_F(CorsTest, AnAnswerThatIsBrokenOffIsVisiblyIncomplete) {
  inner_.later = true;
  inner_.fields.clear();
  (void)ask(kOfA);
  ASSERT_TRUE(inner_.kept->start({}));
  ASSERT_TRUE(inner_.kept->write(http::Payload::borrow("part"), http::Final::kNo));
  inner_.kept->abort(Errc::kHandlerFailed);
  const std::string answer = wire_.take_sent();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("4\r\npart\r\n")) << answer;
  EXPECT_TRUE(wire_.closed);
}

TEST_F(CorsTest, ABadHeadIsRefusedAndMayBeMadeAgain) {
  inner_.later = true;
  (void)ask(kOfA);
  const http::Field bad[] = {{"a b", "c"}};
  EXPECT_FALSE(inner_.kept->start({.fields = bad}));
  inner_.hello(*inner_.kept);
  EXPECT_EQ(wire_.take_sent(), kHelloToA);
}

TEST_F(CorsTest, ManyFieldsAreKept) {
  for (int i = 0; i < 200; ++i) inner_.fields.push_back({"x-field", "value"});
  const std::string answer = ask(kOfA);
  std::size_t count = 0;
  for (std::size_t at = 0; (at = answer.find("\r\nx-field: value", at)) != std::string::npos;
       ++at) {
    ++count;
  }
  EXPECT_EQ(count, 200U);
  EXPECT_NE(answer.find("\r\nvary: origin\r\n"), std::string::npos);
}

TEST_F(CorsTest, AHandshakeOfAWebSocketIsNotTouched) {
  const std::string answer =
      ask("Origin: https://a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n");
  EXPECT_EQ(answer.find("access-control"), std::string::npos) << answer;
  EXPECT_EQ(inner_.requests, 1);
}

TEST_F(CorsTest, ASteadyStateAllocatesNothing) {
  wire_.sent.reserve(1 << 20);
  wire_.reserve(1 << 16);
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n" + std::string{kOfA} + "\r\n";
  for (int i = 0; i < 10; ++i) wire_.receive(request);
  const test::AllocationCount count;
  for (int i = 0; i < 100; ++i) wire_.receive(request);
  EXPECT_EQ(count.so_far(), 0U);
  EXPECT_EQ(inner_.requests, 110);
}

// The exchange, the head with the fields: whichever cannot be had.
TEST_F(CorsTest, WithoutMemoryTheAnswerIs503OrTheConnectionEnds) {
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n" + std::string{kOfA} + "\r\n";
  wire_.sent.reserve(1 << 16);
  wire_.reserve(1 << 16);
  int refused = 0;
  bool failed = true;
  for (std::uint64_t nth = 1; failed; ++nth) {
    Cors cors{inner_, policy_};
    http::H1Context context{cors, http::Limits{}};
    context.set_default_fields("", "", /*with_date=*/false);
    wire_.forget();
    http::H1Session session{wire_, context};
    wire_.session = &session;
    {
      const test::AllocationFailure failure{nth};
      wire_.receive(request);
      failed = failure.happened();
    }
    if (!failed) {
      EXPECT_EQ(wire_.sent, kHelloToA);
      break;
    }
    EXPECT_TRUE(wire_.sent.starts_with("HTTP/1.1 503") || wire_.closed || wire_.was_reset) << nth;
    ++refused;
    ASSERT_LT(nth, 20U);
  }
  EXPECT_GE(refused, 2);
}

}  // namespace
}  // namespace tercel::edge
