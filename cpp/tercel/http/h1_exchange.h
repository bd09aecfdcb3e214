// One request and its response on an HTTP/1 connection: framing in, framing out.
//
// The state of the two halves is h1_state.h's; the bytes are the wire's; what follows on the
// connection is decided by H1Session. The head of a response is held until the first write, so that
// head and body leave in one piece, and a failure before it can still be answered with an error.
// Source: RFC 9110, RFC 9112 sections 6 and 7. Tested by h1_session_test.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "tercel/base/block_pool.h"
#include "tercel/http/h1_body.h"
#include "tercel/http/h1_head.h"
#include "tercel/http/h1_state.h"
#include "tercel/http/handler.h"
#include "tercel/http/open_record.h"
#include "tercel/http/response_rules.h"
#include "tercel/http/wire.h"

namespace tercel::http {

class H1Session;

// Resource: lives in its session's pool from the request's head until both halves are over.
class H1Exchange final : public Exchange {
 public:
  H1Exchange(H1Session& session, const HeadResult& head, std::chrono::nanoseconds started) noexcept;

  void observe(Observer* observer) noexcept override { observer_ = observer; }
  [[nodiscard]] const Endpoints& endpoints() const noexcept override;
  [[nodiscard]] BodyRead read_body() noexcept override;
  [[nodiscard]] BodyRead arrived_body() noexcept override;
  [[nodiscard]] BodyRead read_body_into(Pipe& pipe) noexcept override;
  [[nodiscard]] std::span<const Field> request_trailers() const noexcept override {
    return trailers_;
  }
  [[nodiscard]] Result<void> interim(const Response& response) noexcept override;
  [[nodiscard]] Result<void> start(const Response& response) noexcept override;
  [[nodiscard]] Result<void> write(Payload payload, Final final) noexcept override;
  [[nodiscard]] Result<void> write_file(FileRange range, Final final) noexcept override;
  [[nodiscard]] bool takes_pipes() const noexcept override;
  [[nodiscard]] Result<void> write_pipe(Pipe pipe, Final final) noexcept override;
  [[nodiscard]] Result<void> finish(std::span<const Field> trailers) noexcept override;
  using Exchange::abort;
  void abort(Errc error, std::chrono::seconds retry_after) noexcept override;
  [[nodiscard]] bool writable() const noexcept override;
  [[nodiscard]] Traffic traffic() const noexcept override {
    return {.status = rules_.sent_status(),
            .request_bytes = request_bytes_,
            .response_bytes = rules_.body_bytes()};
  }

 private:
  friend class H1Session;

  [[nodiscard]] Result<void> legal_to_answer() const noexcept;
  // What is here of a body that is neither complete nor broken. `ended`: the peer will send no
  // more.
  [[nodiscard]] BodyRead decode_input(bool& ended) noexcept;
  BodyRead fail_request(Errc error) noexcept;

  // What goes before and after the bytes of a part. open_part() returns whether the bytes are still
  // to be sent.
  [[nodiscard]] bool open_part(const BodyPlan& part, std::string_view inline_body) noexcept;
  [[nodiscard]] Result<void> close_part(const BodyPlan& part) noexcept;
  // The head of a 101 is sent, and HTTP is over on this connection.
  [[nodiscard]] Result<void> become_tunnel() noexcept;
  // Ends the response half if the part was its last; the exchange may be gone when it returns.
  [[nodiscard]] Result<void> conclude(const BodyPlan& part) noexcept;

  // Sends the held head, with `inline_body` copied behind it.
  void release_head(std::uint64_t first_bytes, bool last, std::string_view inline_body) noexcept;
  // Too much of the request body is missing for the connection to be reused after the response.
  [[nodiscard]] bool body_is_lost() const noexcept;
  [[nodiscard]] bool fits_behind_head(std::size_t bytes) const noexcept;
  [[nodiscard]] Result<void> send_trailers(std::span<const Field> trailers) noexcept;

  // Sends an error response in place of the one that was not sent yet. False: too late, or there is
  // no answer to this error.
  [[nodiscard]] bool replace_with_error(Errc error, std::chrono::seconds retry_after) noexcept;

  H1Session& session_;
  Observer* observer_ = nullptr;
  OpenRecord record_;
  Block head_;  // The response head that waits for the first write.
  std::size_t head_bytes_ = 0;
  std::chrono::nanoseconds started_;
  std::uint64_t request_bytes_ = 0;  // Of the body, decoded.
  std::span<const Field> trailers_;
  BodyDecoder decoder_;
  ResponseRules rules_;
  H1State state_;
  std::optional<Errc> failure_;  // Of the request half, or why the exchange ends early.
  bool expects_continue_;        // 100 Continue is still owed.
  bool response_over_ = false;
  bool wants_body_ = false;      // read_body() said kPending.
  bool wants_writable_ = false;  // A write left the exchange not writable.
};

}  // namespace tercel::http
