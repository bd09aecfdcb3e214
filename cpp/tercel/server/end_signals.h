// SIGINT and SIGTERM as something a loop wakes up from, and SIGPIPE ignored, as long as it lives.
//
//   EndSignals signals{loop};
//   while (signals.count() == 0) { loop.wait(...); loop.dispatch(); }
//
// The second one of them that comes restores what the system does by default, so that a third one
// ends a process that hangs. What was set before comes back with the destructor.
//
// Resource: one at a time in a process, as a signal has one handler. Thread: any may get the
// signal. Internal to run.cc. Source: signal-safety(7). Tested by run_test.cc.
#pragma once

#include <csignal>

#include "tercel/net/loop.h"

namespace tercel::server {

class EndSignals {
 public:
  // Takes over the signals, unless another one has them.
  explicit EndSignals(net::Loop& loop) noexcept;
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  ~EndSignals();

  // False: another one has them, and this one hears nothing.
  [[nodiscard]] bool installed() const noexcept { return installed_; }
  // How many came, and the last of them.
  [[nodiscard]] int count() const noexcept;
  [[nodiscard]] int last() const noexcept;

 private:
  bool installed_;
  struct sigaction before_interrupt_ {};
  struct sigaction before_terminate_ {};
  struct sigaction before_pipe_ {};
};

}  // namespace tercel::server
