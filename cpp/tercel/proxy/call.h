// One request to an origin and its response: the mirror image of http::Exchange.
//
//   Call call{context, observer};
//   call.begin(source, head, Freshness::kAny);   // CallObserver::on_writable(), on_head(), ...
//   call.write(Payload::borrow(bytes), Final::kYes);
//   http::BodyRead part = call.read_body();      // After on_head(), until kEnd.
//   call.close();                                // The connection goes back to the source.
//
// Where the head asks for an upgrade and the response is 101, both bodies are a tunnel's from then
// on: bytes without a length, until one of the two sides ends.
//
// Pressure goes both ways: nothing is read from the origin that nobody asks for, and writable()
// says when it does not read. Time limits measure progress, so that a long transfer is not cut; how
// long an origin may think is a limit of its own. progress() tells what the origin may have seen,
// for whoever wants to try again on another connection.
// Resource: lives in its user; not destroyed in one of its own calls, where close() does.
// Thread: the loop's. Source: RFC 9110 sections 10.1.1 and 15.2, RFC 9112 sections 6 and 9.
// Tested by call_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "tercel/base/result.h"
#include "tercel/http/h1_body.h"
#include "tercel/http/h1_request_writer.h"
#include "tercel/http/h1_response.h"
#include "tercel/http/handler.h"
#include "tercel/net/loop.h"
#include "tercel/proxy/progress.h"
#include "tercel/proxy/send_buffer.h"
#include "tercel/proxy/source.h"

