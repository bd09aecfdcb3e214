// How the engine says something to the people who run it: a level and one line of text.
//
//   log(LogLevel::kWarning, "the listener pauses: the process is out of file descriptors");
//
// The owner of the process installs a sink; without one, warnings and errors go to standard error.
// The sink is the one global of the engine, but for what a signal handler needs (end_signals.h): a
// broken invariant must be able to speak from anywhere. Requests are not logged here (tercel/edge
// has the access log). Tested by log_test.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tercel {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

// Where lines go. Thread: any, several at once.
class LogSink {
 public:
  // `text` is one line without its end, free of control bytes; valid during the call.
  virtual void log(LogLevel level, std::string_view text) noexcept = 0;

 protected:
  ~LogSink() = default;
};

// Installs `sink` (null: standard error) and returns the one before. The sink outlives its use:
// remove it, and end the threads that may log, before it dies. Thread: any.
LogSink* set_log_sink(LogSink* sink) noexcept;

// REQUIRES: bytes that came from outside went through escape_for_log(). Thread: any.
void log(LogLevel level, std::string_view text) noexcept;

// Makes bytes from outside safe for a line of a log: printable ASCII stays, everything else, the
// double quote and the backslash become \xHH, so no input can end the line, the quotes around it,
// or drive a terminal, and the text can be turned back. What does not fit is cut, at a whole byte,
// and marked with a final "...": four times as much room is enough for all. The view is into
// `into`. REQUIRES: into.size() >= 3.
[[nodiscard]] std::string_view escape_for_log(std::string_view bytes,
                                              std::span<char> into) noexcept;

}  // namespace tercel
