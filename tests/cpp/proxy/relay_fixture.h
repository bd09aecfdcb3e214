// A handler between a client, whose connection is memory, and an origin, whose are sockets.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "proxy/test_origin.h"
#include "support/memory_wire.h"
#include "tercel/http/h1_session.h"
#include "tercel/proxy/relay.h"

namespace tercel::test {

class RelayFixture : public testing::Test {
 protected:
  RelayFixture() {
    context_.set_default_fields("", "", /*with_date=*/false);
    wire_.ends.peer = *parse_ip("192.0.2.7", 1234);
  }
  // The handler must be there, and outlives the session.
  void open(http::Handler& handler) {
    context_handler_.target = &handler;
    session_ = std::make_unique<http::H1Session>(wire_, context_);
    wire_.session = session_.get();
  }
  void close_client() {
    session_->on_closed(Errc::kReset);
    settle();
  }
  void settle() {
    for (int idle = 0; idle < 8; ++idle) {
      const auto events = loop_->wait(std::chrono::nanoseconds{0});
      loop_->dispatch();
      if (wire_.revisit_wanted()) wire_.run();
      if (events && *events > 0) idle = 0;
    }
  }
  void pass(std::chrono::nanoseconds time) {
    clock_.advance(time + net::TimerWheel::kTick);
    settle();
  }
  // The client says this; returns what the origin got of it.
  std::string ask(std::string_view text) {
    wire_.receive(text);
    settle();
    return origin_.peers.empty() ? "" : origin_.received();
  }
  // The origin says this; returns what the client got.
  std::string answer(std::string_view text) {
    send_text(origin_.peer(), text);
    settle();
    return wire_.take_sent();
  }
  // The origin read everything, and closes; returns what the client got.
  std::string hang_up() {
    (void)origin_.received();
    origin_.peer().reset();
    settle();
    return wire_.take_sent();
  }

  class Target final : public http::Handler {
   public:
    void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
      target->handle(request, exchange);
    }
    http::Handler* target = nullptr;
  };

  ManualClock clock_;
  FailingSyscalls syscalls_;
  std::unique_ptr<net::Loop> loop_ = *net::Loop::create(clock_, syscalls_);
  TestOrigin origin_{*loop_, syscalls_};
  Target context_handler_;
  http::H1Context context_{context_handler_, http::Limits{}};
  MemoryWire wire_;
  std::unique_ptr<http::H1Session> session_;
};

// The test itself is the handler that relays, and rewrites: as little as there may be, unless it
// has more to say. What it is told at the end is in log_.
class RewriterFixture : public RelayFixture, protected proxy::Rewriter, protected http::Handler {
 protected:
  RewriterFixture() { open(*this); }
  // The members of a test are still there.
  void TearDown() override {
    session_->on_closed(Errc::kClosed);
    settle();
    EXPECT_EQ(relays_.relays.alive(), 0U);
    EXPECT_EQ(loop_->blocks().outstanding(), 0U);
    session_.reset();
  }
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    proxy::Relay::start(relays_, *this, request, exchange);
  }
  Result<void> rewrite_request(const http::Request& from, proxy::Outgoing& to,
                               proxy::FieldDraft& /*draft*/) noexcept override {
    to.source = &origin_;
    to.head.target = from.target;
    to.head.host = "o";
    return {};
  }
  Result<void> rewrite_response(const http::ResponseHead& /*from*/, http::Response& to,
                                proxy::FieldDraft& /*draft*/) noexcept override {
    to.reason = {};
    return {};
  }
  void refused(http::Exchange& exchange, Errc error) noexcept override {
    log_ += "refused " + std::string{info(error).name} + " ";
    exchange.abort(error);
  }
  void ended(http::Outcome outcome, unsigned attempts) noexcept override {
    log_ += "ended " + std::to_string(static_cast<int>(outcome)) + " " + std::to_string(attempts);
  }

  proxy::RelayContext relays_{*loop_, {}};
  std::string log_;
};

}  // namespace tercel::test
