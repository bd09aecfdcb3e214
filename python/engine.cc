#include "python/engine.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <utility>

#include "python/errors.h"
#include "python/loop_core.h"
#include "tercel/net/syscalls.h"

namespace nb = nanobind;

namespace tercel::python {
namespace {

std::unique_ptr<net::Loop> create_loop(const Clock& clock) {
  Gil gil = Gil::assume_held();
  return or_throw(gil, net::Loop::create(clock, net::system_calls()));
}

}  // namespace

Engine::Engine() : loop_{create_loop(clock_)}, foreign_{*loop_}, keys_{nb::steal(PyDict_New())} {
  if (!keys_.is_valid()) throw_python_error();
}

Engine::~Engine() = default;

bool Engine::turn(Gil& gil, std::chrono::nanoseconds timeout) noexcept {
  if (!may_turn(gil)) return false;
  foreign_.forget_ready();
  auto taken = wait(gil, timeout);
  if (!taken) {
    errno = loop_->last_errno();
    return raise(gil, taken.error()) != nullptr;
  }
  was_idle_ = *taken == 0;
  loop_->dispatch();
  // A wait that a signal interrupted, and a turn that ran no bytecode, both get here.
  if (PyErr_CheckSignals() < 0) propagate(gil);
  if (!leaving_.is_valid()) return true;
  restore_exception(gil, leaving_.release().ptr());
  return false;
}

bool Engine::may_turn(Gil& /*gil*/) const noexcept {
  if (!closed_ && !loop_->dispatching()) return true;
  PyErr_SetString(PyExc_RuntimeError,
                  closed_ ? "the engine is closed" : "the event loop is not re-entrant");
  return false;
}

Result<int> Engine::wait(Gil& gil, std::chrono::nanoseconds timeout) noexcept {
  constexpr std::chrono::nanoseconds kNow{0};
  if (std::exchange(wake_requested_, false) || timeout == kNow) return loop_->wait(kNow);
  if (look_first_.worth_it()) {
    auto taken = loop_->wait(kNow);
    look_first_.looked(taken && *taken > 0);
    if (!taken || *taken > 0) return taken;
  }
  lock_released_ = true;
  auto taken = wait_unlocked(gil, timeout);
  lock_released_ = false;
  wake_requested_ = false;
  return taken;
}

Result<int> Engine::wait_unlocked(Gil& gil, std::chrono::nanoseconds timeout) noexcept {
  const GilRelease released{gil};
  return loop_->wait(timeout);
}

void Engine::wake(Gil& /*gil*/) noexcept {
#ifdef Py_GIL_DISABLED
  loop_->wake();
#else
  if (std::exchange(wake_requested_, true)) return;
  if (lock_released_ || nested_) loop_->wake();
#endif
}

Result<void> Engine::set_nested(bool nested) noexcept {
  auto done = loop_->set_nested(nested);
  if (done) nested_ = nested;
  return done;
}

void Engine::propagate(Gil& gil) noexcept {
  if (leaving_.is_valid()) {
    PyErr_WriteUnraisable(leaving_.ptr());
    return;
  }
  leaving_ = nb::steal(take_exception(gil));
}

void Engine::close(Gil& /*gil*/) noexcept {
  closed_ = true;
  foreign_.clear();
  if (keys_.is_valid()) PyDict_Clear(keys_.ptr());
}

PyObject* Engine::key_of(Gil& /*gil*/, int descriptor) noexcept {
  const nb::object number = nb::steal(PyLong_FromLong(descriptor));
  if (!number.is_valid()) return nullptr;
  return PyDict_GetItemWithError(keys_.ptr(), number.ptr());
}

int Engine::traverse(visitproc visit, void* arg) const {
  Py_VISIT(keys_.ptr());
  Py_VISIT(leaving_.ptr());
  return 0;
}

std::chrono::nanoseconds to_timeout(double seconds) noexcept {
  constexpr double kSecondsMax = 1e9;  // Far from the range of the nanoseconds.
  const double bounded = std::isnan(seconds) ? 0.0 : std::clamp(seconds, 0.0, kSecondsMax);
  return std::chrono::nanoseconds{static_cast<std::int64_t>(std::ceil(bounded * 1e9))};
}

}  // namespace tercel::python
