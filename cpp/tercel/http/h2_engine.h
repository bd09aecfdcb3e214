// nghttp2 behind an interface of our own: frames, HPACK, states of streams, windows, priorities.
//
//   auto engine = H2Engine::create(events, options);
//   engine->feed(bytes);                          // Calls events.
//   while (!(bytes = engine->next_output()).empty()) send(bytes);  // Calls events.
//
// The rules of HTTP (fields, bodies, lengths) are not asked of it: see h2_head.h and h2_session.h.
// Events are calls from the middle of nghttp2: who gets one takes note and returns. What may be
// called from inside of one is said there.
// The library is loaded when it is first asked for: h2_available().
// Resource: one a connection, about 13 KiB of memory, most of which goes back to the system with
// it. Thread: one. Source: RFC 9113, RFC 9218, and the documentation of nghttp2 1.52, the oldest
// that is supported. Tested by h2_session_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "tercel/http/h2_memory.h"
#include "tercel/http/h2_options.h"
#include "tercel/http/message.h"

struct nghttp2_session;

namespace tercel::http {

// Whether this machine has nghttp2; loads it on the first call. Thread: any.
[[nodiscard]] bool h2_available() noexcept;

class H2Exchange;
using H2StreamId = std::int32_t;

// Source: RFC 9113 section 7.
enum class H2Code : std::uint32_t {
  kNoError = 0,
  kProtocolError = 1,
  kInternalError = 2,
  kStreamClosed = 5,
  kRefusedStream = 7,
  kCancel = 8,
  kEnhanceYourCalm = 11
};

// What a stream has to send.
struct H2Supply {
  enum class Kind : std::uint8_t {
    kBytes,  // So many, perhaps none.
    kWait,   // Nothing now: H2Engine::resume() follows.
    kPause   // The connection takes no more now: ask again with the next next_output().
  };
  Kind kind;
  std::size_t bytes = 0;
  bool last = false;      // These are the last.
  bool trailers = false;  // And trailers follow: submit them before this returns.
};

enum class H2HeadKind : std::uint8_t { kRequest, kTrailers };

class H2Events {
 public:
  // A header block begins. False: the stream is refused, with kRefusedStream.
  [[nodiscard]] virtual bool on_head(H2StreamId id, H2HeadKind kind) noexcept = 0;
  // Valid during the call.
  virtual void on_field(std::string_view name, std::string_view value) noexcept = 0;
  virtual void on_head_end(H2StreamId id, bool last) noexcept = 0;
  virtual void on_data(H2Exchange* stream, std::string_view bytes) noexcept = 0;
  virtual void on_data_end(H2Exchange* stream) noexcept = 0;
  // The stream is closed, and its id unknown from now on. `stream` may be null.
  virtual void on_stream_closed(H2Exchange* stream, H2Code code) noexcept = 0;
  // A frame of this stream is answered with RST_STREAM, for what it is.
  virtual void on_invalid_frame(H2StreamId id) noexcept = 0;
  // RST_STREAM left.
  virtual void on_reset_sent(H2StreamId id) noexcept = 0;
  virtual void on_ping_answered() noexcept = 0;

  // What `stream` has for a frame of at most `bytes_max` bytes. H2Engine::trailers() may be called.
  [[nodiscard]] virtual H2Supply on_supply(H2Exchange& stream, std::size_t bytes_max) noexcept = 0;
  // Send the head of a DATA frame, and behind it `bytes` of what on_supply() promised.
  virtual void on_data_frame(H2Exchange& stream, std::string_view head,
                             std::size_t bytes) noexcept = 0;
  // The last frame of a response left. H2Engine::reset() may be called.
  virtual void on_response_sent(H2Exchange& stream, H2StreamId id) noexcept = 0;
  // The head of a response cannot be sent: it is too large, or memory is exhausted.
  virtual void on_response_failed(H2Exchange& stream) noexcept = 0;

 protected:
  ~H2Events() = default;
};

class H2Engine {
 public:
  // `events` and `memory` outlive it. Null when memory is exhausted, or nghttp2 is not there. The
  // first SETTINGS are ready to be sent.
  [[nodiscard]] static std::unique_ptr<H2Engine> create(H2Events& events, const H2Options& options,
                                                        H2Memory& memory) noexcept;
  H2Engine(const H2Engine&) = delete;
  H2Engine& operator=(const H2Engine&) = delete;
  ~H2Engine();

  // What was received, in any parts. False: the connection is over at once; there is nothing more
  // to say.
  [[nodiscard]] bool feed(std::span<const char> bytes) noexcept;
  // The next frames to send, but for the DATA frames, which go to on_data_frame(). Empty: nothing
  // now. Valid until the next call.
  [[nodiscard]] std::string_view next_output() noexcept;
  // Memory was exhausted: the connection is over.
  [[nodiscard]] bool broken() const noexcept { return broken_; }
  // Nothing will be read or sent any more: a GOAWAY ended it.
  [[nodiscard]] bool finished() const noexcept;
  // The stream is open, or half of it is.
  [[nodiscard]] bool knows(H2StreamId id) const noexcept;

  // --- streams. Each returns false when memory is exhausted.
  [[nodiscard]] H2Exchange* find(H2StreamId id) const noexcept;
  [[nodiscard]] bool attach(H2StreamId id, H2Exchange* stream) noexcept;
  // RFC 9218: urgency from 0, the first, to 7.
  void prioritize(H2StreamId id, unsigned urgency, bool incremental) noexcept;
  // The head of a response; with a body its supply is asked for.
  [[nodiscard]] bool respond(H2StreamId id, std::span<const Field> fields,
                             H2Exchange* body) noexcept;
  [[nodiscard]] bool interim(H2StreamId id, std::span<const Field> fields) noexcept;
  [[nodiscard]] bool trailers(H2StreamId id, std::span<const Field> fields) noexcept;
  // Its supply has something after it said kWait.
  [[nodiscard]] bool resume(H2StreamId id) noexcept;
  void reset(H2StreamId id, H2Code code) noexcept;

  // --- windows
  // Bytes of bodies arrived, as far as the connection is concerned; bytes of one were read.
  void credit_connection(std::size_t bytes) noexcept;
  void credit_stream(H2StreamId id, std::size_t bytes) noexcept;
  // Lets the peer send so much ahead of what is read.
  void widen_window(H2StreamId id, std::uint32_t bytes) noexcept;

  // --- the end
  // GOAWAY with the highest id, and a PING whose answer says that the peer has seen it.
  void announce_goaway() noexcept;
  // GOAWAY with the last id that was served; later requests are ignored.
  void goaway() noexcept;
  // GOAWAY, and no more.
  void terminate(H2Code code) noexcept;

 private:
  struct Chunks;

  explicit H2Engine(H2Memory& memory) noexcept;
  // Whether a call went well, but for memory.
  [[nodiscard]] bool check(int code) noexcept;

  std::unique_ptr<Chunks> chunks_;  // The memory of the session.
  nghttp2_session* session_ = nullptr;
  bool broken_ = false;
};

}  // namespace tercel::http
