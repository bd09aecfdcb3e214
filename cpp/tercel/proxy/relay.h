// Joins a request that came, an http::Exchange, to one that goes on, a Call: both heads, both
// bodies, trailers and interim responses, as they come and with back-pressure both ways.
//
//   RelayContext context{loop, {}};
//   Relay::start(context, rewriter, request, exchange);  // From a handler.
//
// A Rewriter says where to and with which heads; it may filter the bytes of both bodies. It is told
// of each attempt that fails, and may have another one as long as nothing of the client's body was
// taken and nothing of a response was given: it is asked for the head again then. By default that
// is one more, where the origin cannot have worked on the request. A head that asks for an upgrade
// makes a tunnel where the origin agrees; it lasts until one of the two sides ends.
//
// A client that goes cancels the call, unless the rewriter says that it outlives the client, and
// all of the request was passed on to a connection: the origin ends its work then, and nobody hears
// of it. A call that fails before the response began becomes the rewriter's answer, and afterwards
// a response that is visibly incomplete.
//
// A body that nobody changes, and no throttle slows down, goes from one socket to the other inside
// of the kernel where it can (goes_unseen()), and is copied elsewhere.
//
// Resource: a relay lives in its context, from start() to the turn behind the end of its exchange,
// or of a call that outlives it. Thread: the loop's. Source: RFC 9110 sections 7.6, 9.2.2 and
// 10.1.1. Tested by relay_test.cc, relay_retry_test.cc, relay_alone_test.cc and relay_pipe_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "tercel/base/block_pool.h"
#include "tercel/base/result.h"
#include "tercel/base/slab.h"
#include "tercel/http/handler.h"
#include "tercel/net/loop.h"
#include "tercel/proxy/call.h"
#include "tercel/proxy/field_draft.h"
#include "tercel/proxy/retry_rule.h"
#include "tercel/proxy/throttle.h"

namespace tercel::proxy {

// Changes the bytes of a body on their way.
class BodyFilter {
 public:
  struct Passed {
    std::size_t consumed;    // Of the bytes that were given.
    std::string_view bytes;  // To go on: of them, or of the filter's own until the next call.
  };
  // Called with the same bytes again, less what was consumed, until it consumes and returns none.
  // `final`: nothing follows `bytes`, which may be none. An error ends the relay: the
  // origin gets no end of its request, the client none of its response.
  [[nodiscard]] virtual Result<Passed> pass(std::string_view bytes, http::Final final) noexcept = 0;
  // It has nothing to do with this body: it is not asked about the bytes any more, which may go on
  // without being looked at. Asked once the head is rewritten.
  [[nodiscard]] virtual bool passes_all() const noexcept { return false; }
  // Of a response: what it passes comes at the end, and the head goes with it. It is not throttled.
  [[nodiscard]] virtual bool holds_head() const noexcept { return false; }
  // Of a response, between two parts of it, or when it broke off, or its head was held for too
  // long: what it ends with in place of all that has not come. Empty: it goes on, or is cut off.
  // Valid until the filter is called again.
  enum class Rest : bool { kMayCome, kLost };
  [[nodiscard]] virtual std::string_view end_early(Rest rest) noexcept {
    static_cast<void>(rest);
    return {};
  }

 protected:
  ~BodyFilter() = default;
};

// A request on its way to an origin.
struct Outgoing {
  Source* source = nullptr;
  http::RequestHead head = {};  // Has method, framing and expectation of the request that came.
  unsigned attempt = 1;
  const Address* peer = nullptr;     // Of the client's connection.
  bool passes_trailers = true;       // Of the client's body.
  const CallTimes* times = nullptr;  // Null: those of the context. Live as long as the request.
};

// What a handler that forwards decides. One a handler, or one a request.
class Rewriter {
 public:
  // Fills in `to`: source, target, host, fields, whose memory is `draft`, or lives as long as the
  // request. `from` is valid until ended(). An error is refused().
  [[nodiscard]] virtual Result<void> rewrite_request(const http::Request& from, Outgoing& to,
                                                     FieldDraft& draft) noexcept = 0;
  // Whether a response is no answer, but says who else is to be asked: the request is rewritten
  // again then. Called while nothing is lost: no byte of the client's body was taken.
  [[nodiscard]] virtual bool goes_elsewhere(const http::ResponseHead& head) noexcept {
    static_cast<void>(head);
    return false;
  }
  // Fills in `to`: status, reason and trailers are those of `from`; the fields are the rewriter's.
  [[nodiscard]] virtual Result<void> rewrite_response(const http::ResponseHead& from,
                                                      http::Response& to,
                                                      FieldDraft& draft) noexcept = 0;
  // An attempt failed, or was answered with a status that is_transient(), or with kWaitedTooLong on
  // a connection that is closed with it: how long to wait before the next one; nothing: there is
  // none, and the failure or the response stands. Where nothing_was_lost() there should be one: the
  // connection was not looked at for that.
  [[nodiscard]] virtual std::optional<std::chrono::nanoseconds> after_failure(
      const FailedAttempt& failed) noexcept {
    const bool again = failed.attempt == 1 && nothing_was_lost(failed);
    return again ? std::optional{std::chrono::nanoseconds{0}} : std::nullopt;
  }
  // There is no response: answers instead.
  virtual void refused(http::Exchange& exchange, Errc error) noexcept { exchange.abort(error); }
  // The response began, and has no end because of `error`; the exchange is about to be aborted.
  virtual void broke_off(Errc error) noexcept { static_cast<void>(error); }
  // Whether the origin is to end its work on a request that was passed on whole when the client
  // leaves. One that only closed its direction has not left for such a request.
  [[nodiscard]] virtual bool outlives_client() const noexcept { return false; }
  // It does: the exchange is gone when this returns, and ended() follows.
  virtual void left_alone() noexcept {}
  // The relay is over, and the last call on this rewriter for it. `attempts`: how many there were.
  virtual void ended(http::Outcome outcome, unsigned attempts) noexcept {
    static_cast<void>(outcome);
    static_cast<void>(attempts);
  }

