// One call of the application: the request it reads and the response it writes.
//
// The application holds it as the two callables `receive` and `send`, for as long as it likes. The
// engine holds it as the observer of an http::Exchange, until the exchange ends; from then on the
// cycle is detached: receive() reports the disconnect for ever, send() fails.
//
// Everything in this folder runs on the loop's thread with the interpreter lock held: CPython calls
// the callables, and the loop calls handlers and observers between Engine's waits only. So no
// function here takes a Gil&.
//
// No garbage collector's header: while attached the exchange keeps the cycle alive, and on_end()
// drops everything it points to, so it is never part of a cycle of garbage.
// Source: ASGI 3.0, HTTP & WebSocket message format 2.5. Tested by test_asgi_receive.py,
// test_asgi_send.py, test_asgi_extensions.py.
#pragma once

#include <Python.h>

#include <cstdint>
#include <optional>
#include <span>

#include "python/asgi/awaitable.h"
#include "python/ref.h"
#include "tercel/http/handler.h"

namespace tercel::python::asgi {

class AsgiHandler;
struct Runner;

// How far the response is.
enum class Stage : std::uint8_t {
  kHead,      // Nothing yet: http.response.start is due.
  kBody,      // Started: the head is held until the first part of the body.
  kMoreBody,  // Parts of the body were sent.
  kTrailers,  // The body is complete, the promised trailers are due.
  kComplete
};

// What receive() has to deliver next.
enum class Input : std::uint8_t {
  kEmptyBody,  // The one http.request of a request without a body.
  kBody,       // Parts of the body.
  kOver        // Nothing but http.disconnect, once it is time for it.
};

// What asking a cycle for something gives.
enum class Poll : std::uint8_t { kReady, kPending };

class Cycle final : public http::Observer {
 public:
  // REQUIRES: `callable` is the `send` object that this cycle is part of.
  Cycle(PyObject* callable, AsgiHandler& handler, http::Exchange& exchange,
        const http::Request& request) noexcept;
  Cycle(const Cycle&) = delete;
  Cycle& operator=(const Cycle&) = delete;
  ~Cycle();

  // The `send` callable, borrowed: whoever keeps a reference to it keeps the cycle alive.
  [[nodiscard]] PyObject* callable() const noexcept { return callable_; }
  // False once the exchange has ended.
  [[nodiscard]] bool attached() const noexcept { return exchange_ != nullptr; }
  // The exchange ended before the response was complete: the client left, or the server gave up.
  [[nodiscard]] bool gone() const noexcept { return !attached() && stage_ != Stage::kComplete; }
  // There is a client that waits for the rest of the response, and the server leaves it to us.
  [[nodiscard]] bool unfinished() const noexcept {
    return attached() && stage_ != Stage::kComplete && !request_failed_;
  }
  [[nodiscard]] Stage stage() const noexcept { return stage_; }

  // --- what the application does (cycle_receive.cc, cycle_send.cc, cycle_file.cc)
  // The callables of this cycle. New references, or null with an exception set.
  [[nodiscard]] PyObject* send(PyObject* message) noexcept;
  [[nodiscard]] PyObject* receive() noexcept { return make_awaitable(*this, Wait::kMessage); }
  // Takes the next message of receive(), or finds out whether to go on sending. kReady with a null
  // `result` is an exception that is set.
  [[nodiscard]] Poll poll(Wait wait, PyObject** result) noexcept;
  [[nodiscard]] WaitingList& waiting() noexcept { return waiting_; }
  // A new Future of the application's loop. REQUIRES: attached().
  [[nodiscard]] PyObject* create_future() noexcept;

  // --- what becomes of the application (failure.cc, runner.cc)
  // Ends an unfinished response: with an error if it has not started, else visibly incomplete. What
  // still holds `send` learns why.
  void abort(Errc error) noexcept;
  // The suspended application, while there is one: not owned, set and cleared by the runner itself.
  void set_runner(Runner* runner) noexcept { runner_ = runner; }

