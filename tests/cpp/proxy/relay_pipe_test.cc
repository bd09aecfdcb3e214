// Bodies that a relay moves through pipes (Relay::goes_unseen()).

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "proxy/relay_fixture.h"
#include "support/pattern.h"

namespace tercel::proxy {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using http::Final;
using test::Call;
using test::pattern;

class PassingFilter final : public BodyFilter {
 public:
  Result<Passed> pass(std::string_view bytes, Final /*final*/) noexcept override {
    seen += bytes.size();
    return Passed{bytes.size(), bytes};
  }
  [[nodiscard]] bool passes_all() const noexcept override { return passes; }
  bool passes = true;
  std::size_t seen = 0;
};

class FreeThrottle final : public Throttle {
 public:
  std::chrono::nanoseconds wait(Way, std::optional<std::uint64_t>,
                                std::chrono::nanoseconds) noexcept override {
    return {};
  }
  void passed(Way, std::size_t bytes, std::chrono::nanoseconds) noexcept override { seen += bytes; }
  std::size_t seen = 0;
};

class RelayPipeTest : public test::RewriterFixture {
 protected:
  RelayPipeTest() {
    std::signal(SIGPIPE, SIG_IGN);
    wire_.pipes = [this] { return loop_->pipes().take(); };
  }
  void TearDown() override {
    RewriterFixture::TearDown();
    EXPECT_EQ(loop_->pipes().lent(), 0U);
  }
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    Relay::start(relays_, *this, request, exchange, filters_);
  }
  Result<void> rewrite_response(const http::ResponseHead& from, http::Response& to,
                                FieldDraft& draft) noexcept override {
    for (const http::Field& field : from.fields) draft.add(field.name, field.value);
    to.fields = draft.fields();
    return RewriterFixture::rewrite_response(from, to, draft);
  }
  void broke_off(Errc error) noexcept override {
    log_ += "broke off " + std::string{info(error).name} + " ";
  }

