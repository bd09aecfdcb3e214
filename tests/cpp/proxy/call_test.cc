#include "tercel/proxy/call.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "proxy/test_origin.h"
#include "support/allocations.h"

namespace tercel::proxy {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using http::BodyState;
using http::Final;
using http::Framing;
using http::Payload;

constexpr std::string_view kGetText = "GET /a HTTP/1.1\r\nhost: o\r\n\r\n";
constexpr std::string_view kPutHead = "PUT /a HTTP/1.1\r\nhost: o\r\ncontent-length: 5\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

http::RequestHead get() {
  return {.method = "GET", .target = "/a", .host = "o", .fields = {}};
}
http::RequestHead put(std::uint64_t bytes = 5) {
  return {.method = "PUT",
          .target = "/a",
          .host = "o",
          .fields = {},
          .framing = Framing::kLength,
          .content_length = bytes};
}
http::RequestHead put_chunked() {
  return {.method = "PUT", .target = "/a", .host = "o", .fields = {}, .framing = Framing::kChunked};
}

http::RequestHead upgrade() {
  return {.method = "GET", .target = "/a", .host = "o", .fields = {}, .upgrade = "websocket"};
}
constexpr std::string_view kSwitch =
    "HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

class CallTest : public testing::Test, public CallObserver {
 protected:
  // What happened, in order: "100 ", "200 OK ", "hello", "$" for the end, "w " for writable,
  // "!Error".
  void on_interim(const http::ResponseHead& head) noexcept override {
    log_ += std::to_string(head.status) + " ";
  }
  void on_head(const http::ResponseHead& head) noexcept override {
    log_.append(std::to_string(head.status)).append(" ").append(head.reason).append(" ");
    if (during_head) during_head();
    if (pulls_) pull();
  }
  void on_body() noexcept override { pull(); }
  void on_writable() noexcept override {
    log_ += "w ";
    if (during_writable) during_writable();
  }
  void on_failed(Errc error) noexcept override {
    log_ += "!" + std::string{info(error).name};
    EXPECT_FALSE(call_.active());
  }
  void pull() {
    for (;;) {
      const http::BodyRead part = call_.read_body();
      log_ += part.bytes;
      body_bytes_ += part.bytes.size();
      if (part.state == BodyState::kEnd) {
        for (const http::Field& field : call_.trailers()) {
          log_.append("+").append(field.name).append("=").append(field.value);
        }
        log_ += "$";
        return call_.close();
      }
      if (part.state != BodyState::kMore) return;
    }
  }
  void begin(const http::RequestHead& head, Freshness freshness = Freshness::kAny) {
    log_.clear();
    ASSERT_TRUE(call_.begin(origin_, head, freshness));
  }
  void settle() {
    for (int idle = 0; idle < 8; ++idle) {
      const auto events = loop_->wait(0ns);
      loop_->dispatch();
      if (events && *events > 0) idle = 0;
    }
  }
  void pass(std::chrono::nanoseconds time) {
    clock_.advance(time + net::TimerWheel::kTick);
    settle();
  }
  // The origin says this.
  void answer(std::string_view text) {
    test::send_text(origin_.peer(), text);
    settle();
  }
  // The origin has read everything, and closes.
  void hang_up() {
    (void)origin_.received();
    origin_.peer().reset();
    settle();
  }
  [[nodiscard]] std::string run(const http::RequestHead& head, std::string_view answer_text) {
    begin(head);
    answer(answer_text);
    return log_;
  }

  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  std::unique_ptr<net::Loop> loop_ = *net::Loop::create(clock_, syscalls_);
  CallContext context_{*loop_, {}};
  test::TestOrigin origin_{*loop_, syscalls_};
  std::string log_;
  std::size_t body_bytes_ = 0;
  bool pulls_ = true;
  std::function<void()> during_head;
  std::function<void()> during_writable;
  Call call_{context_, *this};
};

TEST_F(CallTest, GetsAnAnswerAndGivesTheConnectionBack) {
  for (int request = 0; request < 3; ++request) {
    begin(get());
    EXPECT_EQ(origin_.received(), kGetText);
    answer(kOk);
    EXPECT_EQ(log_, "200 OK hello$");
  }
  EXPECT_EQ(origin_.peers.size(), 1U);
  EXPECT_EQ(origin_.kept, 3);
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
  EXPECT_EQ(loop_->timers().armed(), 0U);
}

TEST_F(CallTest, ASteadyStateAllocatesNothing) {
  log_.reserve(1000);
  (void)run(get(), kOk);
  const test::AllocationCount count;
  for (int request = 0; request < 10; ++request) {
    begin(get());
    char bytes[256];
    ASSERT_GT(::read(origin_.peer().get(), bytes, sizeof bytes), 0);
    answer(kOk.substr(0, 20));
    answer(kOk.substr(20));
  }
  EXPECT_EQ(count.so_far(), 0U);
  EXPECT_EQ(log_, "200 OK hello$");
}

// Every answer, cut at every byte, means the same.
TEST_F(CallTest, TheSameHoweverTheAnswerArrives) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {kOk, "200 OK hello$"},
      {"HTTP/1.1 204 No\r\n\r\n", "204 No $"},
      {"HTTP/1.1 103 E\r\na: b\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
       "103 200 OK $"},
      {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n"
       "x-a: b\r\n\r\n",
       "200 OK hello+x-a=b$"},
  };
  for (const auto& [text, expected] : cases) {
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      begin(get());
      answer(text.substr(0, cut));
      answer(text.substr(cut));
      ASSERT_EQ(log_, expected) << "cut at " << cut;
    }
  }
  EXPECT_EQ(origin_.peers.size(), 1U);
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
}

