// One WebSocket on the server's side: the engine of http/websocket_*.h on an exchange, with a queue
// of messages, and the clock.
//
//   handle(request, exchange):
//     socket = new edge::WebSocket{loop, options, exchange, observer};
//     socket->begin(handshake, request);   // Observes the exchange from here on.
//   later:
//     socket->accept(subprotocol, fields);
//     while (socket->has_message()) { use(socket->front()); socket->pop(); }
//     socket->send(http::MessageKind::kText, payload);
//     socket->close({.code = http::CloseCode::kNormal});
//
// Every door that speaks WebSocket does it through this class, which no more knows what carries the
// bytes than the exchange tells.
//
// Reading. It reads on by itself, so that a ping is answered and a close noticed while the
// application is busy; until queue_messages_max messages, or kQueueBytes, are waiting. Then nothing
// is read, a ping behind them neither, until some are taken: the peer is held up by its socket. At
// most a read, the queue and one message are held.
//
// Writing. send() takes all that it is given; wait for writable(), as with an exchange. Pongs wait
// for it too, kPongBytes of them; of more, the last is sent (RFC 6455 section 5.5.3).
//
// Time, each 0: no limit. The application has handshake_timeout to accept (503). An idle peer is
// asked with a ping each ping_interval and has ping_timeout to send anything at all (1011 to it,
// 1006 to the application). A message that has begun has message_timeout, and each
// message_rate bytes of it buy another second (1008). Whoever closes first waits close_timeout for
// the other. Neither of the limits on the peer runs while nothing is read of it.
//
// The end. What the application hears last is end(): the peer's code and reason, 1005 if it named
// none, 1006 if it left without; what it was closed with if that was the server (1002, 1007, 1008,
// 1009, 1012 at a shutdown). Messages that came before stay readable. Where a peer broke a rule
// behind messages that are not taken yet, it hears so when they are and the application asks for
// more, or after close_timeout: they can be answered first. Connections end by themselves: nobody
// has to call anything.
//
// Resource: outlives its exchange; the loop outlives it. Between messages it holds no memory
// besides itself, but for the windows of permessage-deflate. Thread: the loop's. Source: RFC 6455
// sections 4.2, 5.5, 7; docs/decisions/0005-websocket.md. Tested by websocket_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "tercel/base/block_pool.h"
#include "tercel/base/result.h"
#include "tercel/http/handler.h"
#include "tercel/http/websocket_handshake.h"
#include "tercel/http/websocket_receiver.h"
#include "tercel/http/websocket_sender.h"
#include "tercel/net/loop.h"

namespace tercel::edge {

struct WebSocketOptions {
  std::size_t message_bytes_max = std::size_t{16} << 20;  // 1009. Below 4 GiB.
  std::size_t queue_messages_max = 32;
  http::DeflateOptions deflate;
  std::chrono::nanoseconds handshake_timeout{std::chrono::seconds{30}};
  std::chrono::nanoseconds ping_interval{std::chrono::seconds{20}};
  std::chrono::nanoseconds ping_timeout{std::chrono::seconds{20}};
  std::chrono::nanoseconds message_timeout{std::chrono::seconds{30}};
  std::uint32_t message_rate = 240;  // Bytes a second; 0: no more time.
  std::chrono::nanoseconds close_timeout{std::chrono::seconds{10}};
};

// Told about one WebSocket. Every call may call it back, except on_over().
class WebSocketObserver {
 public:
  // There is a message, or the end, and there was neither.
  virtual void on_message() noexcept = 0;
  // A send() left it not writable, and it is writable again.
  virtual void on_writable() noexcept = 0;
  // The exchange ends, and is there for the last time: who works on may keep its place. Nothing
  // else may be called.
  virtual void on_exchange_end(http::Exchange& exchange) noexcept { (void)exchange; }
  // The last call, exactly once: the exchange is gone. The socket may be destroyed.
  virtual void on_over() noexcept = 0;

 protected:
  ~WebSocketObserver() = default;
};

enum class WebSocketStage : std::uint8_t {
  kConnecting,  // The client waits for accept() or deny().
  kDenied,      // Another response is under way.
  kOpen,
  kClosing,  // Our close frame is sent, the peer's is due.
  kClosed    // The exchange is over, or ends by itself.
};

class WebSocket final : public http::Observer, private net::Timer, private net::Deferred {
 public:
  // `options` outlive it.
  WebSocket(net::Loop& loop, const WebSocketOptions& options, http::Exchange& exchange,
            WebSocketObserver& observer) noexcept;
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;
  ~WebSocket() override;

  // Keeps what accept() needs of the request, and observes the exchange. Fails with kNoMemory,
  // having done neither. To be called once, before anything else.
  [[nodiscard]] Result<void> begin(const http::WebSocketHandshake& handshake,
                                   const http::Request& request) noexcept;

  // --- the handshake
  // Switches protocols. `subprotocol`: empty, or one that was offered. `fields` are sent too; they
  // are changed. Fails with kBadSubprotocol, kBadResponseField (of ours, too), kClosed,
  // kIllegalStep or kNoMemory, and is then as before.
  [[nodiscard]] Result<void> accept(std::string_view subprotocol,
                                    std::vector<http::Field>& fields) noexcept;
  // Answers with another response instead, as http::Exchange::start() and write().
  [[nodiscard]] Result<void> deny(const http::Response& response) noexcept;
  [[nodiscard]] Result<void> write_denial(http::Payload payload, http::Final final) noexcept;
  // Ends the handshake, or the denial where it stands.
  void abort(Errc error) noexcept;