  // The origin says all of this, as far as it is taken; returns what the client got.
  std::string say(std::string_view text) { return say_some(text); }
  // `text` is what is left then.
  std::string say_some(std::string_view& text) {
    for (int idle = 0; idle < 4 && !text.empty();) {
      const ssize_t taken = ::send(origin_.peer().get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (taken > 0) text.remove_prefix(static_cast<std::size_t>(taken));
      settle();
      idle = taken > 0 ? 0 : idle + 1;
    }
    for (std::size_t before = SIZE_MAX; before != wire_.sent.size();) {
      before = wire_.sent.size();
      settle();
    }
    return wire_.take_sent();
  }
  // The client says this, and the origin reads until nothing comes any more.
  std::string hear(std::string_view text) {
    wire_.receive(text);
    std::string heard;
    for (int idle = 0; idle < 4;) {
      settle();
      const std::string part = origin_.peers.empty() ? "" : origin_.received();
      heard += part;
      idle = part.empty() ? idle + 1 : 0;
    }
    return heard;
  }
  static std::string put_head(std::size_t bytes) {
    return "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n";
  }
  static std::string put_on(const std::string& body) {
    return "PUT / HTTP/1.1\r\nhost: o\r\ncontent-length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
  static std::string ok(const std::string& body) {
    return "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  RelayFilters filters_;
};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view kOkEmpty = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

TEST_F(RelayPipeTest, AResponseOfEverySizeArrivesAndTheConnectionIsKept) {
  constexpr std::size_t kScratch = net::Loop::kScratchBytes;
  constexpr std::size_t kPipe = net::PipePool::kPipeBytes;
  for (const std::size_t middle :
       {std::size_t{1}, http::kPipedBytesMin, kScratch, kPipe, kPipe + kScratch, 4 * kPipe}) {
    for (const std::size_t bytes : {middle - 1, middle, middle + 1}) {
      const std::string body = pattern(bytes);
      (void)ask(kGet);
      EXPECT_TRUE(say(ok(body)) == ok(body)) << bytes;
      EXPECT_TRUE(origin_.has_idle());
    }
  }
  EXPECT_EQ(origin_.peers.size(), 1U);
  EXPECT_GT(wire_.piped_out, 4 * kPipe);
}

TEST_F(RelayPipeTest, OfALaterResponseLittleIsReadWithTheHead) {
  const std::string body = pattern(2 * net::PipePool::kPipeBytes);
  for (const bool later : {false, true}) {
    const std::size_t before = wire_.piped_out;
    wire_.receive(kGet);
    EXPECT_TRUE(say(ok(body)) == ok(body));
    EXPECT_EQ(wire_.piped_out - before > body.size() - http::kHeadReadBytes, later);
  }
}

TEST_F(RelayPipeTest, ARequestOfEverySizeArrivesAndTheConnectionIsKept) {
  constexpr std::size_t kPipe = net::PipePool::kPipeBytes;
  for (const std::size_t middle : {std::size_t{1}, http::kPipedBytesMin, kPipe, 4 * kPipe}) {
    for (const std::size_t bytes : {middle - 1, middle, middle + 1}) {
      const std::string body = pattern(bytes);
      std::string heard = hear(put_head(bytes));
      heard += hear(body);
      EXPECT_TRUE(heard == put_on(body)) << bytes;
      EXPECT_EQ(answer(kOkEmpty), kOkEmpty);
      EXPECT_TRUE(origin_.has_idle());
    }
  }
  EXPECT_EQ(origin_.peers.size(), 1U);
  EXPECT_GT(wire_.piped_in, 4 * kPipe);
}

// What came with the head, and is in memory, goes first.
TEST_F(RelayPipeTest, WhatIsInMemoryGoesBeforeWhatIsInAPipe) {
  const std::string body = pattern(500'000);
  wire_.arrival_bytes = 1000;
  EXPECT_TRUE(hear(put_head(body.size()) + body) == put_on(body));
  EXPECT_GT(wire_.piped_in, 0U);
  EXPECT_LT(wire_.piped_in, body.size());
  (void)answer(kOkEmpty);
}

TEST_F(RelayPipeTest, AnOriginThatReadsLittleHoldsTheClientUp) {
  origin_.small = true;
  const std::string body = pattern(2'000'000);
  wire_.receive(put_head(body.size()));
  settle();
  wire_.receive(body);
  settle();
  const std::size_t taken = wire_.piped_in;
  EXPECT_GT(taken, 0U);
  EXPECT_LT(taken, 1'000'000U);
  EXPECT_EQ(loop_->pipes().lent(), 1U);
  settle();
  EXPECT_EQ(wire_.piped_in, taken);  // Nothing more is read until the pipe is empty.
  EXPECT_TRUE(hear({}) == put_on(body));
  EXPECT_EQ(loop_->pipes().lent(), 0U);
  (void)answer(kOkEmpty);
  EXPECT_EQ(origin_.kept, 1);
}

TEST_F(RelayPipeTest, AClientThatReadsLittleHoldsTheOriginUp) {
  (void)ask(kGet);
  wire_.unsent = 1'000'000;
  const std::string all = ok(pattern(2'000'000));
  std::string_view left = all;
  std::string seen = say_some(left);
  EXPECT_LT(seen.size(), 1'000'000U);
  EXPECT_FALSE(left.empty());
  EXPECT_EQ(say_some(left), "");
  wire_.unsent = 0;
  session_->on_sent();
  seen += say_some(left);
  EXPECT_TRUE(seen == all);
  EXPECT_GT(wire_.piped_out, 0U);
}

TEST_F(RelayPipeTest, FiltersAndThrottlesSeeEveryByte) {
  PassingFilter filter;
  FreeThrottle throttle;
  const std::string body = pattern(300'000);
  const auto relay_once = [&] {
    (void)hear(put_head(body.size()));
    (void)hear(body);
    EXPECT_TRUE(say(ok(body)) == ok(body));
  };
  filters_ = {.request = nullptr, .response = nullptr, .throttle = &throttle};
  relay_once();
  EXPECT_EQ(throttle.seen, 2 * body.size());
  filters_ = {.request = &filter, .response = &filter, .throttle = nullptr};
  filter.passes = false;
  relay_once();
  EXPECT_GE(filter.seen, 2 * body.size());
  EXPECT_EQ(wire_.piped_in, 0U);
  EXPECT_EQ(wire_.piped_out, 0U);
  filter.passes = true;
  filter.seen = 0;
  relay_once();
  EXPECT_LT(filter.seen, body.size());
  EXPECT_GT(wire_.piped_in, 0U);
  EXPECT_GT(wire_.piped_out, 0U);
}

TEST_F(RelayPipeTest, BodiesWithoutALengthAreCopied) {
  const std::string body = pattern(300'000);
  (void)ask(kGet);
  const std::string seen = say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n493e0\r\n" +
                               body + "\r\n0\r\n\r\n");
  EXPECT_TRUE(seen.ends_with("0\r\n\r\n"));
  EXPECT_EQ(wire_.piped_out, 0U);
}

TEST_F(RelayPipeTest, AnOriginThatEndsInTheMiddleIsSeenByTheClient) {
  for (const bool resets : {false, true}) {
    log_.clear();
    (void)ask(kGet);
    const std::string body = pattern(1'000'000);
    const std::string seen = say(ok(body).substr(0, 600'000));
    EXPECT_TRUE(seen == ok(body).substr(0, 600'000));
    EXPECT_GT(wire_.piped_out, 0U);
    if (resets) {
      const linger now{.l_onoff = 1, .l_linger = 0};
      ::setsockopt(origin_.peer().get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    (void)hang_up();
    EXPECT_EQ(log_, "broke off UpstreamTruncated ended 2 1");
    EXPECT_TRUE(wire_.closed || wire_.was_reset);
    EXPECT_EQ(wire_.take_sent(), "");
    wire_.forget();
    session_ = nullptr;
    open(*this);
  }
}

TEST_F(RelayPipeTest, AClientThatGoesIsNoWholeRequestForTheOrigin) {
  const std::string body = pattern(1'000'000);
  std::string heard = hear(put_head(body.size()));
  heard += hear(body.substr(0, 600'000));
  EXPECT_EQ(heard.size(), put_on(body).size() - 400'000);
  EXPECT_GT(wire_.piped_in, 0U);
  close_client();
  char byte = 0;
  const ssize_t end = ::recv(origin_.peer().get(), &byte, 1, 0);
  EXPECT_TRUE(end == 0 || (end < 0 && errno == ECONNRESET));
  EXPECT_EQ(origin_.ended, 1);
  EXPECT_EQ(origin_.kept, 0);
}

TEST_F(RelayPipeTest, AClientThatGoesWhileAPipeWaitsLeavesNone) {
  origin_.small = true;
  wire_.receive(put_head(2'000'000));
  settle();
  wire_.receive(pattern(1'000'000));
  settle();
  EXPECT_EQ(loop_->pipes().lent(), 1U);
  close_client();
  EXPECT_EQ(loop_->pipes().lent(), 0U);
  EXPECT_EQ(loop_->pipes().idle(), 0U);  // What was in it is nobody's.
}

TEST_F(RelayPipeTest, AnOriginThatTakesNothingOutOfAPipeRunsOutOfTime) {
  origin_.small = true;
  wire_.receive(put_head(2'000'000));
  settle();
  wire_.receive(pattern(1'000'000));
  settle();
  pass(relays_.calls.options.write_time);
  EXPECT_EQ(log_, "refused UpstreamTimeout ended 2 1");
  EXPECT_EQ(loop_->pipes().lent(), 0U);
}

TEST_F(RelayPipeTest, AnOriginThatRefusesInTheMiddleOfAPipeIsHeard) {
  origin_.small = true;
  wire_.receive(put_head(2'000'000));
  settle();
  wire_.receive(pattern(1'000'000));
  settle();
  const std::string full = "HTTP/1.1 507 Full\r\ncontent-length: 0\r\n\r\n";
  syscalls_.fail(Call::kSplice, EPIPE, 1, 100);
  EXPECT_TRUE(answer(full).starts_with("HTTP/1.1 507"));
  EXPECT_EQ(loop_->pipes().lent(), 0U);
  EXPECT_EQ(origin_.ended, 1);
}

TEST_F(RelayPipeTest, WhereThereIsNoPipeTheBytesAreCopied) {
  const std::string body = pattern(500'000);
  syscalls_.fail(Call::kPipe2, EMFILE, 1, 1000);
  std::string heard = hear(put_head(body.size()));
  heard += hear(body);
  EXPECT_TRUE(heard == put_on(body));
  EXPECT_TRUE(say(ok(body)) == ok(body));
  EXPECT_EQ(wire_.piped_in + wire_.piped_out, 0U);
}

TEST_F(RelayPipeTest, ASystemThatDoesNotSpliceIsAskedOnce) {
  const std::string body = pattern(500'000);
  syscalls_.fail(Call::kSplice, EINVAL, 1, 1000);
  for (int i = 0; i < 2; ++i) {
    (void)ask(kGet);
    EXPECT_TRUE(say(ok(body)) == ok(body));
  }
  EXPECT_EQ(syscalls_.calls(Call::kSplice), 1);
  EXPECT_EQ(wire_.piped_out, 0U);
}

TEST_F(RelayPipeTest, ShortTransfersChangeNothing) {
  const std::string body = pattern(200'000);
  syscalls_.limit_spliced_bytes(997);
  std::string heard = hear(put_head(body.size()));
  heard += hear(body);
  EXPECT_TRUE(heard == put_on(body));
  EXPECT_TRUE(say(ok(body)) == ok(body));
}

TEST_F(RelayPipeTest, EverySpliceMayFailWithoutAWrongByte) {
  const std::string body = pattern(600'000);
  for (const int error : test::documented_errors(Call::kSplice)) {
    for (int nth = 1; nth <= 8; ++nth) {
      wire_.forget();
      session_ = nullptr;
      open(*this);
      syscalls_.fail(Call::kSplice, error, nth);
      (void)ask(kGet);
      if (origin_.peers.empty()) continue;
      const std::string seen = say(ok(body));
      EXPECT_TRUE(seen == ok(body).substr(0, seen.size())) << error << " at " << nth;
      const bool whole = seen.size() == ok(body).size();
      // Behind an EAGAIN that is none, no event follows.
      EXPECT_TRUE(whole || wire_.closed || wire_.was_reset || error == EAGAIN)
          << error << " at " << nth;
    }
  }
  syscalls_.fail(Call::kSplice, 0, 1, 0);
}

}  // namespace
}  // namespace tercel::proxy
