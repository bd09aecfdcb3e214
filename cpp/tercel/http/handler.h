// The seam: what every door implements and every version of HTTP drives.
//
//   class Hello final : public http::Handler {
//     void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
//       (void)exchange.start({.status = 200, .fields = kFields});
//       (void)exchange.write(http::Payload::borrow("hello"), http::Final::kYes);
//     }
//   };
//
// A handler is called once a request, when the head is complete and the body may still be on its
// way. It answers through the Exchange now or later, and never learns which version of HTTP is
// below. Handlers wrap handlers. Source: ARCHITECTURE.md, "The layers", and
// docs/decisions/0002-the-seam.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/base/address.h"
#include "tercel/base/pipe.h"
#include "tercel/base/result.h"
#include "tercel/base/tls_info.h"
#include "tercel/http/message.h"

namespace tercel::http {

enum class Final : bool { kNo, kYes };

// Bytes to send. A value that may own its bytes: what the socket does not take at once is copied
// when borrowed, and kept by reference when owned.
struct Payload {
  using Release = void (*)(void* owner) noexcept;
  std::string_view bytes;
  void* owner = nullptr;
  Release release = nullptr;  // Called exactly once, on the loop's thread, if not null.

  [[nodiscard]] static Payload borrow(std::string_view bytes) noexcept { return {bytes}; }
  [[nodiscard]] static Payload own(std::string_view bytes, void* owner, Release release) noexcept {
    return {bytes, owner, release};
  }
};

// Part of a regular file. The exchange never closes `file`; `release` says when it is done with it.
struct FileRange {
  int file;
  std::uint64_t offset;
  std::uint64_t count;
  void* owner = nullptr;
  Payload::Release release = nullptr;
};

enum class BodyState : std::uint8_t {
  kMore,     // `bytes` is not empty; read again for more.
  kEnd,      // The body is complete: `bytes` is its last part, perhaps empty.
  kPending,  // Nothing now; Observer::on_body() follows.
  kFailed    // The body will never be complete; Observer::on_end() follows or came already.
};

// The least that has to be left of a body for its next part to come in a pipe: of less, moving it
// costs what copying it does. Measured: docs/decisions/0016-splice.md.
inline constexpr std::size_t kPipedBytesMin = 65536;
// What is read at once of a head on a connection that carried such a body before: what comes with
// the head is copied.
inline constexpr std::size_t kHeadReadBytes = 4096;

struct BodyRead {
  std::string_view bytes;  // Valid until the next call on this exchange, or the return to the loop.
  BodyState state;
};

// Why an exchange ended.
enum class Outcome : std::uint8_t {
  kComplete,  // The whole response was handed to the transport.
  kPeerGone,  // The peer closed or reset, or ended its half in the middle of a request.
  kAborted    // abort() was called, or the server ended it: for a limit, or a fault of the peer.
};

// Things a handler may want to know while it works on an answer.
enum class Notice : std::uint8_t {
  kInputClosed,  // The peer finished its direction and may have left; it may still read.
  kDraining      // The server shuts down: end this exchange soon.
};

// Told about one exchange by the loop's thread. Every call may call the exchange back, except
// on_end().
class Observer {
 public:
  // read_body() said kPending and now has something else to say.
  virtual void on_body() noexcept = 0;
  // A write left the exchange not writable, and it is writable again.
  virtual void on_writable() noexcept = 0;
  virtual void on_notice(Notice notice) noexcept = 0;
  // The last call, exactly once. The exchange is gone when it returns.
  virtual void on_end(Outcome outcome) noexcept = 0;

 protected:
  ~Observer() = default;
};

// The two ends of a connection, as the transport knows them.
struct Endpoints {
  Address peer;
  Address local;
  const char* local_path = "";  // Of a Unix socket; lives as long as its listener.
  TlsInfoRef tls = {};          // Empty: the connection is plain.
};

// What went over the wire for one exchange so far, without framing.
struct Traffic {
  std::uint16_t status = 0;          // Of the final response; 0: none was sent.
  std::uint64_t request_bytes = 0;   // Of the request's body, that were received.
  std::uint64_t response_bytes = 0;  // Of the response's, handed to the transport.
};

// Holds the place of a request that has ended while somebody still works on it.
class Place {
 public:
  // The work is over. Once; the place is gone then. Thread: that of the exchange.
  virtual void leave() noexcept = 0;

 protected:
  ~Place() = default;
};

// When a client that was refused may try again, unless more is known.
inline constexpr std::chrono::seconds kRetryAfter{1};

// One request and its response. Owned by the connection; valid from Handler::handle() until
// Observer::on_end() returns, or, without an observer, until the response is complete.
class Exchange {
 public:
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Sets who is told. Without an observer nobody is; a handler that answers at once needs none.
  virtual void observe(Observer* observer) noexcept = 0;
  [[nodiscard]] virtual const Endpoints& endpoints() const noexcept = 0;

