// What receive() and send() return: awaitables that finish without suspending when they can.
//
// `done()` is one object for ever: a send() that is through. An Awaitable asks its call when it is
// awaited, not before, as a coroutine would: one that is dropped, or cancelled before it ran, takes
// no message with it. When there is nothing yet it waits on a Future of the application's loop, and
// asks again when that is resolved, so several of them can wait at once and each gets a message or
// waits on.
//
// Both are accepted wherever a coroutine is (asyncio.create_task, anyio's start_soon): they have
// send(), throw(), close() and __await__().
// No garbage collector's header: an Awaitable points to its call, which points back only while it
// is under way, and to a Future, which forgets its callbacks when it is resolved; on_end() resolves
// all of them. Tested by test_asgi_receive.py and test_asgi_send.py.
#pragma once

#include <Python.h>

#include <cstdint>

namespace tercel::python::asgi {

class Call;

// What an awaitable waits for.
enum class Wait : std::uint8_t {
  kMessage,   // The next message of receive(). The result is that message.
  kWritable,  // The client took enough of what was sent. The result is None.
  kTurn       // The loop had one turn for others. Then as kWritable.
};

struct Awaitable;

// Makes the types and the one finished awaitable. False with a Python exception set.
[[nodiscard]] bool init_awaitables() noexcept;

// A new reference to the awaitable that is finished already, with None.
[[nodiscard]] PyObject* done() noexcept;

// A new awaitable of `call`, which it keeps alive. Null with MemoryError set.
[[nodiscard]] PyObject* make_awaitable(Call& call, Wait wait) noexcept;

// The awaitables of one call that are suspended, in the order in which they came.
class WaitingList {
 public:
  WaitingList() noexcept = default;
  WaitingList(const WaitingList&) = delete;
  WaitingList& operator=(const WaitingList&) = delete;

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  void add(Awaitable& awaitable) noexcept;
  void remove(Awaitable& awaitable) noexcept;
  // Resolves the Futures of those that wait for `wait`, and takes them off the list. They ask their
  // call again when their tasks run: no application code runs in here. False when memory ran out:
  // a Future has forgotten its task then, which nothing wakes any more.
  bool wake(Wait wait) noexcept;

 private:
  Awaitable* first_ = nullptr;  // Each holds a reference to the next.
};

}  // namespace tercel::python::asgi