 protected:
  ~Rewriter() = default;
};

struct RelayFilters {
  BodyFilter* request = nullptr;  // Null: the bytes go on as they are.
  // It has all of the body, which was read, and gives it anew for each attempt.
  bool repeats = false;
  BodyFilter* response = nullptr;
  Throttle* throttle = nullptr;  // Null: bodies go as fast as both sides do.
};

struct RelayContext;

class Relay final : private net::Deferred, private net::Timer {
 public:
  // Whatever its rewriter says.
  static constexpr unsigned kAttemptsMax = 16;
  // Of a response that nobody gets, so that its connection can be used again. Of a call that
  // outlives the client it is all that is read.
  static constexpr std::size_t kDroppedBytesMax = 64 * http::kKibibyte;

  // A head that waits for the end of its body waits for so long at most.
  static constexpr std::chrono::seconds kHeldHeadTime{10};

  // Answers `exchange`, now or later. Where memory is exhausted there is no relay: refused() is the
  // only call on `rewriter`, and who observed the exchange still does. REQUIRES: nobody answered it
  // yet; `rewriter` and the filters live until Rewriter::ended().
  static void start(RelayContext& context, Rewriter& rewriter, const http::Request& request,
                    http::Exchange& exchange, const RelayFilters& filters = {}) noexcept;

  // For start() and the slab.
  Relay(RelayContext& context, Rewriter& rewriter, http::Exchange& exchange,
        const RelayFilters& filters, Block memory, const http::Request& kept) noexcept;
  ~Relay() override = default;

 private:
  // The two sides have observers of their own: their calls have the same names.
  class Front final : public http::Observer {
   public:
    explicit Front(Relay& relay) noexcept : relay_{relay} {}
    void on_body() noexcept override { relay_.pump_request(); }
    void on_writable() noexcept override { relay_.pump_response(); }
    void on_notice(http::Notice notice) noexcept override { relay_.on_notice(notice); }
    void on_end(http::Outcome outcome) noexcept override { relay_.on_exchange_end(outcome); }

   private:
    Relay& relay_;
  };
  class Back final : public CallObserver {
   public:
    explicit Back(Relay& relay) noexcept : relay_{relay} {}
    void on_interim(const http::ResponseHead& head) noexcept override { relay_.on_interim(head); }
    void on_head(const http::ResponseHead& head) noexcept override { relay_.on_head(head); }
    void on_body() noexcept override { relay_.pump_response(); }
    void on_writable() noexcept override { relay_.pump_request(); }
    void on_failed(Errc error) noexcept override { relay_.on_call_failed(error); }

   private:
    Relay& relay_;
  };
  // Goes on with both bodies when the throttle has held one up for long enough.
  class Pause final : public net::Timer {
   public:
    explicit Pause(Relay& relay) noexcept : relay_{relay} {}
    void on_timer() noexcept override {
      relay_.pump_request();
      if (!relay_.over_) relay_.pump_response();
    }

   private:
    Relay& relay_;
  };

