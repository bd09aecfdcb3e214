// The interpreter lock, as types.
//
// Code that touches Python objects takes a `Gil&`: the signature says so and the compiler checks
// it. There are two ways to get one: CPython called us (assume_held), or a thread of the engine
// takes the lock (GilAcquire). GilRelease gives the lock up around a wait that really blocks.
// Released and taken again uncontended, the lock costs 17 to 29 ns; with one busy Python thread
// beside, up to the interpreter's switch interval of 5 ms. Tested by test_event_loop.py.
#pragma once

#include <Python.h>
#include <unistd.h>

#include <exception>

namespace tercel::python {

// Proof that this thread holds the interpreter lock. Holds nothing itself.
class Gil {
 public:
  // REQUIRES: CPython called this function, directly or through C++ that kept the lock.
  [[nodiscard]] static Gil assume_held() noexcept { return Gil{}; }

  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;

 private:
  friend class GilAcquire;
  Gil() noexcept = default;
};

// Takes the lock on a thread that does not hold it. Take it once per batch, not per event.
class GilAcquire {
 public:
  GilAcquire() noexcept : state_{PyGILState_Ensure()} {}
  GilAcquire(const GilAcquire&) = delete;
  GilAcquire& operator=(const GilAcquire&) = delete;
  ~GilAcquire() { PyGILState_Release(state_); }

  [[nodiscard]] Gil& gil() noexcept { return gil_; }

 private:
  PyGILState_STATE state_;
  Gil gil_;
};

// Returns what `call` does, which enters the interpreter, or runs Python code, on any thread: an
// event loop may be on one that the interpreter does not wait for. A thread that asks for the lock
// of an interpreter that has ended waits for the end of the process, as it does from CPython 3.14
// on: before, CPython ends it by unwinding its stack, and that must not pass through functions that
// are noexcept.
template <typename Call>
auto entering_python(Call call) noexcept {
  try {
    return call();
  } catch (const std::exception&) {
    std::terminate();  // A fault of an extension's. It must not hang with the lock.
  } catch (...) {      // That end, which has no object to be named.
    for (;;) pause();
  }
}

// Gives the lock up for its lifetime. The proof it was made from must not be used meanwhile.
class GilRelease {
 public:
  explicit GilRelease(Gil& /*given_up*/) noexcept : thread_{PyEval_SaveThread()} {}
  GilRelease(const GilRelease&) = delete;
  GilRelease& operator=(const GilRelease&) = delete;
  ~GilRelease() {
    entering_python([this] { PyEval_RestoreThread(thread_); });
  }

 private:
  PyThreadState* thread_;
};

}  // namespace tercel::python
