// The access log of one server, as the settings ask for it: its format, and where its lines go.
// Resource: outlives the server that it records. Thread: the loop's. Tested by test_access_log.py.
#pragma once

#include <memory>

#include <nanobind/nanobind.h>

#include "python/logger_lines.h"
#include "tercel/config/settings.h"
#include "tercel/edge/access_log.h"
#include "tercel/edge/log_file.h"
#include "tercel/edge/log_time.h"

namespace tercel::python {

class RequestLog {
 public:
  // Lines go to `logger` unless it is None and to settings.access_log_file otherwise. Throws
  // OSError when that cannot be opened. REQUIRES: the format is one.
  RequestLog(net::Loop& loop, const config::Settings& settings, nanobind::object logger);

  // Writes what can be written without waiting.
  void flush() noexcept;
  // Begins the file anew if it was moved away: LogFile::reopen().
  void reopen() noexcept;

  [[nodiscard]] http::Recorder& recorder() noexcept { return *log_; }

 private:
  [[nodiscard]] edge::LineBuffer& lines(net::Loop& loop, const config::Settings& settings,
                                        nanobind::object logger);

  SteadyClock steady_;
  edge::WallClock wall_;
  std::unique_ptr<edge::LogFile> file_;
  std::unique_ptr<LoggerLines> logger_lines_;
  std::unique_ptr<edge::AccessLog> log_;
};

}  // namespace tercel::python
