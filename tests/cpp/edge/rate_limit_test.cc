#include "tercel/edge/rate_limit.h"

#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "support/allocations.h"
#include "support/manual_clock.h"
#include "support/memory_wire.h"
#include "tercel/http/h1_session.h"

namespace tercel::edge {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
constexpr std::string_view kRefusedHead =
    "HTTP/1.1 429 Too Many Requests\r\ncontent-type: text/plain; charset=utf-8\r\n"
    "x-content-type-options: nosniff\r\nretry-after: ";
constexpr std::string_view kRefusedBody = "the client sends more requests than the limit\n";

class Hello final : public http::Handler {
 public:
  void handle(const http::Request&, http::Exchange& exchange) noexcept override {
    ++requests;
    ASSERT_TRUE(exchange.start({}));
    ASSERT_TRUE(exchange.write(http::Payload::borrow("hi"), http::Final::kYes));
  }
  int requests = 0;
};

// As a wrapper for trusted proxies does it.
class NamesTheClient final : public http::Handler {
 public:
  explicit NamesTheClient(http::Handler& inner) : inner_{inner} {}
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    http::Request named = request;
    named.client = &client;
    inner_.handle(named, exchange);
  }
  Address client{.ip = {203, 0, 113, 1}, .kind = AddressKind::kIpv4};

 private:
  http::Handler& inner_;
};

// An HTTP/1 session over memory, with the limit before its handler.
class RateLimitTest : public testing::Test {
 protected:
  RateLimitTest() { serve(limit_); }

  void serve(http::Handler& handler) {
    session_.reset();
    wire_.forget();
    context_ = std::make_unique<http::H1Context>(handler, http::Limits{});
    context_->set_default_fields("", "", /*with_date=*/false);
    session_ = std::make_unique<http::H1Session>(wire_, *context_);
    wire_.session = session_.get();
  }
  void come_from(const Address& peer) { wire_.ends.peer = peer; }
  [[nodiscard]] std::string ask(std::string_view request = kGet) {
    wire_.receive(request);
    return wire_.take_sent();
  }
  [[nodiscard]] static std::string refused(std::string_view seconds) {
    return std::string{kRefusedHead} + std::string{seconds} + "\r\ncontent-length: 46\r\n\r\n" +
           std::string{kRefusedBody};
  }
  void pass(std::chrono::nanoseconds time) {
    clock_.advance(time);
    ASSERT_TRUE(loop_->wait(0ns));
    loop_->dispatch();
  }

  test::ManualClock clock_;
  std::unique_ptr<net::Loop> loop_ = *net::Loop::create(clock_, net::system_calls());
  Hello hello_;
  RateLimit limit_{hello_, *loop_, {.requests = 2, .burst = 3}};
  test::MemoryWire wire_;
  std::unique_ptr<http::H1Context> context_;
  std::unique_ptr<http::H1Session> session_;
  const Address ann_{.ip = {192, 0, 2, 1}, .port = 1, .kind = AddressKind::kIpv4};
  const Address bob_{.ip = {192, 0, 2, 2}, .port = 1, .kind = AddressKind::kIpv4};
};

TEST_F(RateLimitTest, AboveTheLimitTheAnswerIs429AndTheHandlerHearsNothing) {
  come_from(ann_);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(), kHello);
  EXPECT_EQ(ask(), refused("1"));
  EXPECT_EQ(hello_.requests, 3);
  EXPECT_EQ(limit_.refused(), 1U);
  EXPECT_FALSE(wire_.closed);
  pass(500ms);
  EXPECT_EQ(ask(), kHello);
  EXPECT_EQ(ask(), refused("1"));
}

TEST_F(RateLimitTest, RetryAfterIsTheTimeUntilATokenInWholeSeconds) {
  RateLimit slow{hello_, *loop_, {.requests = 1, .burst = 1}};
  serve(slow);
  come_from(ann_);
  EXPECT_EQ(ask(), kHello);
  EXPECT_EQ(ask(), refused("1"));
  pass(900ms);
  EXPECT_EQ(ask(), refused("1"));  // Never 0, which would say "at once".
}

TEST_F(RateLimitTest, ConnectionsOfOneClientShareItsBucketAndOthersHaveTheirOwn) {
  come_from(ann_);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(), kHello);
  serve(limit_);
  Address again = ann_;
  again.port = 2;
  come_from(again);
  EXPECT_EQ(ask(), refused("1"));
  serve(limit_);
  come_from(bob_);
  EXPECT_EQ(ask(), kHello);
}

TEST_F(RateLimitTest, ABodyThatNobodyReadsIsSkippedAndTheConnectionGoesOn) {
  come_from(ann_);
  for (int i = 0; i < 3; ++i) (void)ask();
  EXPECT_EQ(ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"), refused("1"));
  EXPECT_EQ(ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                "5\r\nhello\r\n0\r\n\r\n"),
            refused("1"));
  EXPECT_FALSE(wire_.closed);
  pass(500ms);
  EXPECT_EQ(ask(), kHello);
}

// A client that waits before it sends its body is spared the sending.
TEST_F(RateLimitTest, NoBodyIsAskedFor) {
  come_from(ann_);
  for (int i = 0; i < 3; ++i) (void)ask();
  const std::string answer =
      ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(answer.starts_with(kRefusedHead)) << answer;
}

TEST_F(RateLimitTest, TheAnswerToHeadHasNoBody) {
  come_from(ann_);
  for (int i = 0; i < 3; ++i) (void)ask();
  EXPECT_EQ(ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
            std::string{kRefusedHead} + "1\r\ncontent-length: 46\r\n\r\n");
}

TEST_F(RateLimitTest, TheClientIsWhomTheRequestNames) {
  NamesTheClient proxied{limit_};
  serve(proxied);
  come_from(ann_);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(), kHello);
  EXPECT_EQ(ask(), refused("1"));
  proxied.client.ip = {203, 0, 113, 2};
  EXPECT_EQ(ask(), kHello);
  serve(limit_);
  EXPECT_EQ(ask(), kHello);  // The proxy itself owes nothing.
}

TEST_F(RateLimitTest, WhoHasNoAddressIsNotLimited) {
  come_from({.kind = AddressKind::kUnix});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ask(), kHello);
}

TEST_F(RateLimitTest, ARefusalAllocatesNothing) {
  come_from(ann_);
  wire_.sent.reserve(1 << 20);
  for (int i = 0; i < 10; ++i) wire_.receive(kGet);
  wire_.receive(kGet);
  const test::AllocationCount count;
  for (int i = 0; i < 100; ++i) wire_.receive(kGet);
  EXPECT_EQ(count.so_far(), 0U);
  EXPECT_EQ(hello_.requests, 3);
}

}  // namespace
}  // namespace tercel::edge
