// The HTTP/2 side of one connection: many requests at once, each an H2Exchange.
//
// Feeds the engine a frame or a header block at a time, and calls handlers between them, never from
// inside the engine: a handler may answer, abort or end other streams there. What is to be sent is
// cut into frames while the wire takes it, by the priorities that the client wishes and then in
// turn (nghttp2's scheduling). Bodies and windows: h2_body.h, h2_output.h. What a client may do
// often but not without end is counted in budgets; spent ones end the connection with
// ENHANCE_YOUR_CALM. Source: RFC 9113, RFC 9218, docs/decisions/0004-http2.md. Tested by
// h2_session_test.cc and h2_flood_test.cc, over memory, and by h2spec.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "tercel/base/intrusive_list.h"
#include "tercel/base/slab.h"
#include "tercel/http/h2_budget.h"
#include "tercel/http/h2_engine.h"
#include "tercel/http/h2_exchange.h"
#include "tercel/http/h2_frames.h"
#include "tercel/http/h2_head.h"
#include "tercel/http/h2_options.h"
#include "tercel/http/h2_output.h"
#include "tercel/http/session_context.h"
#include "tercel/http/wire.h"

namespace tercel::http {

// What the HTTP/2 sessions of a loop share.
class H2Context {
 public:
  H2Context(SessionContext& shared_context, const H2Options& h2_options) noexcept
      : shared{shared_context}, options{h2_options} {}

  SessionContext& shared;
  H2Options options;
  H2Memory memory;
  Slab<H2BodyPart> body_parts;
  Slab<H2Part> parts;
  Slab<H2Exchange> exchanges;

  // Memory for the head that is being decoded; empty when memory is exhausted.
  [[nodiscard]] std::span<char> head_text() noexcept;

 private:
  std::unique_ptr<char[]> head_text_;
};

class H2Session final : public Session, private H2Events {
 public:
  // Requests begun in one step, at most, as on HTTP/1.
  static constexpr std::uint32_t kRequestsPerStep = 32;
  // What all streams of a connection together may be given beyond their first windows.
  static constexpr std::uint32_t kWidenBytesMax = 4 * kMebibyte;
  // Streams whose reset by us the client may not know of yet.
  static constexpr std::size_t kResetsRemembered = 64;

  // Both outlive the session.
  H2Session(Wire& wire, H2Context& context) noexcept;
  ~H2Session() override;

  void on_input() noexcept override;
  void on_sent() noexcept override;
  void on_input_closed() noexcept override;
  void on_timeout(Errc error) noexcept override;
  void on_closed(Errc error) noexcept override;
  void on_tick(std::chrono::nanoseconds now) noexcept override;
  void drain() noexcept override;
  void notify_draining() noexcept override;
  [[nodiscard]] std::chrono::nanoseconds waiting_since() const noexcept override;

 private:
  friend class H2Exchange;

  // Something happens between the beginning and the end of one. Those that a handler begins tell
  // other handlers nothing: that is left to the next one that the loop begins.
  class Step;
  enum class From : bool { kLoop, kHandler };
  void end_step(From from) noexcept;

  // --- H2Events
  [[nodiscard]] bool on_head(H2StreamId id, H2HeadKind kind) noexcept override;
  void on_field(std::string_view name, std::string_view value) noexcept override;
  void on_head_end(H2StreamId id, bool last) noexcept override;
  void on_data(H2Exchange* stream, std::string_view bytes) noexcept override;
  void on_data_end(H2Exchange* stream) noexcept override;
  void on_stream_closed(H2Exchange* stream, H2Code code) noexcept override;
  void on_invalid_frame(H2StreamId id) noexcept override;
  void on_reset_sent(H2StreamId id) noexcept override;
  void on_ping_answered() noexcept override { ping_answered_ = true; }
  [[nodiscard]] H2Supply on_supply(H2Exchange& stream, std::size_t bytes_max) noexcept override;
  void on_data_frame(H2Exchange& stream, std::string_view head,
                     std::size_t bytes) noexcept override;
  void on_response_sent(H2Exchange& stream, H2StreamId id) noexcept override;
  void on_response_failed(H2Exchange& stream) noexcept override;

  // --- input
  [[nodiscard]] bool begin_engine() noexcept;
  // Feeds one piece, if there is one. False: more has to come first, or it is over.
  [[nodiscard]] bool feed_some() noexcept;
  [[nodiscard]] bool await_input(const Input& input) noexcept;
  void input_ended() noexcept;
  // Whether the frame may be fed: it costs what it costs, and belongs to a stream that may get it.
  [[nodiscard]] bool admit_frame(const H2Piece& piece) noexcept;
  [[nodiscard]] bool afford(const H2FrameHead& head) noexcept;
  [[nodiscard]] bool judge_stream(const H2FrameHead& head) noexcept;
  void remember_reset(H2StreamId id) noexcept;
  [[nodiscard]] bool was_reset(H2StreamId id) const noexcept;

