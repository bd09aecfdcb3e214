#include "tercel/proxy/relay.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "proxy/relay_fixture.h"

namespace tercel::proxy {
namespace {

using http::Final;

// Leaves out each '-', says '!' at the end, and breaks at 'X'. Takes a few bytes at a time, as one
// that takes a framing off does.
class Filter final : public BodyFilter {
 public:
  Result<Passed> pass(std::string_view bytes, Final final) noexcept override {
    if (bytes.empty()) {
      if (final == Final::kNo || ended_) return Passed{0, {}};
      ended_ = true;
      return Passed{0, "!"};
    }
    if (bytes.front() == 'X') return fail(Errc::kBadChunk);
    if (bytes.front() == '-') return Passed{1, {}};
    const std::size_t count = std::min(bytes.find_first_of("-X"), bytes.size());
    return Passed{count, bytes.substr(0, count)};
  }

 private:
  bool ended_ = false;
};

// Lets so many bytes pass, and then has everybody wait.
class TestThrottle final : public Throttle {
 public:
  std::chrono::nanoseconds wait(Way way, std::optional<std::uint64_t> body_bytes,
                                std::chrono::nanoseconds now) noexcept override {
    log += (way == Way::kUp ? "up " : "down ") +
           (body_bytes ? std::to_string(*body_bytes) : std::string{"?"}) + "; ";
    return std::max(ready_at - now, std::chrono::nanoseconds{0});
  }
  void passed(Way way, std::size_t bytes, std::chrono::nanoseconds now) noexcept override {
    log += (way == Way::kUp ? "+up " : "+down ") + std::to_string(bytes) + "; ";
    ready_at = now + pause;
  }
  std::chrono::nanoseconds ready_at{0};
  std::chrono::nanoseconds pause{0};
  std::string log;
};

class RelayTest : public test::RewriterFixture {
 protected:
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    request_filter_.emplace();
    response_filter_.emplace();
    Relay::start(
        relays_, *this, request, exchange,
        {.request = &*request_filter_, .response = &*response_filter_, .throttle = throttle_});
  }
  Result<void> rewrite_request(const http::Request& from, Outgoing& to,
                               FieldDraft& draft) noexcept override {
    if (from.path == "/forbidden") return fail(Errc::kNotFound);
    draft.add("attempt", draft.text({to.attempt == 1 ? "first" : "second"}));
    to.head.fields = draft.fields();
    to.passes_trailers = from.path != "/untrailed";
    if (to.head.framing != http::Framing::kNone) to.head.framing = http::Framing::kChunked;
    return RewriterFixture::rewrite_request(from, to, draft);
  }
  Result<void> rewrite_response(const http::ResponseHead& from, http::Response& to,
                                FieldDraft& draft) noexcept override {
    if (from.status == 299) return fail(Errc::kUpstreamMalformed);
    draft.add("x", "y");
    to.fields = draft.fields();
    return RewriterFixture::rewrite_response(from, to, draft);
  }
  bool goes_elsewhere(const http::ResponseHead& head) noexcept override {
    return head.status == 307;
  }

  std::optional<Filter> request_filter_;
  std::optional<Filter> response_filter_;
  TestThrottle* throttle_ = nullptr;
};

constexpr std::string_view kPut = "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n";
constexpr std::string_view kPutOn =
    "PUT / HTTP/1.1\r\nhost: o\r\nattempt: first\r\ntransfer-encoding: chunked\r\n\r\n";

TEST_F(RelayTest, BothBodiesGoThroughTheirFilters) {
  EXPECT_EQ(ask(std::string{kPut} + "he--llo-"),
            std::string{kPutOn} + "2\r\nhe\r\n3\r\nllo\r\n1\r\n!\r\n0\r\n\r\n");
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\na-b--"),
            "HTTP/1.1 200 OK\r\nx: y\r\ntransfer-encoding: chunked\r\n\r\n"
            "1\r\na\r\n1\r\nb\r\n1\r\n!\r\n0\r\n\r\n");
  EXPECT_EQ(log_, "ended 0 1");
  EXPECT_EQ(origin_.kept, 1);
}

TEST_F(RelayTest, TrailersGoOnlyWhereTheRewriterLetsThem) {
  const auto put = [](const std::string& path) {
    return "PUT " + path + " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" +
           "1\r\na\r\n0\r\nX-A: b\r\n\r\n";
  };
  EXPECT_TRUE(ask(put("/")).ends_with("0\r\nx-a: b\r\n\r\n"));
  (void)answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  const std::string sent = ask(put("/untrailed"));
  EXPECT_TRUE(sent.ends_with("0\r\n\r\n"));
  EXPECT_EQ(sent.find("x-a"), std::string::npos);
  (void)answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
}

TEST_F(RelayTest, AFilterThatBreaksLeavesTheRequestIncomplete) {
  EXPECT_EQ(ask(std::string{kPut} + "helloX!!"), std::string{kPutOn} + "5\r\nhello\r\n");
  EXPECT_TRUE(wire_.sent.starts_with("HTTP/1.1 400 "));
  EXPECT_EQ(log_, "refused BadChunk ended 2 1");
  EXPECT_EQ(origin_.ended, 1);
}

TEST_F(RelayTest, OneThatBreaksInTheResponseCutsItOff) {
  (void)ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabXde"),
            "HTTP/1.1 200 OK\r\nx: y\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n");
  EXPECT_TRUE(wire_.closed);
  EXPECT_EQ(log_, "ended 2 1");
}

