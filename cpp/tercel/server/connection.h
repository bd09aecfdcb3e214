// One accepted connection: a stream, its buffers while it needs them, its time limits, its session.
//
// Bytes are read into the loop's shared buffer; what a step leaves is copied into a pooled block,
// and what the socket does not take is queued. An idle connection has neither: it is this struct,
// its stream and its session. The socket is watched once, edge triggered, for both directions.
// Resource: owned by its Server. Thread: the loop's. Source: RFC 9112 section 9. Tested by
// connection_test.cc and by the live tests in Python.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

#include "tercel/base/block_pool.h"
#include "tercel/http/wire.h"
#include "tercel/net/input_buffer.h"
#include "tercel/net/loop.h"
#include "tercel/net/stream_place.h"
#include "tercel/net/stream_reader.h"
#include "tercel/server/output_queue.h"
#include "tercel/server/session_place.h"
#include "tercel/server/time_limits.h"

namespace tercel::server {

class Server;

class Connection final : public http::Wire,
                         private net::Watcher,
                         private net::Timer,
                         private net::Deferred {
 public:
  Connection(Server& server, const http::Endpoints& ends) noexcept;
  ~Connection() override;

  // Pieces of output that wait to be sent, and parts of files among them, before the peer counts as
  // one that does not read: a piece holds a block, however small it is, and a file a descriptor.
  static constexpr std::size_t kPiecesMax = 64;
  static constexpr std::size_t kFilesMax = 4;
  // From this size on, borrowed bytes are sent from where they are, and what the socket does not
  // take is copied; smaller ones are copied, and leave together with what comes behind them.
  static constexpr std::size_t kSentAtOnceBytesMin = 16384;

  // Watches the stream and serves what is there. False: the kernel refused; destroy the connection.
  // Takes over `fd`, a connected, non-blocking socket.
  [[nodiscard]] bool start(int fd) noexcept;
  [[nodiscard]] bool start(std::unique_ptr<net::Stream> stream) noexcept;
  // Answers what is under way with `Connection: close`, then closes; soon, when nothing is.
  void drain() noexcept;
  void notify_draining() noexcept;
  // Cuts it off.
  void kill() noexcept { die(Errc::kDraining); }

  // --- http::Wire
  [[nodiscard]] http::Input input() noexcept override;
  [[nodiscard]] http::Input more_input() noexcept override;
  [[nodiscard]] std::size_t input_into(Pipe& pipe, std::size_t max) noexcept override;
  void consume(std::size_t bytes) noexcept override;
  void gather() noexcept override { gathers_ = true; }
  void send(Block block, std::size_t bytes) noexcept override;
  void send(const http::Payload& payload) noexcept override;
  void send_file(const http::FileRange& range) noexcept override;
  void send_pipe(Pipe pipe, std::size_t bytes) noexcept override;
  [[nodiscard]] bool takes_pipes() const noexcept override;
  void push(http::Final final) noexcept override;
  [[nodiscard]] std::size_t unsent_bytes() const noexcept override;
  [[nodiscard]] bool pressed() const noexcept override { return pressed_; }
  void enter(http::Phase phase) noexcept override;
  void revisit() noexcept override;
  void close_after_send() noexcept override;
  void reset() noexcept override;
  [[nodiscard]] const http::Endpoints& endpoints() const noexcept override { return ends_; }
  [[nodiscard]] BlockPool& blocks() noexcept override;
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept override;
  [[nodiscard]] std::chrono::seconds unix_time() const noexcept override;

 private:
  friend class Server;

  // What a connection has while bytes wait in one direction or the other.
  struct Buffers {
    Buffers(net::Loop& loop, Slab<Segment>& segments) noexcept : input{loop}, output{segments} {}
    net::InputBuffer input;
    OutputQueue output;
    WriteLimit write_limit;
  };

  [[nodiscard]] bool watch() noexcept;
  // True: bytes of the application flow, so that the session may look at them.
  [[nodiscard]] bool shake_hands() noexcept;
  // Tells a peer that speaks HTTP where TLS is spoken, and closes.
  void refuse_plain(int fd) noexcept;
  void on_ready(std::uint32_t readiness) noexcept override;
  void on_timer() noexcept override;
  void run_deferred() noexcept override;

  // A step is everything that happens between begin_step() and end_step(): output is gathered in
  // it and flushed at its end. Steps nest when a handler answers another connection: each has its
  // own.
  void begin_step() noexcept { ++steps_; }
  void end_step() noexcept;

  [[nodiscard]] Buffers* buffers() noexcept;
  void drop_idle_buffers() noexcept;
  // Reads what is there behind the unread input, if any may be. True: there is more than before.
  [[nodiscard]] bool fill() noexcept;
  // Whether it is time to read from the stream.
  [[nodiscard]] bool may_read() noexcept;
  // Reading gave nothing: perhaps for good.
  void look_at_end() noexcept;
  [[nodiscard]] bool reads_head() const noexcept;
  // The end was read, and all before it.
  [[nodiscard]] bool input_ended() const noexcept { return reader_.end() == net::InputEnd::kEnded; }
  [[nodiscard]] http::Input unread_input() const noexcept;
  void settle_input() noexcept;
  void discard_input() noexcept;

  void after_send(bool queued) noexcept;
  void send_now() noexcept;
  // Whether more than this waits to be sent, or more pieces than there may be.
  [[nodiscard]] bool unsent_above(std::size_t bytes) const noexcept;
  // Sends what is queued, and behind it `borrowed`, of which what is left was not sent.
  void flush(std::string_view& borrowed) noexcept;
  void flush() noexcept {
    std::string_view none;
    flush(none);
  }
  void finish_closing() noexcept;
  // In a child of fork() the peer is the parent's to talk to.
  [[nodiscard]] bool is_copy() const noexcept;
  void broke(Errc error) noexcept;
  void die(Errc error) noexcept;

  // The earliest time at which a limit may be exceeded; zero: none runs.
  [[nodiscard]] std::chrono::nanoseconds due() noexcept;
  [[nodiscard]] std::chrono::nanoseconds tick_due() noexcept;
  [[nodiscard]] std::chrono::nanoseconds write_due() const noexcept;
  [[nodiscard]] std::chrono::nanoseconds request_due() const noexcept;
  [[nodiscard]] const Timeouts& times() const noexcept;
  void arm() noexcept;
  void expire() noexcept;
  void expire_phase() noexcept;

  Server& server_;
  net::StreamPlace stream_;
  Buffers* buffers_ = nullptr;
  [[no_unique_address]] SessionPlace session_;
  // Here, because they fit into what the session leaves of its last eight bytes.
  net::StreamReader reader_;
  net::WatchId watch_ = net::WatchId::kNone;
  http::Endpoints ends_;
  [[no_unique_address]] TimeLimits limits_;
  Errc error_ = Errc::kClosed;
  std::uint8_t steps_ = 0;
  bool handshaking_ : 1 = false;
  bool hung_up_ : 1 = false;   // The peer is gone: the session hears that, and not of an end.
  bool blocked_ : 1 = false;   // The stream takes no more until an event.
  bool gathers_ : 1 = false;   // A push() is to come.
  bool pressed_ : 1 = false;   // The output went above the high-water mark.
  bool relieved_ : 1 = false;  // It went below half of it since, and the session is to be told.
  bool closing_ : 1 = false;   // Close when all is sent.
  bool shut_ : 1 = false;      // Our FIN is sent.
  bool broken_ : 1 = false;    // The stream failed; the session is told at the end of the step.
  bool dead_ : 1 = false;      // Nothing works any more; the memory goes at the next turn.
};

// With its stream, less than the 300 bytes of an idle connection (ARCHITECTURE.md, step 10).
static_assert(sizeof(Connection) <= 272);

}  // namespace tercel::server
