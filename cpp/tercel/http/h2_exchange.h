// One request and its response on a stream of HTTP/2.
//
// The frames are the engine's (h2_engine.h), what the connection does is H2Session's. The head of a
// response is held until the first write, as on HTTP/1: head and body leave together, and a failure
// before it can still be answered with an error. An exchange is over when its handler is done with
// it; it stays until the stream is closed, with what is left to send.
// Source: RFC 9110, RFC 9113 section 8. Tested by h2_session_test.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "tercel/base/block_pool.h"
#include "tercel/base/intrusive_list.h"
#include "tercel/http/admission.h"
#include "tercel/http/h2_body.h"
#include "tercel/http/h2_engine.h"
#include "tercel/http/h2_fields.h"
#include "tercel/http/h2_output.h"
#include "tercel/http/handler.h"
#include "tercel/http/open_record.h"
#include "tercel/http/pace.h"
#include "tercel/http/response_rules.h"

namespace tercel::http {

class H2Session;

// A request that is over, and whose handler works on. Outlives its session, if it has to: then
// nobody counts any more. Owned by whoever works on, so it is in no slab, which would have to
// outlive both.
class H2Place final : public Place, public ListNode {
 public:
  explicit H2Place(std::uint32_t& occupied) noexcept : occupied_{&occupied} { ++occupied; }
  void leave() noexcept override {
    if (occupied_ != nullptr) --*occupied_;
    delete this;
  }
  void forget_session() noexcept { occupied_ = nullptr; }

 private:
  ~H2Place() = default;
  std::uint32_t* occupied_;
};

// Its place among the streams of a session, and among those that have something to be told.
struct H2Member : ListNode {};
struct H2News : ListNode {};

// Resource: lives in its session's pool until the stream is closed and the handler is done.
class H2Exchange final : public Exchange, public H2Member, public H2News {
 public:
  H2Exchange(H2Session& session, H2StreamId id, const Request& request,
             std::chrono::nanoseconds started) noexcept;

  void observe(Observer* observer) noexcept override { observer_ = observer; }
  [[nodiscard]] const Endpoints& endpoints() const noexcept override;
  [[nodiscard]] BodyRead read_body() noexcept override;
  [[nodiscard]] BodyRead arrived_body() noexcept override;
  [[nodiscard]] std::span<const Field> request_trailers() const noexcept override {
    return trailers_;
  }
  [[nodiscard]] Result<void> interim(const Response& response) noexcept override;
  [[nodiscard]] Result<void> start(const Response& response) noexcept override;
  [[nodiscard]] Result<void> write(Payload payload, Final final) noexcept override;
  [[nodiscard]] Result<void> write_file(FileRange range, Final final) noexcept override;
  [[nodiscard]] Result<void> finish(std::span<const Field> trailers) noexcept override;
  using Exchange::abort;
  void abort(Errc error, std::chrono::seconds retry_after) noexcept override;
  [[nodiscard]] Place* keep_place() noexcept override;
  [[nodiscard]] bool writable() const noexcept override;
  [[nodiscard]] Traffic traffic() const noexcept override {
    return {.status = rules_.sent_status(),
            .request_bytes = received_,
            .response_bytes = rules_.body_bytes()};
  }

 private:
  friend class H2Session;

  [[nodiscard]] Result<void> legal_to_answer() const noexcept;
  [[nodiscard]] BodyRead take_body() noexcept;
  // Behind the bytes of a part, which were queued if `queued`.
  [[nodiscard]] Result<void> close_part(const BodyPlan& part, bool queued) noexcept;
  [[nodiscard]] Result<void> conclude(const BodyPlan& part) noexcept;
  void release_head(std::uint64_t first_bytes, bool last) noexcept;
  // The head of a 101 leaves, and HTTP is over on this stream.
  void become_tunnel() noexcept;
  // What was queued may be asked for.
  void offer_output() noexcept;
  // Memory is exhausted in the middle of a response.
  void break_off() noexcept;
  // Queues an error response in place of the one that was not sent yet. False: too late, or there
  // is no answer to this error.
  [[nodiscard]] bool replace_with_error(Errc error, std::chrono::seconds retry_after) noexcept;
  // Its handler has been asked, and owes the response. A tunnel lasts as long as its two ends want.
  [[nodiscard]] bool is_waited_for() const noexcept {
    return !over_ && ticket_ == nullptr && !rules_.is_tunnel();
  }
  // Part of the response waits to be sent, or for its end to be.
  [[nodiscard]] bool unsent() const noexcept {
    return output_.bytes() > 0 || (ended_ && !end_cut_);
  }

  H2Session& session_;
  const H2StreamId id_;
  Observer* observer_ = nullptr;
  OpenRecord record_;
  std::chrono::nanoseconds started_;  // Its turn began.

  // --- the request
  Admission::Ticket* ticket_ = nullptr;  // While it waits for its turn,
  Block kept_;                           // with a copy of the request,
  Request request_;                      // which is this.
  H2Body body_;
  Block trailers_block_;
  std::span<const Field> trailers_;
  std::optional<std::uint64_t> declared_;  // Its Content-Length.
  std::uint64_t received_ = 0;
  std::uint64_t widened_at_ = 0;  // Bytes received when the window was widened last.
  std::uint32_t window_ = 0;      // What the peer may send ahead.
  PaceClock body_clock_;

  // --- the response
  ResponseRules rules_;
  H2Fields head_;         // That waits for the first write.
  H2Fields last_fields_;  // The trailers that follow the body.
  H2Output output_;
  PaceClock write_clock_;
  std::chrono::nanoseconds lingers_since_{0};

  std::optional<Errc> failure_;    // Of the request half, to be told.
  bool expects_continue_ = false;  // 100 Continue is still owed.
  bool may_switch_ = false;        // What follows the request is a tunnel's, once it is one.
  bool request_done_ = false;      // The peer ended its half.
  bool admitted_ = false;          // It has a place of the Admission.
  bool occupies_ = false;          // It counts as a concurrent stream.
  bool over_ = false;              // The handler is done.
  bool closed_ = false;            // The engine does not know the stream any more.
  bool ended_ = false;             // Nothing follows what is queued.
  bool end_cut_ = false;           // And it has gone.
  bool waiting_ = false;           // Its supply said kWait.
  bool send_failed_ = false;       // The head could not be sent.
  bool lingers_ = false;           // The response has gone, and the rest of the request is awaited.
  bool own_reset_ = false;         // We reset it, and not for what the peer did.
  bool wants_body_ = false;        // read_body() said kPending.
  bool body_news_ = false;         // Something came since.
  bool wants_writable_ = false;    // A write left the exchange not writable.
};

}  // namespace tercel::http
