// One call of the application, whatever it speaks: what it holds as the two callables `receive` and
// `send`, for as long as it likes.
//
// What speaks a protocol (cycle.h for HTTP) says what the messages are and when there is one; this
// is what awaitables, tasks and the end of the application need to know of it. A call is attached
// while its exchange lasts; from then on it reports the end for ever, and send() fails.
//
// Everything in this folder runs on the loop's thread with the interpreter lock held: CPython calls
// the callables, and the loop calls handlers and observers between Engine's waits only. So no
// function here takes a Gil&.
//
// No garbage collector's header: while attached the exchange keeps the call alive, and its end
// drops everything it points to, so it is never part of a cycle of garbage. Source: ASGI 3.0.
// Tested by test_asgi_receive.py and test_asgi_send.py.
#pragma once

#include <Python.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "python/asgi/awaitable.h"
#include "python/asgi/object_pool.h"
#include "python/asgi/types.h"
#include "tercel/base/errors.h"
#include "tercel/http/handler.h"

namespace tercel::python::asgi {

class AsgiHandler;
struct Runner;

// What asking a call for something gives.
enum class Poll : std::uint8_t { kReady, kPending };

class Call {
 public:
  // REQUIRES: `callable` is the `send` object that this call is part of.
  Call(PyObject* callable, AsgiHandler& handler) noexcept
      : callable_{callable}, handler_{&handler} {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // The `send` callable, borrowed: whoever keeps a reference to it keeps the call alive.
  [[nodiscard]] PyObject* callable() const noexcept { return callable_; }
  // False once the exchange has ended.
  [[nodiscard]] bool attached() const noexcept { return handler_ != nullptr; }

  // --- what the application does
  // The callables. New references, or null with an exception set.
  [[nodiscard]] virtual PyObject* send(PyObject* message) noexcept = 0;
  [[nodiscard]] PyObject* receive() noexcept { return make_awaitable(*this, Wait::kMessage); }
  // Takes the next message of receive(), or finds out whether to go on sending. kReady with a null
  // `result` is an exception that is set.
  [[nodiscard]] Poll poll(Wait wait, PyObject** result) noexcept {
    return wait == Wait::kMessage ? poll_message(result) : poll_writable(result);
  }
  [[nodiscard]] WaitingList& waiting() noexcept { return waiting_; }
  // A new Future of the application's loop. REQUIRES: attached().
  [[nodiscard]] PyObject* create_future() noexcept;

  // --- what becomes of the application (failure.cc, runner.cc)
  // There is a client that waits for the rest, and the server leaves it to us.
  [[nodiscard]] virtual bool unfinished() const noexcept = 0;
  // The application returned: ends what may end so. Returns what it left undone, as a sentence for
  // the log, or null; then abort() has to follow.
  [[nodiscard]] virtual const char* leave() noexcept = 0;
  // Ends what is unfinished, so that the client can tell. What still holds `send` learns why.
  virtual void abort(Errc error) noexcept = 0;
  // The suspended application, while there is one: not owned, set and cleared by the runner itself.
  void set_runner(Runner* runner) noexcept {
    runner_ = runner;
    if (runner == nullptr && place_ != nullptr) std::exchange(place_, nullptr)->leave();
  }

 protected:
  ~Call() { set_runner(nullptr); }

  // What receive() has now.
  [[nodiscard]] virtual Poll poll_message(PyObject** message) noexcept = 0;
  // Whether the client takes more. REQUIRES: attached().
  [[nodiscard]] virtual bool writable() const noexcept = 0;
  // The client is gone, or the server gave up, before all was said.
  [[nodiscard]] virtual bool gone() const noexcept = 0;
  // REQUIRES: gone(). Returns null.
  virtual PyObject* raise_gone() const noexcept = 0;

  [[nodiscard]] AsgiHandler& handler() const noexcept { return *handler_; }
  // Wakes those that wait for `wait`. Aborts if one of them can never be woken.
  void wake(Wait wait) noexcept;
  // What send() returns for a message of so many bytes that is on its way: finished, or waiting for
  // room. REQUIRES: attached().
  [[nodiscard]] PyObject* sent(std::size_t bytes) noexcept;
  // The exchange ends; while the application works on, its place among the concurrent ones is
  // taken.
  void keep_place(http::Exchange& exchange) noexcept {
    if (runner_ != nullptr) place_ = exchange.keep_place();
  }
  // The exchange is over: nothing of this may be used any more when it returns.
  void detach() noexcept;
  // The application is told that its client left before all was said, if it asked for that.
  void tell_client_gone() noexcept;

 private:
  [[nodiscard]] Poll poll_writable(PyObject** none) noexcept;

  // What one application may send before the others have a turn: so many bytes, where a call costs
  // as much as kSendCost of them.
  static constexpr std::int32_t kTurnBytes = 1 << 20;
  static constexpr std::int32_t kSendCost = 1 << 12;

  PyObject* callable_;
  AsgiHandler* handler_;  // Null when detached.
  Runner* runner_ = nullptr;
  http::Place* place_ = nullptr;  // While the runner works on, though the exchange has ended.
  WaitingList waiting_;
  std::int32_t turn_left_ = kTurnBytes;
};

// The callable `send`. Its type has a vectorcall slot, so calling it makes no argument tuple.
struct SendCallable {
  PyObject_HEAD vectorcallfunc vectorcall;
  Call* call;  // Behind this, in the same object.
};

// Makes the type of `receive`. False with a Python exception set.
[[nodiscard]] bool init_receive_type() noexcept;
// The `receive` of a call; null with MemoryError set.
[[nodiscard]] PyObject* make_receive(SendCallable& send) noexcept;

// What the types of `send` share.
[[nodiscard]] PyTypeObject* make_send_type(std::size_t bytes, destructor dealloc) noexcept;
PyObject* call_send(PyObject* self, PyObject* const* args, std::size_t flagged_count,
                    PyObject* keywords) noexcept;

// The `send` objects of one kind of call.
template <typename Kind>
class SendObjects {
 public:
  // False with a Python exception set.
  [[nodiscard]] static bool init() noexcept {
    type_ = make_send_type(sizeof(Object), &dealloc);
    return type_ != nullptr;
  }

  // A new `send` with its call, made from `arguments`; null with MemoryError set.
  template <typename... Arguments>
  [[nodiscard]] static Kind* make(Arguments&&... arguments) noexcept {
    Object* object = pool_.make(type_);
    if (object == nullptr) return nullptr;
    object->send.vectorcall = call_send;
    auto* const self = reinterpret_cast<PyObject*>(object);
    Kind* const kind = new (&object->kind) Kind{self, std::forward<Arguments>(arguments)...};
    object->send.call = kind;
    return kind;
  }

 private:
  struct Object {
    SendCallable send;
    Kind kind;
  };

  static void dealloc(PyObject* self) noexcept {
    auto* const object = reinterpret_cast<Object*>(self);
    object->kind.~Kind();
    pool_.drop(object);
  }

  static inline constinit ObjectPool<Object> pool_;
  static inline PyTypeObject* type_ = nullptr;
};

[[nodiscard]] inline SendCallable& send_of(const Call& call) noexcept {
  return *reinterpret_cast<SendCallable*>(call.callable());
}

}  // namespace tercel::python::asgi