TEST_F(CallTest, AnAnswerToHeadHasNoBody) {
  http::RequestHead head = get();
  head.method = "HEAD";
  EXPECT_EQ(run(head, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"), "200 OK $");
  EXPECT_EQ(origin_.kept, 1);
}

TEST_F(CallTest, AnUpgradeMakesATunnel) {
  begin(upgrade());
  EXPECT_EQ(origin_.received(),
            "GET /a HTTP/1.1\r\nhost: o\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
  EXPECT_FALSE(call_.writable());
  EXPECT_FALSE(origin_.spoiled());
  answer(std::string{kSwitch} + "abc");
  EXPECT_TRUE(origin_.spoiled());  // From the beginning: whoever waits need not wait for it.
  EXPECT_EQ(log_, "101 Switching abcw ");
  EXPECT_TRUE(call_.writable());
  EXPECT_TRUE(call_.write(Payload::borrow("hello"), Final::kNo));
  EXPECT_EQ(origin_.received(), "hello");
  answer("HTTP/1.1 200 OK\r\n\r\n");  // Bytes as others.
  EXPECT_EQ(log_, "101 Switching abcw HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_TRUE(call_.write(Payload::borrow("bye"), Final::kYes));
  EXPECT_FALSE(call_.writable());
  call_.close();
  settle();
  EXPECT_EQ(origin_.received(), "bye");
  char byte = 0;
  EXPECT_EQ(::recv(origin_.peer().get(), &byte, 1, 0), 0);  // No reset.
  EXPECT_EQ(origin_.ended, 1);
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
  EXPECT_EQ(loop_->timers().armed(), 0U);
}

TEST_F(CallTest, TheOriginEndsATunnel) {
  begin(upgrade());
  answer(kSwitch);
  hang_up();
  EXPECT_EQ(log_, "101 Switching w $");
  EXPECT_EQ(origin_.ended, 1);
}

TEST_F(CallTest, ATunnelWithoutBytesIsCut) {
  begin(upgrade());
  answer(kSwitch);
  const auto part = CallOptions{}.tunnel_time * 2 / 3;
  pass(part);
  answer("a");
  pass(part);
  EXPECT_TRUE(call_.write(Payload::borrow("b"), Final::kNo));
  pass(part);
  EXPECT_EQ(log_, "101 Switching w a");
  pass(part);
  EXPECT_EQ(log_, "101 Switching w a!UpstreamTimeout");
}

TEST_F(CallTest, AnUpgradeThatIsRefusedIsAResponse) {
  EXPECT_EQ(run(upgrade(), kOk), "200 OK hello$");
  EXPECT_EQ(run(get(), kSwitch), "!UpstreamMalformed");
  EXPECT_EQ(origin_.kept, 1);
}

TEST_F(CallTest, ABodyUntilCloseEndsWithTheConnection) {
  begin(get());
  answer("HTTP/1.1 200 OK\r\n\r\nhel");
  answer("lo");
  EXPECT_EQ(log_, "200 OK hello");
  hang_up();
  EXPECT_EQ(log_, "200 OK hello$");
  EXPECT_EQ(origin_.ended, 1);
}

TEST_F(CallTest, ConnectionsThatMayNotBeReusedAreNot) {
  EXPECT_EQ(run(get(), "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
            "200 OK $");
  EXPECT_EQ(origin_.ended, 1);
  // Bytes that nobody asked for.
  EXPECT_EQ(run(get(), std::string{kOk} + "HTTP/1.1 200 OK\r\n\r\n"), "200 OK hello$");
  EXPECT_EQ(origin_.ended, 2);
}

// --- the request

TEST_F(CallTest, SendsABodyOfKnownLength) {
  begin(put());
  EXPECT_TRUE(call_.writable());
  EXPECT_TRUE(call_.write(Payload::borrow("he"), Final::kNo));
  EXPECT_TRUE(call_.write(Payload::borrow("llo"), Final::kYes));
  EXPECT_FALSE(call_.writable());
  EXPECT_EQ(origin_.received(), std::string{kPutHead} + "hello");
  answer(kOk);
  EXPECT_EQ(log_, "200 OK hello$");
  EXPECT_EQ(origin_.kept, 1);
}

TEST_F(CallTest, HeadAndBodyLeaveTogetherInAStep) {
  call_.begin_step();
  begin(put());
  EXPECT_EQ(syscalls_.calls(test::Call::kSend) + syscalls_.calls(test::Call::kSendmsg), 0);
  EXPECT_TRUE(call_.write(Payload::borrow("hello"), Final::kYes));
  call_.end_step();
  EXPECT_EQ(syscalls_.calls(test::Call::kSend) + syscalls_.calls(test::Call::kSendmsg), 1);
  EXPECT_EQ(origin_.received(), std::string{kPutHead} + "hello");
}

TEST_F(CallTest, SendsChunksAndTrailers) {
  begin(put_chunked());
  EXPECT_TRUE(call_.write(Payload::borrow("hello world, hello"), Final::kNo));
  const http::Field trailers[] = {{"X-A", "b"}, {"Content-Length", "5"}};
  EXPECT_TRUE(call_.finish(trailers));
  EXPECT_EQ(origin_.received(),
            "PUT /a HTTP/1.1\r\nhost: o\r\ntransfer-encoding: chunked\r\n\r\n"
            "12\r\nhello world, hello\r\n0\r\nx-a: b\r\n\r\n");
  answer(kOk);
  EXPECT_EQ(log_, "200 OK hello$");
  begin(put_chunked());
  EXPECT_TRUE(call_.write(Payload::borrow("a"), Final::kYes));
  EXPECT_TRUE(origin_.received().ends_with("\r\n1\r\na\r\n0\r\n\r\n"));
}

TEST_F(CallTest, ABodyThatIsNotAsLongAsItsHeadSaidIsNoStep) {
  begin(put());
  EXPECT_FALSE(call_.write(Payload::borrow("hello!"), Final::kNo));
  EXPECT_FALSE(call_.write(Payload::borrow("hell"), Final::kYes));
  EXPECT_TRUE(call_.write(Payload::borrow("hello"), Final::kNo));
  EXPECT_FALSE(call_.write(Payload::borrow("!"), Final::kYes));
  EXPECT_EQ(origin_.received(), std::string{kPutHead} + "hello");
}

TEST_F(CallTest, WritableOnceThereIsAConnection) {
  origin_.at_once = false;
  begin(put());
  EXPECT_FALSE(call_.writable());
  EXPECT_FALSE(call_.write(Payload::borrow("hello"), Final::kYes));
  origin_.connect();
  EXPECT_EQ(log_, "w ");
  EXPECT_TRUE(call_.write(Payload::borrow("hello"), Final::kYes));
  EXPECT_EQ(origin_.received(), std::string{kPutHead} + "hello");
}

TEST_F(CallTest, AnOriginThatDoesNotReadMakesItNotWritable) {
  constexpr std::size_t kAll = 4 << 20;
  origin_.small = true;
  begin(put(kAll));
  const std::string part(16384, 'x');
  std::size_t given = 0;
  std::size_t most = 0;
  const auto fill = [&] {
    while (call_.writable() && given < kAll) {
      given += part.size();
      ASSERT_TRUE(call_.write(Payload::borrow(part), given == kAll ? Final::kYes : Final::kNo));
    }
    most = std::max(most, loop_->blocks().outstanding());
  };
  during_writable = fill;
  fill();
  EXPECT_LT(given, 400'000U);
  std::size_t got = 0;
  for (int turns = 0; turns < 100'000 && got < kPutHead.size() + kAll; ++turns) {
    got += origin_.received().size();
    settle();
  }
  EXPECT_EQ(given, kAll);
  EXPECT_EQ(
      got,
      std::string_view{"PUT /a HTTP/1.1\r\nhost: o\r\ncontent-length: 4194304\r\n\r\n"}.size() +
          kAll);
  EXPECT_EQ(most, 1U);
  answer(kOk);
  EXPECT_TRUE(log_.ends_with("200 OK hello$"));
  EXPECT_EQ(origin_.kept, 1);
}

TEST_F(CallTest, NothingMalformedIsSent) {
  http::RequestHead head = get();
  head.target = "/\r\nx: y";
  EXPECT_FALSE(call_.begin(origin_, head, Freshness::kAny));
  EXPECT_EQ(origin_.acquired, 0);
  EXPECT_FALSE(call_.active());
}

// --- Expect: 100-continue

class CallContinueTest : public CallTest {
 protected:
  void begin_expecting() {
    http::RequestHead head = put();
    head.expects_continue = true;
    begin(head);
    EXPECT_TRUE(origin_.received().ends_with("expect: 100-continue\r\n\r\n"));
    EXPECT_FALSE(call_.writable());
  }
};

TEST_F(CallContinueTest, TheBodyWaitsFor100) {
  begin_expecting();
  answer("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(log_, "w ");
  EXPECT_TRUE(call_.write(Payload::borrow("hello"), Final::kYes));
  EXPECT_EQ(origin_.received(), "hello");
  answer(kOk);
  EXPECT_EQ(log_, "w 200 OK hello$");
  EXPECT_EQ(origin_.kept, 1);
}

TEST_F(CallContinueTest, ButNotForEver) {
  begin_expecting();
  pass(context_.options.continue_time / 2);
  EXPECT_FALSE(call_.writable());
  pass(context_.options.continue_time / 2);
  EXPECT_EQ(log_, "w ");
  EXPECT_TRUE(call_.writable());
  answer("HTTP/1.1 100 Continue\r\n\r\n");  // Too late, and harmless.
  EXPECT_EQ(log_, "w ");
}

TEST_F(CallContinueTest, AFinalAnswerInsteadLeavesTheBodyUnsent) {
  begin_expecting();
  answer("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno");
  EXPECT_EQ(log_, "403 Forbidden no$");
  EXPECT_EQ(origin_.received(), "");
  // The origin may still wait for the body, or not: nobody knows.
  EXPECT_EQ(origin_.ended, 1);
}

TEST_F(CallContinueTest, An100ThatNobodyWaitsForIsNoNews) {
  begin(get());
  answer("HTTP/1.1 100 Continue\r\n\r\n");
  answer(kOk);
  EXPECT_EQ(log_, "200 OK hello$");
}

TEST_F(CallContinueTest, AHintBeforeThe100) {
  begin_expecting();
  answer("HTTP/1.1 102 Processing\r\n\r\n");
  EXPECT_EQ(log_, "102 ");
  EXPECT_FALSE(call_.writable());
  answer("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(log_, "102 w ");
}

// --- an answer before the end of the request

TEST_F(CallTest, AnEarlyAnswerIsReadWhileTheBodyIsSent) {
  begin(put());
  EXPECT_TRUE(call_.write(Payload::borrow("he"), Final::kNo));
  answer("HTTP/1.1 400 Bad\r\ncontent-length: 2\r\n\r\nno");
  EXPECT_EQ(log_, "400 Bad no$");
  EXPECT_EQ(origin_.ended, 1);
}

TEST_F(CallTest, TheBodyGoesOnBehindAnEarlyHead) {
  pulls_ = false;
  begin(put());
  answer("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
  EXPECT_EQ(log_, "200 OK ");
  EXPECT_TRUE(call_.write(Payload::borrow("hello"), Final::kYes));
  pull();
  answer("hi");
  EXPECT_EQ(log_, "200 OK hi$");
  EXPECT_EQ(origin_.kept, 1);
}

// The origin answers, and closes without having read the body: the answer counts.
TEST_F(CallTest, AnAnswerBehindAWriteThatFailsIsRead) {
  begin(put());
  test::send_text(origin_.peer(), "HTTP/1.1 413 Large\r\ncontent-length: 2\r\n\r\nno");
  (void)origin_.received();
  origin_.peer().reset();
  EXPECT_TRUE(call_.write(Payload::borrow("hello"), Final::kYes));
  settle();
  EXPECT_EQ(log_, "413 Large no$");
}

// --- back-pressure and limits of the response

TEST_F(CallTest, NothingIsReadThatNobodyAsksFor) {
  pulls_ = false;
  begin(get());
  answer("HTTP/1.1 200 OK\r\ncontent-length: 4000000\r\n\r\n");
  const std::string part(65536, 'x');
  std::size_t sent = 0;
  for (ssize_t count = 0; count >= 0 && sent < 4'000'000; settle()) {
    count = ::send(origin_.peer().get(), part.data(), part.size(), MSG_NOSIGNAL);
    if (count > 0) sent += static_cast<std::size_t>(count);
  }
  EXPECT_LT(sent, 1'000'000U);
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
  pass(1h);  // The time is not the origin's.
  EXPECT_EQ(log_, "200 OK ");
  pull();
  settle();
  EXPECT_EQ(body_bytes_, sent);
  call_.close();
}

TEST_F(CallTest, GarbageIsNoAnswer) {
  const std::string long_field = "HTTP/1.1 200 OK\r\na: " + std::string(70'000, 'x');
  for (const std::string_view text :
       {std::string_view{"garbage\r\n\r\n"},
        std::string_view{"HTTP/1.1 200 OK\ncontent-length: 0\n\n"},
        std::string_view{"HTTP/1.1 101 Switching\r\n\r\n"},
        std::string_view{"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"},
        std::string_view{long_field}}) {
    EXPECT_EQ(run(get(), text), "!UpstreamMalformed") << text.substr(0, 80);
  }
  EXPECT_EQ(run(get(), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n"),
            "200 OK !UpstreamMalformed");
  std::string interims;
  for (int i = 0; i <= Call::kInterimsMax; ++i) interims += "HTTP/1.1 102 P\r\n\r\n";
  EXPECT_TRUE(run(get(), interims).ends_with("!UpstreamMalformed"));
  EXPECT_EQ(origin_.kept, 0);
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
}

// --- failures at every stage

TEST_F(CallTest, AnOriginThatClosesIsAFailureWherever) {
  for (std::size_t cut = 0; cut < kOk.size(); ++cut) {
    begin(get());
    if (cut > 0) answer(kOk.substr(0, cut));
    hang_up();
    const std::string_view expected = cut == 0 ? "!UpstreamFailed" : "!UpstreamTruncated";
    EXPECT_TRUE(log_.ends_with(expected)) << cut << " " << log_;
    EXPECT_EQ(call_.progress(), cut == 0 ? Progress::kHeadSent : Progress::kAnswered);
  }
}

TEST_F(CallTest, AResetIsAFailureWherever) {
  for (const bool answered : {false, true}) {
    begin(get());
    if (answered) answer(kOk.substr(0, kOk.size() - 1));
    syscalls_.fail(test::Call::kRecv, ECONNRESET);
    answer("o");
    EXPECT_TRUE(log_.ends_with("!UpstreamReset")) << log_;
  }
}

TEST_F(CallTest, AChunkedBodyThatIsCutOffIsNotComplete) {
  begin(get());
  answer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n");
  hang_up();
  EXPECT_EQ(log_, "200 OK hello!UpstreamTruncated");
}

TEST_F(CallTest, NoConnection) {
  origin_.refuses = 1;
  origin_.refuse = Errc::kUpstreamUnreachable;
  begin(get());
  EXPECT_EQ(log_, "");  // Not by the user's own call.
  settle();
  EXPECT_EQ(log_, "!UpstreamUnreachable");
  EXPECT_EQ(call_.progress(), Progress::kUnsent);
}

TEST_F(CallTest, TellsWhatTheOriginMayHaveSeen) {
  EXPECT_EQ(run(get(), kOk), "200 OK hello$");
  begin(put());
  EXPECT_TRUE(call_.on_reused_connection());
  EXPECT_EQ(call_.progress(), Progress::kHeadSent);
  EXPECT_TRUE(call_.write(Payload::borrow("h"), Final::kNo));
  EXPECT_EQ(call_.progress(), Progress::kBodySent);
  call_.close();
  begin(put());
  EXPECT_FALSE(call_.on_reused_connection());
  // A connection that was closed while it was idle, and nothing of the request left.
  call_.close();
  begin(get());
  answer(kOk);
  origin_.peer().reset();
  begin(get());
  settle();
  EXPECT_EQ(log_, "!UpstreamReset");
  EXPECT_EQ(call_.progress(), Progress::kUnsent);
  EXPECT_TRUE(call_.on_reused_connection());
}

TEST_F(CallTest, ClosesAtEveryStage) {
  origin_.at_once = false;
  begin(get());
  call_.close();
  EXPECT_EQ(origin_.withdrawn, 1);
  origin_.at_once = true;
  begin(get());
  call_.close();
  EXPECT_EQ(origin_.received(), kGetText);
  during_head = [this] { call_.close(); };
  EXPECT_EQ(run(get(), kOk), "200 OK ");
  during_writable = [this] { call_.close(); };
  origin_.at_once = false;
  begin(put());
  origin_.connect();
  settle();
  EXPECT_EQ(log_, "w ");
  EXPECT_EQ(origin_.kept, 0);
  EXPECT_EQ(loop_->timers().armed(), 0U);
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
}

// --- time

TEST_F(CallTest, AHeadThatDripsIsNotWaitedFor) {
  begin(get());
  pass(CallOptions{}.response_time / 2);
  answer("HTTP/1.1 200 OK\r\na: ");
  const auto part = CallOptions{}.body_time / 3;
  for (int i = 0; i < 2; ++i) {
    pass(part);
    answer("b");
  }
  EXPECT_EQ(log_, "");
  pass(part);
  EXPECT_EQ(log_, "!UpstreamTimeout");
}

TEST_F(CallTest, AnOriginMayThinkForAWhile) {
  begin(get());
  pass(context_.options.response_time - 1s);
  EXPECT_EQ(log_, "");
  pass(1s);
  EXPECT_EQ(log_, "!UpstreamTimeout");
  EXPECT_EQ(origin_.ended, 1);
}

TEST_F(CallTest, ABodyMayTakeAsLongAsItMovesOn) {
  begin(get());
  answer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
  for (int i = 0; i < 100; ++i) {
    pass(context_.options.body_time - 1s);
    answer("1\r\n \r\n");
  }
  EXPECT_EQ(log_, "200 OK " + std::string(100, ' '));
  pass(context_.options.body_time);
  EXPECT_TRUE(log_.ends_with("!UpstreamTimeout"));
}

// An origin that does not read is not one that has broken the connection, of which it may be that
// it answers nevertheless.
TEST_F(CallTest, WithoutMemoryForWhatDoesNotGoTheCallFailsAtOnce) {
  origin_.small = true;
  begin(put(4 << 20));
  const std::string part(4 << 20, 'x');
  loop_->blocks().trim();
  {
    const test::AllocationFailure failure{1};
    EXPECT_TRUE(call_.write(Payload::borrow(part), Final::kYes));
    EXPECT_TRUE(failure.happened());
  }
  EXPECT_EQ(call_.progress(), Progress::kBodySent);
  settle();
  EXPECT_EQ(log_, "!NoMemory");
  EXPECT_EQ(origin_.ended, 1);
  EXPECT_EQ(loop_->timers().armed(), 0U);
}

TEST_F(CallTest, AnOriginThatStopsReadingIsGivenUp) {
  origin_.small = true;
  begin(put(1 << 20));
  const std::string part(16384, 'x');
  while (call_.writable()) ASSERT_TRUE(call_.write(Payload::borrow(part), Final::kNo));
  pass(context_.options.write_time - 1s);
  EXPECT_EQ(log_, "");
  EXPECT_NE(origin_.received(), "");  // It takes something.
  settle();
  while (call_.writable()) ASSERT_TRUE(call_.write(Payload::borrow(part), Final::kNo));
  pass(context_.options.write_time - 1s);
  EXPECT_TRUE(log_ == "" || log_ == "w ") << log_;
  pass(1s);
  EXPECT_TRUE(log_.ends_with("!UpstreamTimeout"));
}

// The origin may wait for a body that is slow in coming: that is not its fault.
TEST_F(CallTest, TheTimeOfWhoSendsIsNotTheOrigins) {
  begin(put());
  pass(2 * context_.options.response_time);
  EXPECT_EQ(log_, "");
  EXPECT_TRUE(call_.write(Payload::borrow("hello"), Final::kYes));
  pass(context_.options.response_time - 1s);
  answer(kOk);
  EXPECT_EQ(log_, "200 OK hello$");
}

}  // namespace
}  // namespace tercel::proxy