  void attempt(Freshness freshness) noexcept;
  [[nodiscard]] Freshness enough() const noexcept;
  [[nodiscard]] Result<void> begin_call(Freshness freshness) noexcept;
  // True: another attempt follows, or was begun.
  [[nodiscard]] bool try_again(std::uint16_t status, Errc error) noexcept;
  void drop_response() noexcept;
  // Begins the next attempt after a pause.
  void ask_anew(std::chrono::nanoseconds pause) noexcept;
  void pump_request() noexcept;
  void pump_response() noexcept;
  // The throttle lets no part of that body be read now; this is resumed when it does.
  [[nodiscard]] bool held_up(Way way) noexcept;
  void tell_throttle(Way way, std::size_t bytes) noexcept;
  // Whether the bytes of a body may go from socket to socket through a pipe.
  [[nodiscard]] bool goes_unseen(Way way) const noexcept;
  [[nodiscard]] bool holds_head() const noexcept {
    return filters_.response != nullptr && filters_.response->holds_head();
  }
  // Has the response's filter end it, if it does.
  [[nodiscard]] bool end_early(BodyFilter::Rest rest) noexcept;
  // Gives `bytes` to the filter, if it wants them, and to `write` what becomes of them: none are
  // left then. False: `write` said so, or the filter failed, and the relay with it.
  template <typename Write>
  [[nodiscard]] bool run_filter(BodyFilter* filter, std::string_view& bytes, http::Final final,
                                const Write& write) noexcept;
  // One part of a body, through its filter. False: the relay is over, or the other side is.
  [[nodiscard]] bool pass_on_request(std::string_view bytes, http::Final final) noexcept;
  [[nodiscard]] bool pass_on_response(std::string_view bytes, http::Final final) noexcept;
  // As those, of a part that is in a pipe.
  [[nodiscard]] bool pass_on_request(Pipe pipe, http::Final final) noexcept;
  [[nodiscard]] bool pass_on_response(Pipe pipe, http::Final final) noexcept;
  void on_interim(const http::ResponseHead& head) noexcept;
  void on_head(const http::ResponseHead& head) noexcept;
  // The response was 101, and the client has it.
  void become_tunnel() noexcept;
  void on_call_failed(Errc error) noexcept;
  void on_notice(http::Notice notice) noexcept;
  void on_exchange_end(http::Outcome outcome) noexcept;
  // The client is gone, and the call goes on: no longer than an origin may think.
  [[nodiscard]] bool go_on_alone(http::Outcome outcome) noexcept;
  void read_alone() noexcept;
  // Reads what is there of a response that nobody gets. True: there may be more, and not too much.
  [[nodiscard]] bool discard() noexcept;
  void end_alone() noexcept;
  void end(http::Outcome outcome) noexcept;
  // Ends both sides for `error`.
  void refuse(Errc error) noexcept;
  void run_deferred() noexcept override;
  void on_timer() noexcept override;
  friend RelayContext;

  RelayContext& context_;
  Rewriter& rewriter_;
  http::Exchange& exchange_;
  const RelayFilters filters_;
  Block memory_;  // Of the request.
  http::Request request_;
  http::Place* place_ = nullptr;  // Of the request among its client's, while it outlives that.
  Front front_{*this};
  Back back_{*this};
  Call call_;
  Pause pause_{*this};
  std::optional<std::uint64_t> response_bytes_;  // Of the body, where its head tells.
  std::size_t dropped_bytes_ = 0;                // Of the body of a response that nobody gets.
  unsigned attempts_ = 0;
  bool passes_trailers_ : 1 = true;
  bool needs_new_ : 1 = false;      // The next attempt, a connection that was never used.
  bool body_touched_ : 1 = false;   // Bytes of the request's body, or its end, were taken.
  bool request_over_ : 1 = false;   // Nothing more of it is to be passed on.
  bool started_ : 1 = false;        // The response.
  bool head_released_ : 1 = false;  // Of the response: on its way to the client.
  bool response_over_ : 1 = false;
  bool tunnel_ : 1 = false;
  bool over_ : 1 = false;   // The exchange is gone.
  bool alone_ : 1 = false;  // And the call is not.
};

static_assert(sizeof(Relay) <= 720);

// What all relays of one loop share. Outlives every exchange that is relayed.
struct RelayContext {
  RelayContext(net::Loop& loop, const CallOptions& options) noexcept : calls{loop, options} {}
  ~RelayContext();
  RelayContext(const RelayContext&) = delete;
  RelayContext& operator=(const RelayContext&) = delete;

  // Ends the calls that have outlived their clients. REQUIRES: no relay has an exchange.
  void end_all() noexcept;

  CallContext calls;
  FieldDraft draft;
  Slab<Relay> relays;
  bool retries = true;  // False: no request is tried a second time.
  // A client that closed its direction some time ago, and has no response yet, counts as gone, but
  // for requests that outlive it.
  bool gone_when_closed = false;
};

}  // namespace tercel::proxy
