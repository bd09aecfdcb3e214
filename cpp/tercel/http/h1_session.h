// The HTTP/1 side of one connection: requests one after the other, each a H1Exchange.
//
// Parses a head when there is no exchange, hands it to the handler, and decides what the connection
// does afterwards: next request, skip what is left of a body, or close. A pipelined request waits,
// unread, until the one before it is answered, so answers are in order and nothing queues up; and
// until the client has taken most of the answers, so a client that only asks fills no memory.
// Source: RFC 9112 sections 9 and 11. Tested by h1_session_test.cc, over memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tercel/base/slab.h"
#include "tercel/http/admission.h"
#include "tercel/http/h1_exchange.h"
#include "tercel/http/session_context.h"
#include "tercel/http/wire.h"

namespace tercel::http {

// What the HTTP/1 sessions of a loop share.
struct H1Context : SessionContext {
  using SessionContext::SessionContext;
  Slab<H1Exchange> exchanges;
};

class H1Session final : public Session {
 public:
  // Requests answered in one step, at most: a client that pipelines does not starve its neighbours.
  static constexpr std::uint32_t kRequestsPerStep = 32;

  // Both outlive the session.
  H1Session(Wire& wire, H1Context& context) noexcept : wire_{wire}, context_{context} {}
  ~H1Session() override;

  void on_input() noexcept override;
  void on_sent() noexcept override;
  void on_input_closed() noexcept override;
  void on_timeout(Errc error) noexcept override;
  void on_closed(Errc error) noexcept override;
  void drain() noexcept override;
  void notify_draining() noexcept override;
  [[nodiscard]] std::chrono::nanoseconds waiting_since() const noexcept override;

  // Answers a request that has no exchange and whose head is not to be understood, and closes.
  void refuse(Errc error) noexcept;

 private:
  friend class H1Exchange;

  // Each returns true when there may be more to do at once.
  [[nodiscard]] bool step() noexcept;
  [[nodiscard]] bool read_head() noexcept;
  [[nodiscard]] bool await_head(const Input& input) noexcept;
  // `waited`: for its turn.
  [[nodiscard]] bool begin(const HeadResult& head, std::chrono::nanoseconds waited) noexcept;
  // How long the request with this head waited for its turn, if it may be served now. If not, it
  // waits, unread, or is refused.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> admitted(const HeadResult& head) noexcept;
  [[nodiscard]] bool offer_body() noexcept;
  [[nodiscard]] bool skip_body() noexcept;
  [[nodiscard]] bool finish_exchange() noexcept;
  // The handler has nothing more to do with the exchange.
  [[nodiscard]] bool exchange_settled() const noexcept;

  // As refuse() above, for a head of which something is known,
  void refuse_bad(const HeadResult& head, Errc error) noexcept;
  // and for one that is in order.
  void refuse(const HeadResult& head, Errc error, std::chrono::nanoseconds waited) noexcept;
  // The head that is here as far as it came.
  [[nodiscard]] HeadResult look_at_head() noexcept;
  // The request that waits for its turn is refused, or its client is gone.
  void refuse_queued(Errc error) noexcept;
  void record_queued(Errc error) noexcept;
  void answer_refused(Errc error, bool with_body, const OpenRecord& record) noexcept;
  // Says who asks, and opens the record of the request. `client` is room for an address.
  [[nodiscard]] OpenRecord present(Request& request, Address& client,
                                   std::chrono::nanoseconds waited) noexcept;
  // Sends a whole response that tells of `error`. `connection` says whether the connection stays
  // open: a whole field line, or nothing. Returns its status; 0: memory is exhausted.
  std::uint16_t send_error(Errc error, std::chrono::seconds retry_after, bool with_body,
                           std::string_view connection) noexcept;
  // Ends the exchange early: the request half failed, or a time limit ran out.
  void fail_exchange(Errc error) noexcept;

  // --- for the exchange
  // Whether the connection may serve another request after the response that starts now.
  [[nodiscard]] bool keep_alive() const noexcept { return keep_alive_; }
  void forbid_keep_alive() noexcept { keep_alive_ = false; }
  // The response of the exchange is over: complete, or ended by `error`. The exchange may be gone
  // when this returns.
  void response_over(std::optional<Errc> error) noexcept;
  // What the peer got so far must not look complete: the close becomes a reset.
  void break_off() noexcept { broken_ = true; }
  void close() noexcept;

  Wire& wire_;
  H1Context& context_;
  H1Exchange* exchange_ = nullptr;
  Admission::Ticket* ticket_ = nullptr;  // While the request whose head is here waits.
  std::uint32_t head_seen_bytes_ = 0;    // What the parser saw of it, and wants more of.
  std::uint32_t skipped_bytes_ = 0;      // Of a body that nobody read.
  std::uint32_t requests_ = 0;
  bool keep_alive_ : 1 = true;
  bool closing_ : 1 = false;   // Nothing is read from this connection any more.
  bool broken_ : 1 = false;    // What the peer got must not look complete.
  bool draining_ : 1 = false;  // The next response to begin is the last.
  bool stepping_ : 1 = false;  // on_input() is running further up the stack.
};

}  // namespace tercel::http