  // --- the request
  // Takes the next part of the body. The first call on a request that expects `100 Continue` sends
  // it. Nothing is read from the peer that nobody asks for: this is the back-pressure.
  [[nodiscard]] virtual BodyRead read_body() noexcept = 0;
  // Takes the next part of the body if it is here already, and asks the peer for nothing: no
  // `100 Continue` is sent, and after kPending nothing follows. For who may have a use for it
  // later.
  [[nodiscard]] virtual BodyRead arrived_body() noexcept = 0;
  // As read_body(), for who only passes the body on: where a part that is long enough is still in
  // the kernel, and the connection can, `pipe` becomes one with the part in it, and there are no
  // bytes in memory; kEnd: it is the last. Else `pipe` stays none. REQUIRES: it is none.
  [[nodiscard]] virtual BodyRead read_body_into(Pipe& pipe) noexcept {
    static_cast<void>(pipe);
    return read_body();
  }
  // The trailer fields, once read_body() said kEnd. Valid during that call's turn.
  [[nodiscard]] virtual std::span<const Field> request_trailers() const noexcept = 0;

  // --- the response
  // Each fails with kIllegalStep out of order and kClosed when the peer is gone; then nothing was
  // sent. An interim (1xx, not 101) response, before or after start() and before the first write().
  // Left out for HTTP/1.0.
  [[nodiscard]] virtual Result<void> interim(const Response& response) noexcept = 0;
  // The head. Checked here, sent with the first write(). Status 101, legal when Request::protocol
  // is not empty, is sent at once and makes the exchange a tunnel: from then on read_body() gives
  // the peer's bytes as they are, kEnd at its end, write() sends ours, and Final::kYes is our end.
  // Connection-level fields (Connection, Keep-Alive, Transfer-Encoding, Upgrade) are the server's:
  // `connection: close` is honoured, the rest left out. Fails with kBadResponseStatus,
  // kBadResponseField or kBadResponseLength, and with kNoMemory, having aborted.
  [[nodiscard]] virtual Result<void> start(const Response& response) noexcept = 0;
  // Part of the body. Bytes are left out where the response has none (HEAD, 204, 304). Fails with
  // kResponseTooLong, having sent what fits; with Final::kYes too early, with kResponseTooShort,
  // having aborted. `payload` is taken over in every case.
  [[nodiscard]] virtual Result<void> write(Payload payload, Final final) noexcept = 0;
  [[nodiscard]] virtual Result<void> write_file(FileRange range, Final final) noexcept = 0;
  // As write(), of what is in `pipe`, where takes_pipes(): which is for the time from start() on.
  [[nodiscard]] virtual bool takes_pipes() const noexcept { return false; }
  [[nodiscard]] virtual Result<void> write_pipe(Pipe pipe, Final final) noexcept {
    static_cast<void>(pipe), static_cast<void>(final);
    return fail(Errc::kIllegalStep);
  }
  // Ends a response whose start() promised trailers, after its last write(…, Final::kNo).
  [[nodiscard]] virtual Result<void> finish(std::span<const Field> trailers) noexcept = 0;
  // Ends the exchange where it stands, visibly incomplete to the peer. Before start() the server
  // answers `error` itself, if it has a status; `retry_after` is told with 429 and 503.
  virtual void abort(Errc error, std::chrono::seconds retry_after) noexcept = 0;
  void abort(Errc error) noexcept { this->abort(error, kRetryAfter); }
  // For a handler that works on after the end of the exchange, from inside of on_end(): until it
  // calls leave(), which it may at any later time, the request counts as one that its client has
  // under way. Null where nobody counts, or memory is exhausted.
  [[nodiscard]] virtual Place* keep_place() noexcept { return nullptr; }
  // False: more than the high-water mark waits to be sent; write() still takes all, but wait for
  // Observer::on_writable().
  [[nodiscard]] virtual bool writable() const noexcept = 0;
  // Also from inside of on_end(). Zeros where nobody counts: on a thread of the application.
  [[nodiscard]] virtual Traffic traffic() const noexcept { return {}; }

 protected:
  Exchange() noexcept = default;
  ~Exchange() = default;
};

class Handler {
 public:
  virtual ~Handler() = default;
  // Thread: the loop's. `request` is valid during the call, `exchange` as its class says.
  virtual void handle(const Request& request, Exchange& exchange) noexcept = 0;
};

}  // namespace tercel::http
