// A run of the load client: opens the connections, lets a plan load them, stops, prints.
//
//   opening -> (a line on standard input) -> running -> draining -> printed -> (its end) -> over
//
// A resource: one a process. What is sent when is the plan's: plans.h.
// Tested by tests/python/test_load_client.py.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "numbers.h"
#include "options.h"
#include "session.h"
#include "tally.h"
#include "tercel/base/clock.h"
#include "tercel/http/h1_head.h"
#include "tercel/http/websocket_frame.h"
#include "tercel/http/websocket_queue.h"
#include "tercel/net/loop.h"

namespace tercel::load {

class WebSocketSession;

class Run : private net::Watcher {
 public:
  // Connections that are on their way at once: a backlog is finite.
  static constexpr std::size_t kOpeningMax = 64;

  virtual ~Run() = default;

  // Returns the exit code: 0 when it ran, whatever was counted.
  [[nodiscard]] int go();

  // --- what sessions ask for
  [[nodiscard]] net::Loop& loop() noexcept { return loop_; }
  [[nodiscard]] const Options& options() const noexcept { return options_; }
  [[nodiscard]] Tally& tally() noexcept { return tally_; }
  [[nodiscard]] Numbers& numbers() noexcept { return numbers_; }
  [[nodiscard]] http::HeadBuffer& head_buffer() noexcept { return fields_; }
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept { return loop_.now(); }
  // To the nanosecond, within a turn too.
  [[nodiscard]] std::chrono::nanoseconds clock_now() const noexcept { return clock_.now(); }
  [[nodiscard]] std::uint64_t next_number();
  [[nodiscard]] Address next_source() noexcept;
  [[nodiscard]] bool opening() const noexcept { return phase_ == Phase::kOpening; }
  [[nodiscard]] std::uint64_t random() noexcept;
  [[nodiscard]] http::MaskKey new_mask() noexcept;
  // Texts to send: each valid until the next call of it.
  [[nodiscard]] std::string_view request_text(std::uint64_t number);
  [[nodiscard]] std::string_view handshake_text(std::string_view key);
  [[nodiscard]] std::string_view message_text(std::uint64_t number);

  // --- what sessions tell
  // It is connected, and its protocol is agreed on.
  void on_ready(Session& session);
  // Its request is settled, and it can carry the next.
  virtual void on_settled(Session& session) = 0;
  virtual void on_message(WebSocketSession& session, const http::Message& message) = 0;
  // It is closed, or could not be opened.
  void on_down(Session& session);
  // Ends the run without a result. `why` is a literal.
  void fail(std::string_view why) noexcept;

 protected:
  Run(net::Loop& loop, const Clock& clock, const Options& options);

  // Whether another request may be sent.
  [[nodiscard]] bool may_ask() const noexcept;
  [[nodiscard]] bool running() const noexcept { return phase_ == Phase::kRunning; }
  // Nothing is under way.
  [[nodiscard]] bool quiet() const noexcept { return tally_.sent == tally_.settled(); }
  // Nothing more is asked.
  void stop();
  // The session is as it must be before the load begins.
  void count_open(Session& session);

  // All are open, and time counts.
  virtual void begin() = 0;
  // A session can be asked: at the opening, or as the next of one that was lost.
  virtual void on_open(Session& session) = 0;
  virtual void on_lost(Session& session) = 0;
  // Once a turn, while running. Returns when it wants to be called again at the latest.
  virtual std::chrono::nanoseconds turn(std::chrono::nanoseconds now) = 0;
  // What is still under way is lost.
  virtual void give_up();
  // A session that went down after the opening is made anew.
  [[nodiscard]] virtual bool reconnects() const = 0;

  std::vector<std::unique_ptr<Session>> sessions_;

 private:
  enum class Phase : std::uint8_t { kOpening, kWaiting, kRunning, kDraining, kHolding, kOver };

  void on_ready(std::uint32_t readiness) noexcept override;
  void open_more();
  void start();
  void finish();
  void leave();
  void look_around(std::chrono::nanoseconds now);
  [[nodiscard]] std::chrono::nanoseconds step(std::chrono::nanoseconds now);
  [[nodiscard]] bool watch_input();

  net::Loop& loop_;
  const Clock& clock_;
  const Options& options_;
  Tally tally_;
  Numbers numbers_;
  http::HeadBuffer fields_;
  Phase phase_ = Phase::kOpening;
  std::string_view failure_;
  std::size_t begun_ = 0;  // Sessions that were told to connect.
  std::size_t open_ = 0;   // That were ready once.
  std::vector<Session*> down_;
  std::chrono::nanoseconds end_{0};  // Of the phase.
  std::chrono::nanoseconds next_look_{0};
  std::uint64_t source_ = 0;
  std::uint64_t random_state_;
  net::WatchId input_ = net::WatchId::kNone;
  bool line_came_ = false;
  bool input_ended_ = false;
  std::size_t request_prefix_ = 0;  // Bytes of text_ in front of the number.
  std::string text_;
  std::string message_;
};

}  // namespace tercel::load
