// Clients that leave before they have their answer.
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "gateway/handler_fixture.h"

namespace tercel::gateway {
namespace {

using s3::signed_request;

class HandlerLeavingTest : public HandlerFixture {
 protected:
  // The client closes its direction, and the session has waited for long enough.
  void close_direction() {
    wire_.end_input();
    settle();
    session_->on_input_closed();
    settle();
  }
  // Nothing more comes: it was closed.
  bool backend_was_left() {
    char byte = 0;
    const ssize_t got = ::recv(peer_.get(), &byte, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }
};

constexpr std::string_view kDone = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

TEST_F(HandlerLeavingTest, AReadEndsWithTheDirectionOfItsClient) {
  serve({{"logs", backend()}});
  EXPECT_NE(pass_through(signed_request({.path = "/logs/a"})), "");
  close_direction();
  EXPECT_TRUE(backend_was_left());
  EXPECT_EQ(wire_.take_sent(), "");
}

TEST_F(HandlerLeavingTest, AWriteIsDoneAndAnsweredThen) {
  serve({{"logs", backend()}});
  EXPECT_NE(pass_through(signed_request({.method = "PUT", .path = "/logs/a"}), "abc"), "");
  close_direction();
  EXPECT_FALSE(backend_was_left());
  EXPECT_TRUE(has(answer_from_backend(kDone), "HTTP/1.1 200 OK\r\n"));
}

TEST_F(HandlerLeavingTest, AWriteThatWasSentIsDoneWithoutItsClient) {
  serve({{"logs", backend()}});
  EXPECT_NE(pass_through(signed_request({.method = "DELETE", .path = "/logs/a"})), "");
  close_client();
  EXPECT_FALSE(backend_was_left());
  EXPECT_EQ(answer_from_backend(kDone), "");
  // Its connection is another request's now.
  open(*handler_);
  const std::string next = pass_through(signed_request({.method = "DELETE", .path = "/logs/b"}));
  EXPECT_TRUE(next.starts_with("DELETE /logs/b ")) << next;
  (void)answer_from_backend(kDone);
}

// The handler goes while the backend still works.
TEST_F(HandlerLeavingTest, AWriteEndsWithTheGateway) {
  serve({{"logs", backend()}});
  EXPECT_NE(pass_through(signed_request({.method = "DELETE", .path = "/logs/a"})), "");
  close_client();
  session_.reset();
  handler_.reset();
  settle();
  EXPECT_TRUE(backend_was_left());
}

TEST_F(HandlerLeavingTest, ARequestThatIsHalfSentIsLost) {
  serve({{"logs", backend()}});
  const std::string text = text_of(signed_request({.method = "PUT", .path = "/logs/a"}), "abc");
  EXPECT_EQ(send(text.substr(0, text.size() - 1)), "");
  (void)reply_key();
  (void)reply_yes();
  EXPECT_TRUE(at_backend().ends_with("ab"));
  close_client();
  EXPECT_TRUE(backend_was_left());
}

// It is told once of the client, which may be before there is a relay.
TEST_F(HandlerLeavingTest, AReadEndsWhileThePolicyIsAsked) {
  serve({{"logs", backend()}});
  EXPECT_EQ(send(signed_request({.path = "/logs/a"})), "");
  close_direction();
  EXPECT_EQ(reply_key(), "");
  EXPECT_EQ(policy_.log, "key AKIAIOSFODNN7EXAMPLE;");
  EXPECT_FALSE(connected());
}

TEST_F(HandlerLeavingTest, AWriteDoesNotEndWhileThePolicyIsAsked) {
  serve({{"logs", backend()}});
  EXPECT_EQ(send(signed_request({.method = "PUT", .path = "/logs/a"}), "abc"), "");
  close_direction();
  (void)reply_key();
  (void)reply_yes();
  EXPECT_TRUE(at_backend().ends_with("abc"));
  EXPECT_TRUE(has(answer_from_backend(kDone), "HTTP/1.1 200 OK\r\n"));
}

}  // namespace
}  // namespace tercel::gateway