  // --- http::Observer
  void on_body() noexcept override;
  void on_writable() noexcept override;
  void on_notice(http::Notice notice) noexcept override;
  void on_end(http::Outcome outcome) noexcept override;

 private:
  [[nodiscard]] Poll poll_message(PyObject** message) noexcept;
  [[nodiscard]] Poll poll_writable(PyObject** none) noexcept;
  [[nodiscard]] Poll read_body(PyObject** message) noexcept;
  // Wakes those that wait for `wait`. Ends the exchange if one of them can never be woken.
  void wake(Wait wait) noexcept;
  // From now on receive() reports http.disconnect when the body is read, while send() works still.
  void announce_disconnect() noexcept;

  // send(): one function a message type. Each null with an exception set.
  [[nodiscard]] PyObject* send_start(PyObject* message) noexcept;
  [[nodiscard]] PyObject* send_body(PyObject* message) noexcept;
  [[nodiscard]] PyObject* send_trailers(PyObject* message) noexcept;
  [[nodiscard]] PyObject* send_early_hint(PyObject* message) noexcept;
  [[nodiscard]] PyObject* send_path(PyObject* message) noexcept;
  [[nodiscard]] PyObject* send_file(PyObject* message) noexcept;

  // Why there is no exchange any more. Asked again after the values of a message were read: that
  // may have run Python code, and that may have ended the exchange. Returns null.
  PyObject* raise_detached() const noexcept;
  // REQUIRES: gone(). The client left, or abort() was called. Returns null.
  PyObject* raise_gone() const noexcept;
  // Adds `headers` to trailers_. False with an exception set.
  [[nodiscard]] bool add_trailers(PyObject* headers) noexcept;
  // What the last part of the body is to the exchange: not the end when trailers follow.
  [[nodiscard]] http::Final final_part(bool more_body) const noexcept;
  // What send() returns after a part of the body: finished, waiting for room, or an exception.
  [[nodiscard]] PyObject* written(Result<void> result, bool more_body, std::size_t bytes) noexcept;
  // The same for what does not end the body, once it is sent.
  [[nodiscard]] PyObject* sent(std::size_t bytes) noexcept;
  void complete() noexcept;

  // What one application may send before the others have a turn: so many bytes, where a call costs
  // as much as kSendCost of them.
  static constexpr std::int32_t kTurnBytes = 1 << 20;
  static constexpr std::int32_t kSendCost = 1 << 12;

  PyObject* callable_;
  AsgiHandler* handler_;      // Null when detached.
  http::Exchange* exchange_;  // Null when detached.
  Runner* runner_ = nullptr;
  PyObject* trailers_ = nullptr;  // Owned: list of the pairs of earlier http.response.trailers.
  WaitingList waiting_;
  std::int32_t turn_left_ = kTurnBytes;
  std::uint16_t bodyless_status_ = 0;  // The response's, if that allows no body.
  Stage stage_ = Stage::kHead;
  Input input_;
  bool disconnect_announced_ = false;
  bool request_failed_ = false;     // The server is about to end the exchange for it.
  bool aborted_ = false;            // The application ended before the response did.
  bool takes_trailers_;             // The client sent `TE: trailers`.
  bool promised_trailers_ = false;  // http.response.start said `trailers: True`.
};

// The callable `send`. Its type has a vectorcall slot, so calling it makes no argument tuple.
struct SendCallable {
  PyObject_HEAD vectorcallfunc vectorcall;
  Cycle cycle;
};

// Makes the types of `send` and `receive`. False with a Python exception set.
[[nodiscard]] bool init_callables() noexcept;
// New cycles and their callables; null with MemoryError set. The exchange is told about the cycle
// and holds one reference to it until on_end().
[[nodiscard]] SendCallable* make_send(AsgiHandler& handler, http::Exchange& exchange,
                                      const http::Request& request) noexcept;
[[nodiscard]] PyObject* make_receive(SendCallable& send) noexcept;

}  // namespace tercel::python::asgi
