// One HTTP request that the application reads and the response it writes.
//
// The engine holds it as the observer of an http::Exchange, until the exchange ends; from then on
// the cycle is detached: receive() reports the disconnect for ever, send() fails.
// Source: ASGI HTTP & WebSocket message format 2.5. Tested by test_asgi_receive.py,
// test_asgi_send.py, test_asgi_extensions.py.
#pragma once

#include <Python.h>

#include <cstdint>
#include <optional>
#include <span>

#include "python/asgi/call.h"
#include "python/ref.h"
#include "tercel/http/handler.h"

namespace tercel::python::asgi {

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

class Cycle final : public Call, public http::Observer {
 public:
  // As Call's. `exchange` is told about the cycle by make_cycle().
  Cycle(PyObject* callable, AsgiHandler& handler, http::Exchange& exchange,
        const http::Request& request) noexcept;
  Cycle(const Cycle&) = delete;
  Cycle& operator=(const Cycle&) = delete;
  ~Cycle();

  [[nodiscard]] PyObject* send(PyObject* message) noexcept override;
  [[nodiscard]] bool unfinished() const noexcept override {
    return attached() && stage_ != Stage::kComplete && !request_failed_;
  }
  [[nodiscard]] const char* leave() noexcept override;
  // With an error if the response has not started, else visibly incomplete.
  void abort(Errc error) noexcept override;

  // The whole response, from whoever needs no messages. Nothing happens when the client is gone.
  // False with RuntimeError or ValueError set: it has begun already, or is not well-formed; then
  // nothing was sent. `payload` is taken over in every case.
  [[nodiscard]] bool answer(const http::Response& response, http::Payload payload) noexcept;

  // The same, by what writes to the exchange itself: `write` answers whole, or fails as start()
  // with nothing sent.
  [[nodiscard]] bool answer_through(Result<void> (*write)(void* self, http::Exchange&) noexcept,
                                    void* self) noexcept;

  // --- http::Observer
  void on_body() noexcept override;
  void on_writable() noexcept override;
  void on_notice(http::Notice notice) noexcept override;
  void on_end(http::Outcome outcome) noexcept override;

 private:
  [[nodiscard]] Poll poll_message(PyObject** message) noexcept override;
  [[nodiscard]] bool writable() const noexcept override { return exchange_->writable(); }
  [[nodiscard]] bool gone() const noexcept override {
    return !attached() && stage_ != Stage::kComplete;
  }
  PyObject* raise_gone() const noexcept override;
  [[nodiscard]] Poll read_body(PyObject** message) noexcept;
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
  // Adds `headers` to trailers_. False with an exception set.
  [[nodiscard]] bool add_trailers(PyObject* headers) noexcept;
  // What the last part of the body is to the exchange: not the end when trailers follow.
  [[nodiscard]] http::Final final_part(bool more_body) const noexcept;
  // What send() returns after a part of the body: finished, waiting for room, or an exception.
  [[nodiscard]] PyObject* written(Result<void> result, bool more_body, std::size_t bytes) noexcept;
  void complete() noexcept;

  http::Exchange* exchange_;      // Null when detached.
  PyObject* trailers_ = nullptr;  // Owned: list of the pairs of earlier http.response.trailers.
  std::uint16_t bodyless_status_ = 0;  // The response's, if that allows no body.
  Stage stage_ = Stage::kHead;
  Input input_;
  bool disconnect_announced_ = false;
  bool request_failed_ = false;     // The server is about to end the exchange for it.
  bool aborted_ = false;            // The application ended before the response did.
  bool takes_trailers_;             // The client sent `TE: trailers`.
  bool promised_trailers_ = false;  // http.response.start said `trailers: True`.
};

// Makes the type of `send`. False with a Python exception set.
[[nodiscard]] bool init_cycle() noexcept;
// A new cycle; null with MemoryError set. The exchange is told about it, and holds one reference to
// its callable until on_end().
[[nodiscard]] Cycle* make_cycle(AsgiHandler& handler, http::Exchange& exchange,
                                const http::Request& request) noexcept;

}  // namespace tercel::python::asgi
