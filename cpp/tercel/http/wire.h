// What lies under a session: received bytes to take, bytes to send, and the life of the connection.
//
// The engines of HTTP are sans-I/O: they see this, not a socket. tercel/server implements it over a
// net::Stream, the tests over memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tercel/base/block_pool.h"
#include "tercel/base/errors.h"
#include "tercel/http/handler.h"

namespace tercel::http {

enum class InputState : std::uint8_t {
  kOpen,  // More may come.
  kEnded  // The peer finished its direction: these bytes are the last.
};

struct Input {
  std::span<char> bytes;  // Received and not consumed yet. The parsers write into it (lower case).
  InputState state;
};

// What the session waits for: decides which time limit runs.
enum class Phase : std::uint8_t {
  kHandshake,  // Before the first byte of HTTP: the handshake limit. The connection's own.
  kIdle,       // Between requests: the keep-alive limit.
  kHead,       // Part of a head is here: the head limit, and a rate.
  kBody,       // The handler waits for the peer's body: the body limit, and a rate.
  kQueued,     // A head is complete, and waits for its turn: the queue limit.
  kHandler,    // The handler works: only the whole-request limit.
  kTunnel,     // The exchange is a tunnel: no limit of HTTP's, but a peer has to read.
  kClosing     // Answered; what still arrives is thrown away for a moment.
};

// No call on a wire calls its session back: what must be told is told from the loop.
class Wire {
 public:
  // Bytes that are here. Reads from the peer when there are none, unless it is known that none
  // came. Valid until the next call on this wire or the return to the loop.
  [[nodiscard]] virtual Input input() noexcept = 0;
  // Asks for bytes behind those of input(), which were not enough: reads from the peer, and
  // presents all in one piece. The same size as before means that nothing came.
  [[nodiscard]] virtual Input more_input() noexcept = 0;
  // Drops the first `bytes` of the input. The memory stays valid as said above.
  virtual void consume(std::size_t bytes) noexcept = 0;

  // Moves up to `max` bytes into `pipe`, which becomes one, without presenting them: if none wait
  // in input(), and the connection can. 0: nothing came, for whatever reason; ask input().
  [[nodiscard]] virtual std::size_t input_into(Pipe& pipe, std::size_t max) noexcept {
    static_cast<void>(pipe), static_cast<void>(max);
    return 0;
  }

  // What is sent from here on leaves together, with the push() that ends the part.
  virtual void gather() noexcept = 0;
  // Each takes its argument over, in order, and sends it soon: when the step of the handler that
  // is running ends, with its part, or earlier. Borrowed bytes are copied unless the kernel takes
  // them at once.
  virtual void send(Block block, std::size_t bytes) noexcept = 0;
  virtual void send(const Payload& payload) noexcept = 0;
  virtual void send_file(const FileRange& range) noexcept = 0;
  // The first `bytes` of what is in it. REQUIRES: takes_pipes().
  virtual void send_pipe(Pipe pipe, std::size_t bytes) noexcept {
    static_cast<void>(pipe), static_cast<void>(bytes);
  }
  [[nodiscard]] virtual bool takes_pipes() const noexcept { return false; }
  // A part of a response is complete, and leaves now, as far as the kernel takes it: whoever sent
  // it may work on for long. Only the last part waits for the end of the step if more input is
  // here, so that the answers to pipelined requests leave together.
  virtual void push(Final final) noexcept = 0;
  // Bytes taken over and not yet handed to the kernel.
  [[nodiscard]] virtual std::size_t unsent_bytes() const noexcept = 0;
  // Too much waits for a peer that does not read: no further request of it is begun until
  // Session::on_sent().
  [[nodiscard]] virtual bool pressed() const noexcept = 0;

  // Entering kIdle outside of a step makes the wire look for input by itself.
  virtual void enter(Phase phase) noexcept = 0;
  // Calls Session::on_input() again soon, from the loop.
  virtual void revisit() noexcept = 0;
  // Closes when all is sent; then waits a moment for the peer to close first, so that a reset does
  // not take the answer from it (RFC 9112 section 9.6).
  virtual void close_after_send() noexcept = 0;
  // Closes now, as a reset: the peer sees that something was cut off.
  virtual void reset() noexcept = 0;

  [[nodiscard]] virtual const Endpoints& endpoints() const noexcept = 0;
  [[nodiscard]] virtual BlockPool& blocks() noexcept = 0;
  // Constant within a turn of the loop.
  [[nodiscard]] virtual std::chrono::nanoseconds now() const noexcept = 0;
  // Wall-clock time, for the Date field.
  [[nodiscard]] virtual std::chrono::seconds unix_time() const noexcept = 0;

 protected:
  ~Wire() = default;
};

// One connection's protocol engine: HTTP/1 now, HTTP/2 next. Driven by its wire's owner.
class Session {
 public:
  Session() noexcept = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  // Bytes, or the end of the peer's direction, may have come.
  virtual void on_input() noexcept = 0;
  // unsent_bytes() went below half of the high-water mark, or to zero: pressed() is over.
  virtual void on_sent() noexcept = 0;
  // The peer finished its direction while a response is pending and some time went by.
  virtual void on_input_closed() noexcept = 0;
  // The time limit of the phase ran out: kHeadTimeout, kBodyTimeout, kRequestTimeout, kIdleTimeout.
  virtual void on_timeout(Errc error) noexcept = 0;
  // The connection is dead (`error`), or must not be used any more: every exchange ends now.
  virtual void on_closed(Errc error) noexcept = 0;
  // Serve what is under way, then close.
  virtual void drain() noexcept = 0;
  // Exchanges under way are told, with Notice::kDraining: after a grace period for long streams.
  virtual void notify_draining() noexcept = 0;
  // When the oldest request that is not answered came; 0: there is none. For the limit of the whole
  // request, which on_timeout(kRequestTimeout) ends.
  [[nodiscard]] virtual std::chrono::nanoseconds waiting_since() const noexcept = 0;
  // About once a second while an exchange is open: for the limits of single streams.
  virtual void on_tick(std::chrono::nanoseconds now) noexcept { (void)now; }
};

}  // namespace tercel::http