TEST_F(RelayTest, TheRewriterMayRefuse) {
  (void)ask("GET /forbidden HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(wire_.take_sent().starts_with("HTTP/1.1 404 "));
  EXPECT_EQ(origin_.acquired, 0);
  EXPECT_EQ(log_, "refused NotFound ended 2 1");
  log_.clear();
  (void)ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(answer("HTTP/1.1 299 A\r\ncontent-length: 0\r\n\r\n").starts_with("HTTP/1.1 502 "));
  EXPECT_EQ(log_, "refused UpstreamMalformed ended 2 1");
}

TEST_F(RelayTest, ASecondAttemptGetsAHeadOfItsOwn) {
  constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  (void)ask(kGet);
  (void)answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  log_.clear();
  EXPECT_EQ(ask(kGet), "GET / HTTP/1.1\r\nhost: o\r\nattempt: first\r\n\r\n");
  (void)hang_up();
  EXPECT_EQ(origin_.received(), "GET / HTTP/1.1\r\nhost: o\r\nattempt: second\r\n\r\n");
  (void)answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(log_, "ended 0 2");
}

// What the filter took is gone, though nothing of it went on.
TEST_F(RelayTest, NoSecondAttemptWithoutTheBeginningOfTheBody) {
  (void)ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  (void)answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(ask(std::string{kPut} + "--"), kPutOn);
  EXPECT_TRUE(hang_up().starts_with("HTTP/1.1 502 "));
  EXPECT_EQ(origin_.peers.size(), 1U);
}

// --- a response that is none

TEST_F(RelayTest, GoesElsewhereWhileNothingIsLost) {
  constexpr std::string_view kElsewhere = "HTTP/1.1 307 T\r\ncontent-length: 5\r\n\r\nthere";
  (void)ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(answer(kElsewhere), "");
  pass({});
  EXPECT_EQ(origin_.peers.size(), 1U) << "the connection was used again";
  EXPECT_TRUE(origin_.received().starts_with("GET / HTTP/1.1\r\nhost: o\r\nattempt: second\r\n"));
  EXPECT_TRUE(answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").starts_with("HTTP/1.1 200"));
  EXPECT_EQ(log_, "ended 0 2");
}

TEST_F(RelayTest, ItDoesNotGoOnForEver) {
  constexpr std::string_view kElsewhere = "HTTP/1.1 307 T\r\ncontent-length: 0\r\n\r\n";
  (void)ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  for (unsigned i = 1; i < Relay::kAttemptsMax; ++i) {
    EXPECT_EQ(answer(kElsewhere), "");
    pass({});
    EXPECT_TRUE(origin_.received().starts_with("GET / ")) << i;
  }
  EXPECT_TRUE(answer(kElsewhere).starts_with("HTTP/1.1 307 "));
  EXPECT_EQ(log_, "ended 0 16");
}

TEST_F(RelayTest, WithABodyThatIsTakenItGoesNowhere) {
  (void)ask(std::string{kPut} + "hello");
  EXPECT_TRUE(answer("HTTP/1.1 307 T\r\ncontent-length: 0\r\n\r\n").starts_with("HTTP/1.1 307 "));
}

// --- how fast

TEST_F(RelayTest, AThrottleHoldsTheRequestUp) {
  TestThrottle throttle;
  throttle_ = &throttle;
  throttle.pause = std::chrono::hours{2};  // Longer than any limit: nobody waits for a peer.
  EXPECT_EQ(ask(std::string{kPut} + "abcd"), std::string{kPutOn} + "4\r\nabcd\r\n");
  EXPECT_EQ(throttle.log, "up 8; +up 4; up 8; ");
  EXPECT_EQ(ask("efgh"), "");
  pass(std::chrono::hours{1});
  EXPECT_EQ(origin_.received(), "");
  pass(std::chrono::hours{1});
  EXPECT_EQ(origin_.received(), "4\r\nefgh\r\n1\r\n!\r\n0\r\n\r\n");
  EXPECT_TRUE(throttle.log.ends_with("up 8; +up 4; ")) << throttle.log;
  EXPECT_EQ(log_, "");
}

TEST_F(RelayTest, AThrottleHoldsTheResponseUpButNotItsHead) {
  TestThrottle throttle;
  throttle_ = &throttle;
  throttle.pause = std::chrono::hours{2};
  (void)ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  throttle.ready_at = loop_->now() + std::chrono::hours{2};
  const std::string head = "HTTP/1.1 200 OK\r\nx: y\r\ntransfer-encoding: chunked\r\n\r\n";
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab"), head);
  pass(std::chrono::hours{2});
  EXPECT_EQ(wire_.take_sent(), "2\r\nab\r\n");
  EXPECT_EQ(answer("cd"), "");
  pass(std::chrono::hours{1});
  EXPECT_EQ(wire_.take_sent(), "");
  pass(std::chrono::hours{1});
  EXPECT_EQ(wire_.take_sent(), "2\r\ncd\r\n1\r\n!\r\n0\r\n\r\n");
  EXPECT_EQ(log_, "ended 0 1");
  EXPECT_EQ(throttle.log.find("down ?"), std::string::npos) << throttle.log;
}

TEST_F(RelayTest, WithoutABodyAThrottleIsToldSo) {
  TestThrottle throttle;
  throttle_ = &throttle;
  (void)ask("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  (void)answer("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n");
  EXPECT_EQ(throttle.log, "down 0; ");
  throttle.log.clear();
  (void)ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  (void)answer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n");
  EXPECT_EQ(throttle.log, "down ?; ");
}

TEST_F(RelayTest, WhoIsHeldUpMayLeave) {
  TestThrottle throttle;
  throttle_ = &throttle;
  throttle.pause = std::chrono::hours{2};
  (void)ask(std::string{kPut} + "abcd");
  close_client();
  EXPECT_EQ(origin_.ended, 1);
  pass(std::chrono::hours{3});
  EXPECT_TRUE(throttle.log.ends_with("+up 4; up 8; ")) << throttle.log;
}

}  // namespace
}  // namespace tercel::proxy
