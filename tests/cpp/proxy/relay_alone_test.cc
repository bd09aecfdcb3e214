// Clients that leave: which calls end with them, and which go on alone.
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "proxy/relay_fixture.h"
#include "tercel/proxy/relay.h"

namespace tercel::proxy {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.

// An exchange of a session that counts how many requests its client has under way.
class CountedExchange final : public http::Exchange, private http::Place {
 public:
  explicit CountedExchange(http::Exchange& inner) noexcept : inner_{inner} {}
  [[nodiscard]] int held() const noexcept { return held_; }

  void observe(http::Observer* observer) noexcept override { inner_.observe(observer); }
  const http::Endpoints& endpoints() const noexcept override { return inner_.endpoints(); }
  http::BodyRead read_body() noexcept override { return inner_.read_body(); }
  http::BodyRead arrived_body() noexcept override { return inner_.arrived_body(); }
  std::span<const http::Field> request_trailers() const noexcept override {
    return inner_.request_trailers();
  }
  Result<void> interim(const http::Response& response) noexcept override {
    return inner_.interim(response);
  }
  Result<void> start(const http::Response& response) noexcept override {
    return inner_.start(response);
  }
  Result<void> write(http::Payload payload, http::Final final) noexcept override {
    return inner_.write(payload, final);
  }
  Result<void> write_file(http::FileRange range, http::Final final) noexcept override {
    return inner_.write_file(range, final);
  }
  Result<void> finish(std::span<const http::Field> trailers) noexcept override {
    return inner_.finish(trailers);
  }
  using http::Exchange::abort;
  void abort(Errc error, std::chrono::seconds retry_after) noexcept override {
    inner_.abort(error, retry_after);
  }
  bool writable() const noexcept override { return inner_.writable(); }
  http::Place* keep_place() noexcept override {
    ++held_;
    return this;
  }

 private:
  void leave() noexcept override { --held_; }

  http::Exchange& inner_;
  int held_ = 0;
};

class RelayAloneTest : public test::RewriterFixture {
 protected:
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    Relay::start(relays_, *this, request, counted_.emplace(exchange));
  }
  Result<void> rewrite_request(const http::Request& from, Outgoing& to,
                               FieldDraft& draft) noexcept override {
    to.times = &times_;
    return RewriterFixture::rewrite_request(from, to, draft);
  }
  std::optional<std::chrono::nanoseconds> after_failure(
      const FailedAttempt& /*failed*/) noexcept override {
    return pause_;
  }
  bool outlives_client() const noexcept override { return outlives_; }
  void left_alone() noexcept override { log_ += "left "; }

  // The client closes its direction, and the session has waited for long enough.
  void close_direction() {
    wire_.end_input();
    settle();
    session_->on_input_closed();
    settle();
  }

  std::optional<CountedExchange> counted_;
  CallTimes times_{.response_time = 10s};
  bool outlives_ = true;
  std::optional<std::chrono::nanoseconds> pause_;
};

constexpr std::string_view kPut = "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n";
constexpr std::string_view kDone = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

TEST_F(RelayAloneTest, WhatWasPassedOnIsFinishedByTheOrigin) {
  EXPECT_TRUE(ask(std::string{kPut} + "all of it").ends_with("all of i"));
  close_client();
  EXPECT_EQ(log_, "left ");
  EXPECT_EQ(origin_.lent, 1);
  EXPECT_EQ(counted_->held(), 1) << "it counts as one of its client's";
  EXPECT_EQ(answer(kDone), "");
  EXPECT_EQ(log_, "left ended 1 1");
  EXPECT_EQ(counted_->held(), 0);
  EXPECT_EQ(origin_.kept, 1) << "its connection is used again";
}

TEST_F(RelayAloneTest, WhatWasNotPassedOnWholeIsCutOff) {
  (void)ask(std::string{kPut} + "part");
  close_client();
  EXPECT_EQ(origin_.ended, 1);
  EXPECT_EQ(log_, "ended 1 1");
}

TEST_F(RelayAloneTest, ACallThatIsForNobodyEnds) {
  outlives_ = false;
  (void)ask(std::string{kPut} + "all of i");
  close_client();
  EXPECT_EQ(origin_.ended, 1);
  EXPECT_EQ(log_, "ended 1 1");
}