  // --- requests
  // The header block that ended with the last piece.
  void take_head() noexcept;
  void begin(H2StreamId id, bool last) noexcept;
  void end_with_trailers(H2StreamId id, bool last) noexcept;
  [[nodiscard]] H2Exchange* make_exchange(H2StreamId id, const Request& request,
                                          bool last) noexcept;
  // Answers a request that no handler sees. `request`: null if it is not known.
  void refuse(H2StreamId id, Request* request, bool last, Errc error) noexcept;
  // A line of the log for what was no request, or a malformed one.
  void record_refusal(const PartialHead& head, Errc error) noexcept;
  void enqueue(H2Exchange& exchange, const Request& request) noexcept;
  void serve_admitted() noexcept;
  void serve(H2Exchange& exchange, Request& request, std::span<Field> fields,
             std::chrono::nanoseconds waited) noexcept;
  [[nodiscard]] static std::span<Field> fields_of(H2Exchange& exchange) noexcept;
  // The one that waits for its turn is over before that.
  void leave_queue(H2Exchange& exchange) noexcept;

  // --- exchanges
  void note_news(H2Exchange& exchange) noexcept;
  void tell_news() noexcept;
  void tell(H2Exchange& exchange) noexcept;
  // The request half failed, or a time limit ran out.
  void fail_exchange(H2Exchange& exchange, Errc error) noexcept;
  // The handler is done with it: the response is complete, or ended by `error`.
  void response_over(H2Exchange& exchange, std::optional<Errc> error) noexcept;
  void reset_stream(H2Exchange& exchange, H2Code code) noexcept;
  [[nodiscard]] bool may_linger(const H2Exchange& stream) const noexcept;
  void end_lingering(H2Exchange& stream) noexcept;
  // Frees those that are over and whose streams are closed.
  void sweep() noexcept;
  void end_all() noexcept;
  void check_times(H2Exchange& exchange, std::chrono::nanoseconds now) noexcept;
  void credit_read(H2Exchange& exchange, std::size_t bytes) noexcept;

  // --- output
  void pump() noexcept;
  // A part of a response is complete: it leaves now, or with the end of the step if it was the last
  // and more input is here.
  void leave(Final final) noexcept;

  // --- ends
  // The peer asks for too much: after the current piece it is told to calm down.
  void charge_reset() noexcept;
  // The exchanges that are open end with `error`.
  void terminate(H2Code code, Errc error) noexcept;
  void end_flood() noexcept;
  void close(Errc error) noexcept;
  void break_off(Errc error) noexcept;
  [[nodiscard]] bool begin_closing(Errc error) noexcept;
  void enter_phase() noexcept;

  Wire& wire_;
  H2Context& context_;
  std::unique_ptr<H2Engine> engine_;
  IntrusiveList<H2Member> streams_;  // In the order in which they began.
  IntrusiveList<H2News> news_;
  IntrusiveList<H2Place> places_;  // Of requests that are over, and still worked on.
  H2Sender sender_;
  H2Frames frames_;
  std::optional<H2Head> head_;  // While a header block is being decoded.

  H2Budget resets_{1000, 33};
  H2Budget glitches_{10'000, 330};
  std::array<H2StreamId, kResetsRemembered> reset_ids_{};
  std::size_t reset_next_ = 0;
  std::uint32_t window_updates_ = 64;  // That cost nothing: each DATA frame earns some.
  std::uint32_t widened_bytes_ = 0;
  std::uint32_t requests_ = 0;
  std::uint32_t occupied_ = 0;
  std::uint32_t lingering_ = 0;
  H2StreamId last_id_ = 0;       // The highest that a client opened,
  H2StreamId gap_begin_ = 0;     // and those that it skipped before it.
  std::size_t block_bytes_ = 0;  // Of the header block that is being decoded.
  H2StreamId head_id_ = 0;
  H2HeadKind head_kind_ = H2HeadKind::kRequest;
  PaceClock partial_clock_;  // While streams are open and a frame is not complete.

  int depth_ = 0;         // Steps on the stack.
  bool feeding_ = false;  // on_input() is running further up the stack.
  bool pumping_ = false;
  bool more_input_ = false;  // Behind the piece that is being worked on.
  bool partial_ = false;     // What is here of the input cannot be fed yet.
  bool head_ended_ = false;  // A header block ended with the last piece.
  bool head_last_ = false;   // And its stream with it.
  bool ping_answered_ = false;
  bool calm_ = false;  // A budget is spent.
  bool input_ended_ = false;
  bool draining_ = false;
  bool goaway_sent_ = false;        // With the last id: later requests are ignored.
  Errc end_error_ = Errc::kClosed;  // Why,
  bool closing_ = false;            // nothing is read from this connection any more.
  bool sweep_due_ = false;
};

}  // namespace tercel::http