namespace tercel::proxy {

struct CallTimes {
  // How long the body waits for `100 Continue` before it is sent without.
  std::chrono::milliseconds continue_time{1'000};
  // From the end of the request to the first byte of the response: how long an origin may think.
  std::chrono::milliseconds response_time{300'000};
  // Without a byte of the response, while somebody waits for one; and of a head that has begun,
  // until its end.
  std::chrono::milliseconds body_time{60'000};
  // Without a byte that the origin takes.
  std::chrono::milliseconds write_time{60'000};
  // Without a byte of a tunnel, either way.
  std::chrono::milliseconds tunnel_time{3'600'000};
};

// The times are those of calls that have none of their own.
struct CallOptions : CallTimes {
  // Of the response: its head and its trailers are held to these, its body is not limited.
  std::size_t head_bytes_max = 64 * http::kKibibyte;
  std::size_t fields_max = 128;
  std::size_t output_high_water_bytes = 64 * http::kKibibyte;
};

// What all calls of one loop share.
struct CallContext {
  CallContext(net::Loop& loop_of_all, const CallOptions& given) noexcept
      : loop{loop_of_all},
        options{given},
        limits{.head_bytes_max = given.head_bytes_max,
               .fields_max = given.fields_max,
               .body_bytes_max = 0} {}
  net::Loop& loop;
  const CallOptions options;
  const http::Limits limits;
  http::HeadBuffer fields;  // Of the head or the trailers that are being parsed.
};

// Told about one call. Every call may call the Call back.
class CallObserver {
 public:
  // A 1xx that was not asked for, before on_head(). Views are valid during the call.
  virtual void on_interim(const http::ResponseHead& head) noexcept = 0;
  // The final response, whether the request is complete or not. Its body is taken by read_body().
  virtual void on_head(const http::ResponseHead& head) noexcept = 0;
  // read_body() said kPending and now has something else to say.
  virtual void on_body() noexcept = 0;
  // The call was not writable(), and is now.
  virtual void on_writable() noexcept = 0;
  // There will be no response, or no end of it. The last call; the connection is gone already. Not
  // called by the user's own calls, but from the loop soon after.
  virtual void on_failed(Errc error) noexcept = 0;

 protected:
  ~CallObserver() = default;
};

class Call final : private Waiter,
                   private UpstreamConnection::User,
                   private net::Timer,
                   private net::Deferred {
 public:
  // Interim responses to one request, at most.
  static constexpr std::uint8_t kInterimsMax = 32;

  Call(CallContext& context, CallObserver& observer) noexcept
      : context_{context}, observer_{observer}, output_{context.loop.blocks()} {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() override { close(); }

  // Serialises the head and asks for a connection. Fails as inspect_request(), and with kNoMemory.
  // REQUIRES: not begun, or closed, or failed. `source` outlives the call, and so do `times`.
  [[nodiscard]] Result<void> begin(Source& source, const http::RequestHead& head,
                                   Freshness freshness, const CallTimes* times = nullptr) noexcept;
  // Part of the request body, or of a tunnel, whose end close() tells once it is drained(). Fails
  // with kIllegalStep when there is no place for it: before the call is first writable(), behind
  // the end, more or less than the length said; `payload` is released in every case. What comes
  // after a failure of the connection is dropped.
  [[nodiscard]] Result<void> write(http::Payload payload, http::Final final) noexcept;
  // As write(), of what is in `pipe`, where takes_pipes(). REQUIRES: writable(), for the call is
  // not while a pipe waits.
  [[nodiscard]] bool takes_pipes() const noexcept;
  [[nodiscard]] Result<void> write_pipe(Pipe pipe, http::Final final) noexcept;
  // Ends a body with trailers, where it is chunked; elsewhere they are left out.
  [[nodiscard]] Result<void> finish(std::span<const http::Field> trailers) noexcept;
  [[nodiscard]] bool writable() const noexcept;
  // The stream has taken all that was written, or never will. Behind the end of a tunnel
  // on_writable() says when.
  [[nodiscard]] bool drained() const noexcept { return output_.bytes() == 0; }

  // The next part of the response body. Views are valid until the next call, or the end of the
  // step. kFailed: on_failed() follows.
  [[nodiscard]] http::BodyRead read_body() noexcept;
  // As http::Exchange::read_body_into(), of the response.
  [[nodiscard]] http::BodyRead read_body_into(Pipe& pipe) noexcept;
  // Once read_body() said kEnd. Views of CallContext::fields: valid until any call of the loop
  // reads a head, or trailers.
  [[nodiscard]] std::span<const http::Field> trailers() const noexcept { return trailers_; }

  // Ends the call where it stands. If both halves are complete the connection can be reused, else
  // the origin sees a reset.
  void close() noexcept;

  // In a step what is sent is gathered, and bytes are read into the loop's buffer. Steps nest.
  void begin_step() noexcept;
  void end_step() noexcept;

  [[nodiscard]] Progress progress() const noexcept;
  // The connection carried other requests before: it may have been closed meanwhile.
  [[nodiscard]] bool on_reused_connection() const noexcept { return reused_; }
  [[nodiscard]] bool active() const noexcept { return state_ != State::kNone; }
  // on_head() was called, and there is more to read, or the end.
  [[nodiscard]] bool has_head() const noexcept { return state_ == State::kBody; }
  // Those that hold for it. REQUIRES: begin() was called.
  [[nodiscard]] const CallTimes& times() const noexcept { return *times_; }

 private:
  enum class State : std::uint8_t {
    kNone,
    kWaiting,  // For a connection.
    kHead,     // Of the response.
    kBody,     // Of the response, perhaps empty.
    kFailed    // on_failed() is to be called.
  };

  void on_connection(UpstreamConnection& connection) noexcept override;
  void on_no_connection(Errc error) noexcept override;
  void on_event() noexcept override;
  void on_timer() noexcept override;
  void run_deferred() noexcept override;

  void move_on() noexcept;
  void read_head() noexcept;
  [[nodiscard]] bool take_head(const http::ResponseHead& head) noexcept;
  // Nothing more comes: whether that is a failure of the call.
  void judge_input_end() noexcept;

  // Takes so many bytes off the length of the request; false: there is no place for them.
  [[nodiscard]] bool count_off(std::uint64_t bytes, http::Final final) noexcept;
  void send(std::span<const std::string_view> pieces) noexcept;
  void flush() noexcept;
  void after_send(Sent sent, std::size_t before) noexcept;
  void stop_waiting_for_continue() noexcept;
  void tell_writable() noexcept;

  void fail_with(Errc error) noexcept;
  void leave_connection(bool complete) noexcept;
  [[nodiscard]] std::chrono::nanoseconds due() const noexcept;
  void arm() noexcept;

  CallContext& context_;
  CallObserver& observer_;
  const CallTimes* times_ = &context_.options;
  Source* source_ = nullptr;
  UpstreamConnection* connection_ = nullptr;
  SendBuffer output_;
  http::BodyDecoder decoder_;
  std::span<const http::Field> trailers_;
  std::uint64_t request_left_ = 0;        // Of a length.
  std::chrono::nanoseconds progress_{0};  // When a byte last went either way, or one was asked for.
  std::size_t head_seen_ = 0;             // Bytes of an incomplete head that were looked at.
  Errc error_ = Errc::kUpstreamFailed;
  http::Framing framing_ = http::Framing::kNone;
  http::AnswerTo answer_to_ = http::AnswerTo::kOther;
  State state_ = State::kNone;
  std::uint8_t interims_ = 0;
  std::uint8_t steps_ = 0;
  bool reused_ : 1 = false;
  bool sent_ : 1 = false;          // A byte of the request.
  bool body_sent_ : 1 = false;     // A byte of its body was taken from the user.
  bool answered_ : 1 = false;      // A byte of the response came.
  bool request_over_ : 1 = false;  // All of the request was given to us.
  bool awaits_100_ : 1 = false;    // The body waits for `100 Continue`.
  bool blocked_ : 1 = false;       // The stream takes no more until an event.
  bool write_failed_ : 1 = false;  // It never will: there may be a response nevertheless.
  bool wants_writable_ : 1 = false;
  bool wants_body_ : 1 = false;
  bool body_over_ : 1 = false;  // All of the response was read.
  bool until_close_ : 1 = false;
  bool tunnel_ : 1 = false;
  bool keep_alive_ : 1 = false;
};
static_assert(sizeof(Call) <= 296);

}  // namespace tercel::proxy
