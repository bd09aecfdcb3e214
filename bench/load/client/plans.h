// What is sent when: one request a connection after the other, or one message to all.
//
// Resources, see run.h. Tested by tests/python/test_load_client.py.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "run.h"

namespace tercel::load {

// The modes http, websocket and idle: each connection has one request under way, and the next is
// sent when that is answered, or when it is due at a rate.
class Ask final : public Run {
 public:
  Ask(net::Loop& loop, const Clock& clock, const Options& options);

 private:
  void begin() override;
  void on_open(Session& session) override;
  void on_lost(Session& session) override;
  void on_settled(Session& session) override;
  void on_message(WebSocketSession& session, const http::Message& message) override;
  std::chrono::nanoseconds turn(std::chrono::nanoseconds now) override;
  [[nodiscard]] bool reconnects() const override { return options().mode != ModeName::kIdle; }

  void serve(Session& session);

  std::vector<Session*> free_;  // Wait for a request to be due.
  std::chrono::nanoseconds due_{0};
  std::chrono::nanoseconds interval_{0};
};

// The mode broadcast: one connection sends, all receive, it among them. The next message is sent
// when the last of them has this one. A connection that ends stays away: what it missed is lost.
class Broadcast final : public Run {
 public:
  Broadcast(net::Loop& loop, const Clock& clock, const Options& options);

 private:
  void begin() override { say(); }
  void on_open(Session& session) override { count_open(session); }
  void on_lost(Session& session) override;
  void on_settled(Session& /*session*/) override {}
  void on_message(WebSocketSession& session, const http::Message& message) override;
  std::chrono::nanoseconds turn(std::chrono::nanoseconds now) override;
  void give_up() override;
  [[nodiscard]] bool reconnects() const override { return false; }

  void say();
  // One of those who wait for this message does no longer.
  void heard(WebSocketSession& session);

  std::uint64_t number_ = 0;
  std::size_t waiting_ = 0;  // For this message, how many.
  std::chrono::nanoseconds said_at_{0};
};

}  // namespace tercel::load
