// From what the engine says (base/log.h) to Python's logger `tercel`.
//
// The engine may speak from anywhere: on a thread of its own, or deep inside a request, where no
// Python code must run. So a line is put into a queue, and the interpreter is asked to fetch it
// when it next runs Python code on the main thread. What the queue cannot hold is counted and told.
// Resource: one a process, installed on first use until the interpreter ends. Thread: any.
// Source: Py_AddPendingCall. Tested by test_log_bridge.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "python/gil.h"
#include "tercel/base/log.h"

namespace tercel::python {

class LogBridge final : public LogSink {
 public:
  static constexpr std::size_t kLinesMax = 256;

  void log(LogLevel level, std::string_view text) noexcept override;
  // Hands what is queued to the logger. May be called at any time.
  void deliver(Gil& gil) noexcept;

 private:
  using Line = std::pair<LogLevel, std::string>;

  std::mutex mutex_;
  std::vector<Line> lines_;
  std::uint64_t lost_ = 0;
};

}  // namespace tercel::python