// As that of a CompleteMultipartUpload: its head is there before the work is done.
TEST_F(RelayAloneTest, AnAnswerUnderWayIsReadToItsEnd) {
  (void)ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  EXPECT_NE(answer("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n  "), "");
  close_client();
  EXPECT_EQ(log_, "left ");
  (void)answer("ok");
  EXPECT_EQ(log_, "left ended 1 1");
  EXPECT_EQ(origin_.kept, 1);
}

// What had arrived when the client left, too.
TEST_F(RelayAloneTest, AnAnswerThatIsThereIsReadWithoutFurtherNews) {
  (void)ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  wire_.unsent = 1 << 20;
  (void)answer(kDone);
  wire_.unsent = 0;
  close_client();
  EXPECT_TRUE(log_.ends_with("ended 1 1")) << log_;
  EXPECT_EQ(origin_.kept, 1);
}

TEST_F(RelayAloneTest, OfALongAnswerNotAllIsRead) {
  (void)ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  close_client();
  (void)answer("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n");
  const std::string part(32'768, 'x');
  (void)answer(part);
  (void)answer(part);
  EXPECT_EQ(log_, "left ");
  (void)answer("y");
  EXPECT_EQ(log_, "left ended 1 1");
  EXPECT_EQ(origin_.ended, 1);
}

TEST_F(RelayAloneTest, ItDoesNotTakeLongerThanAnOriginMayThink) {
  (void)ask("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n");
  pass(9s);
  close_client();
  pass(1s);
  EXPECT_EQ(log_, "left ended 1 1") << "the time of the call counts from its beginning";
  EXPECT_EQ(origin_.ended, 1);
  log_.clear();
  open(*this);
  (void)ask("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n");
  (void)answer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
  close_client();
  for (int i = 0; i < 9; ++i) {
    pass(1s);
    (void)answer("1\r\n \r\n");
  }
  EXPECT_EQ(log_, "left ");
  pass(1s);
  EXPECT_EQ(log_, "left ended 1 1");
  EXPECT_EQ(origin_.ended, 2);
}

TEST_F(RelayAloneTest, AFailureIsNotTriedAgain) {
  pause_ = 0ns;
  (void)ask("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n");
  close_client();
  (void)hang_up();
  EXPECT_EQ(log_, "left ended 1 1");
  EXPECT_EQ(origin_.acquired, 1);
  log_.clear();
  // Nor is an answer that would be, of one that is between two attempts.
  open(*this);
  pause_ = 1s;
  (void)ask("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n");
  (void)answer("HTTP/1.1 503 S\r\ncontent-length: 0\r\n\r\n");
  close_client();
  EXPECT_EQ(log_, "ended 1 1");
  pass(2s);
  EXPECT_EQ(origin_.acquired, 2);
}

TEST_F(RelayAloneTest, ThereAreNoMoreOfThemThanConnections) {
  origin_.at_once = false;
  (void)ask("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n");
  close_client();
  EXPECT_EQ(log_, "ended 1 1");
  EXPECT_EQ(origin_.withdrawn, 1);
}

TEST_F(RelayAloneTest, InterimAnswersAreForNobody) {
  (void)ask("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n");
  close_client();
  EXPECT_EQ(answer("HTTP/1.1 103 E\r\nlink: a\r\n\r\n"), "");
  (void)answer("HTTP/1.1 204 N\r\n\r\n");
  EXPECT_EQ(log_, "left ended 1 1");
  EXPECT_EQ(origin_.kept, 1);
}

TEST_F(RelayAloneTest, TheEndOfTheContextEndsIt) {
  (void)ask("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n");
  close_client();
  EXPECT_EQ(log_, "left ");
  relays_.end_all();
  EXPECT_EQ(log_, "left ended 1 1");
  EXPECT_EQ(origin_.ended, 1);
  settle();
}

// --- clients that close their direction only

TEST_F(RelayAloneTest, WhoClosedItsDirectionGetsTheAnswerToWhatOutlivesIt) {
  relays_.gone_when_closed = true;
  (void)ask(std::string{kPut} + "all of i");
  close_direction();
  EXPECT_EQ(log_, "");
  EXPECT_TRUE(answer(kDone).starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(log_, "ended 0 1");
}

TEST_F(RelayAloneTest, AndIsGoneForOthers) {
  relays_.gone_when_closed = true;
  outlives_ = false;
  (void)ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  close_direction();
  EXPECT_EQ(log_, "ended 1 1") << "it left, and nobody aborted it";
  EXPECT_EQ(origin_.ended, 1);
}

}  // namespace
}  // namespace tercel::proxy
