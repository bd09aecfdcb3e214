// The access log of one server, as the settings ask for it: its format, and where its lines go.
//
// Each loop of the server makes its own lines. On their way to a file or to standard output they
// stay there: each loop has a LogFile, and what they write to they share with those of the other
// worker processes. A Python logger is called on the application's loop, which
// gets them through relays.
// Resource: outlives the requests of its server, and ends before the server's loops. Thread: the
// application's. Tested by test_access_log.py, test_io_threads.py.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <nanobind/nanobind.h>

#include "python/logger_lines.h"
#include "python/shared.h"
#include "tercel/config/settings.h"
#include "tercel/edge/access_log.h"
#include "tercel/edge/line_gate.h"
#include "tercel/edge/log_file.h"
#include "tercel/edge/log_time.h"
#include "tercel/server/service.h"

namespace tercel::python {

class RequestLog {
 public:
  // Records the requests of `service`. Lines go to `logger`, on `loop`, unless it is None, and to
  // settings.access_log_file otherwise, which other processes of `shared` write to if it is not
  // null. The values of the parameters `hidden` are not shown: edge/hidden_values.h. Throws OSError
  // when the file cannot be opened. REQUIRES: the format is one; the service has not started.
  RequestLog(server::Service& service, net::Loop& loop, const config::Settings& settings,
             nanobind::object logger, PyShared* shared, std::span<const std::string_view> hidden);
  RequestLog(const RequestLog&) = delete;
  RequestLog& operator=(const RequestLog&) = delete;
  // REQUIRES: as flush().
  ~RequestLog();

  // Writes what can be written without waiting. REQUIRES: the service has stopped.
  void flush() noexcept;
  // Begins the file anew: at once, or with the next lines of a thread that is not the
  // application's.
  void reopen() noexcept;

 private:
  struct OfLoop {
    bool is_ours;  // The loop is the application's.
    std::unique_ptr<edge::LineBuffer> lines{};
    edge::LogFile* file = nullptr;  // The lines, if they go to a file.
    std::unique_ptr<edge::AccessLog> log{};
  };

  // Finds out where the lines of a loop go. `who` is its name at the gate; null, where there are
  // more loops than places to count in: then long lines may be mixed.
  void open(OfLoop& own, net::Loop& loop, const config::Settings& settings, const void* who);

  SteadyClock steady_;
  edge::WallClock wall_;
  std::shared_ptr<edge::LineGate> gate_;  // Of the files.
  std::unique_ptr<LoggerLines> logger_lines_;
  std::unique_ptr<edge::LineInbox> inbox_;
  std::vector<OfLoop> loops_;
};

}  // namespace tercel::python