  // --- messages
  // Fails with kClosed when the peer is gone or was closed, with kIllegalStep before accept() and
  // after close(). `payload` is taken over in every case.
  [[nodiscard]] Result<void> send(http::MessageKind kind, http::Payload payload) noexcept;
  [[nodiscard]] bool writable() const noexcept {
    return exchange_ == nullptr || exchange_->writable();
  }
  [[nodiscard]] bool has_message() const noexcept { return !queue_.empty(); }
  // REQUIRES: has_message(), both. pop() may tell the observer of another.
  [[nodiscard]] http::Message front() const noexcept { return queue_.front(); }
  void pop() noexcept;
  // The application has taken all messages, and wants another.
  void expect_more() noexcept;

  // --- the end
  // Says good-bye: the application wants nothing more. A reason that does not fit is cut. Fails as
  // send(). REQUIRES: a code that is_sendable(), or kNoCode.
  [[nodiscard]] Result<void> close(const http::Closing& closing) noexcept;
  // How it ended, behind the last message. The reason is valid as long as this.
  [[nodiscard]] const std::optional<http::Closing>& end() const noexcept { return end_; }
  [[nodiscard]] WebSocketStage stage() const noexcept { return stage_; }

  // Above so many bytes of messages in the queue nothing more is read.
  static constexpr std::size_t kQueueBytes = std::size_t{64} * 1024;
  // Pongs that wait to be sent.
  static constexpr std::size_t kPongBytes = 4096;

  // --- http::Observer
  void on_body() noexcept override;
  void on_writable() noexcept override;
  void on_notice(http::Notice notice) noexcept override;
  void on_end(http::Outcome outcome) noexcept override;

 private:
  class Busy;
  struct Offer;

  void on_timer() noexcept override;
  void run_deferred() noexcept override;

  // --- reading
  [[nodiscard]] bool may_read() const noexcept;
  void read() noexcept;
  void take_in(std::string_view bytes) noexcept;
  // The rest of what was read is for another turn.
  void keep_rest(std::string_view bytes) noexcept;
  void take_in_rest() noexcept;
  void note_progress() noexcept;
  void keep_pong(std::string_view payload) noexcept;
  void send_pongs() noexcept;
  void on_close_frame(std::string_view payload) noexcept;

  // --- ending
  void fail_with(const http::Closing& closing) noexcept;
  void fail_now(const http::Closing& closing) noexcept;
  [[nodiscard]] bool failing() const noexcept { return failing_.code != http::CloseCode::kNoCode; }
  void set_end(const http::Closing& closing) noexcept;
  // Sends the close frame, and with Final::kYes ends the exchange.
  [[nodiscard]] Result<void> send_close(const http::Closing& closing, http::Final final) noexcept;
  void finish() noexcept;
  void wait_for_peer() noexcept;

  [[nodiscard]] Result<void> write_control(http::Opcode opcode, std::string_view payload,
                                           http::Final final) noexcept;
  [[nodiscard]] Result<void> write(http::Payload payload) noexcept;
  [[nodiscard]] bool is_offered(std::string_view subprotocol) const noexcept;

  // --- time
  using Time = std::chrono::nanoseconds;
  void check_stage(Time now) noexcept;
  void check_message(Time now) noexcept;
  void check_ping(Time now) noexcept;
  void arm() noexcept;
  [[nodiscard]] Time after(Time limit) const noexcept;

  net::Loop& loop_;
  const WebSocketOptions& options_;
  http::Exchange* exchange_;  // Null once it ended.
  WebSocketObserver& observer_;
  http::MessageQueue queue_;
  http::WebSocketReceiver receiver_;
  http::WebSocketSender sender_{http::Role::kServer};
  Block held_;    // While connecting the Offer; then pong_bytes_ of frames that are to be sent.
  Block reason_;  // Of end_.
  Block rest_;    // What was read and is not taken in: its last rest_bytes_.
  std::optional<http::Closing> end_;
  http::Closing failing_;  // What to fail with, once the messages are taken; kNoCode: nothing.
  std::uint64_t seen_bytes_ = 0;  // Of the message under way.
  // When something is due; zero: nothing is.
  Time stage_due_{0};    // The application's answer, or the peer's.
  Time message_due_{0};  // The end of a message, or progress.
  Time ping_due_{0};     // Our next ping.
  Time pong_due_{0};     // Anything from the peer.
  int busy_ = 0;
  std::uint32_t rest_bytes_ = 0;
  WebSocketStage stage_ = WebSocketStage::kConnecting;
  bool closed_by_us_ = false;
  bool resume_ = false;  // Reading goes on in the next turn.
  bool over_ = false;    // The exchange ended; the observer is not told yet.
  std::uint16_t pong_bytes_ = 0;
};

// One exists for each WebSocket.
static_assert(sizeof(WebSocket) <= 552);

}  // namespace tercel::edge
