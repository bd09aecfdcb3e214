// Requests that meet endpoints which fail: what backends get of them, and what clients do.
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "gateway/handler_fixture.h"

namespace tercel::gateway {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using s3::signed_request;

constexpr std::string_view kSlowDown = "HTTP/1.1 503 S\r\ncontent-length: 4\r\n\r\nslow";
constexpr std::string_view kFound = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

class FailoverTest : public HandlerFixture {
 protected:
  // The value of a field of the request that a backend got.
  static std::string field(std::string_view text, std::string_view name) {
    const std::size_t begin = text.find("\r\n" + std::string{name} + ": ");
    if (begin == std::string_view::npos) return "";
    text.remove_prefix(begin + name.size() + 4);
    return std::string{text.substr(0, text.find("\r\n"))};
  }
  Backend with_second_endpoint() {
    Backend one = backend();
    Endpoint other = one;
    other.port = second_.address().port;
    other.pool_key = "two";
    other.health = {};
    one.others.push_back(other);
    return one;
  }
  std::string at_second() {
    settle();
    if (test::Fd next = second_.accept(); next.get() >= 0) {
      peer_ = std::move(next);
      EXPECT_EQ(::fcntl(peer_.get(), F_SETFL, O_NONBLOCK), 0);
      settle();
    }
    return test::receive_all(peer_);
  }
  void break_off() {
    peer_.reset();
    settle();
  }

  test::TcpListener second_;
};

TEST_F(FailoverTest, EachAttemptIsSignedWithATimeOfItsOwn) {
  serve({{"logs", backend()}});
  const std::string before = pass_through(signed_request({.path = "/logs/a"}));
  EXPECT_EQ(answer_from_backend(kSlowDown), "");
  test_time += 2s;
  pass(1s);
  const std::string again = test::receive_all(peer_);
  EXPECT_TRUE(is_signed_by(again, "BACK", "back-secret")) << again;
  EXPECT_NE(field(before, "x-amz-date"), "");
  EXPECT_NE(field(before, "x-amz-date"), field(again, "x-amz-date"));
  EXPECT_TRUE(answer_from_backend(kFound).ends_with("\r\n\r\nok"));
  EXPECT_EQ(gateway_->meters.sum(Counts::retried), 1U);
  EXPECT_EQ(gateway_->meters.sum(Counts::backend_failed), 0U);
}

TEST_F(FailoverTest, TheNextEndpointGetsTheRequestUnderItsOwnName) {
  serve({{"logs", with_second_endpoint()}});
  (void)pass_through(signed_request({.path = "/logs/a"}));
  EXPECT_EQ(answer_from_backend(kSlowDown), "");
  pass(0s);
  const std::string there = at_second();
  EXPECT_TRUE(is_signed_by(there, "BACK", "back-secret")) << there;
  EXPECT_EQ(field(there, "host"), "127.0.0.1:" + std::to_string(second_.address().port));
  EXPECT_TRUE(answer_from_backend(kFound).ends_with("\r\n\r\nok"));
  EXPECT_EQ(gateway_->meters.sum(Counts::failed_over), 1U);
}

TEST_F(FailoverTest, OneThatFailsThriceIsLeftAloneForASecond) {
  serve({{"logs", with_second_endpoint()}});
  (void)pass_through(signed_request({.path = "/logs/a"}));
  for (unsigned i = 0; i < EndpointHealth::kFailures; ++i) {
    break_off();
    EXPECT_NE(at_second(), "") << "another attempt of a GET";
    (void)answer_from_backend(kFound);
    if (i + 1 == EndpointHealth::kFailures) break;
    EXPECT_EQ(send(signed_request({.path = "/logs/a"})), "");
    EXPECT_NE(at_backend(), "");
  }
  EXPECT_EQ(gateway_->meters.sum(Counts::rested), 1U);
  EXPECT_EQ(send(signed_request({.path = "/logs/a"})), "");
  EXPECT_LT(listener_.accept().get(), 0);
  EXPECT_NE(at_second(), "");
  (void)answer_from_backend(kFound);
  pass(EndpointHealth::kRestMin);
  EXPECT_EQ(send(signed_request({.path = "/logs/a"})), "");
  EXPECT_NE(at_backend(), "");
  EXPECT_TRUE(answer_from_backend(kFound).ends_with("\r\n\r\nok"));
}

TEST_F(FailoverTest, ABodyThatWasSentIsNotSentAgain) {
  serve({{"logs", with_second_endpoint()}});
  (void)pass_through(signed_request({.method = "PUT", .path = "/logs/a"}), "body");
  EXPECT_TRUE(answer_from_backend(kSlowDown).starts_with("HTTP/1.1 503 "));
  EXPECT_LT(second_.accept().get(), 0);
}

TEST_F(FailoverTest, TheTimesOfABackendAreItsOwn) {
  Backend impatient = backend();
  impatient.times.response_time = 2s;
  serve({{"logs", impatient}});
  (void)pass_through(signed_request({.path = "/logs/a"}));
  pass(1900ms);
  EXPECT_EQ(wire_.take_sent(), "");
  pass(100ms);
  const std::string got = wire_.take_sent();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 504 ")) << got;
  EXPECT_TRUE(has(got, "<Code>GatewayTimeout</Code>"));
}

}  // namespace
}  // namespace tercel::gateway
