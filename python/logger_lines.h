// Gives the lines of an access log to a Python logger.
//
// For those who give the logger `tercel.access` a handler of their own: each line becomes a record
// of level INFO, once a turn of the loop, so that no handler runs inside a request, whichever
// thread made the line. Lines that were lost on the way are told to base/log.h.
// Resource: one a server. Thread: that of the loop that its inbox is on. Tested by
// test_access_log.py, test_io_threads.py.
#pragma once

#include <cstdint>
#include <string_view>

#include <nanobind/nanobind.h>

#include "tercel/edge/line_relay.h"

namespace tercel::python {

class LoggerLines final : public edge::LineInbox::Reader {
 public:
  // `logger` is a logging.Logger.
  explicit LoggerLines(nanobind::object logger) : logger_{std::move(logger)} {}

  void on_lines(std::string_view lines, std::uint64_t lost) noexcept override;

 private:
  void hand_over(std::string_view line) noexcept;

  nanobind::object logger_;
};

}  // namespace tercel::python
