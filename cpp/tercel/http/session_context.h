// What all sessions of one loop share: the handler, the limits, and memory that is only used while
// a step runs.
//
// Resource: owned by the server, outlives its sessions. Thread: the loop's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tercel/base/address.h"
#include "tercel/base/clock.h"
#include "tercel/http/admission.h"
#include "tercel/http/amender.h"
#include "tercel/http/counters.h"
#include "tercel/http/date.h"
#include "tercel/http/h1_head.h"
#include "tercel/http/handler.h"
#include "tercel/http/limits.h"
#include "tercel/http/open_record.h"
#include "tercel/http/recorder.h"

namespace tercel::http {

class SessionContext {
 public:
  SessionContext(Handler& served, const Limits& bounds) noexcept
      : handler{served}, limits{bounds} {}
  SessionContext(const SessionContext&) = delete;
  SessionContext& operator=(const SessionContext&) = delete;

  // Fields that the server adds to every response, each "name: value\r\n": `server`, if it is not
  // empty, then `fixed` as it stands (already checked), and the date if `with_date`.
  void set_default_fields(std::string_view server, std::string_view fixed, bool with_date);

  // The default fields of a response sent at `unix_time`, without those that the application set
  // itself. Valid until the next call. Cost: a comparison, unless the second changed.
  [[nodiscard]] std::string_view default_fields(std::chrono::seconds unix_time, bool has_server,
                                                bool has_date);

  // What default_fields() returns at most.
  [[nodiscard]] std::size_t default_bytes() const noexcept {
    return server_.size() + fixed_.size() + DateField::kBytes;
  }

  // What every session does with a request whose head is complete, before its handler: says who
  // asks, has that amended, and opens the record. `fields` are those of the request; `client` is
  // room for an address that lives as long as it; `waited` is the time it was in the queue.
  [[nodiscard]] OpenRecord present(Request& request, std::span<Field> fields, const Endpoints& ends,
                                   Address& client, std::chrono::nanoseconds waited) noexcept;

  // The same for a head that was refused for what it is.
  [[nodiscard]] OpenRecord refused(const PartialHead& partial, const Endpoints& ends) noexcept;

  // What every session does when a request is over, after it gave its place back: counts it, and
  // closes its record.
  void over(const OpenRecord& record, const Summary& summary) noexcept;

  // Shows in the counters what `admission` says: when a request begins to wait. The calls above do.
  void show_gauges() noexcept;

  Handler& handler;
  const Amender* amender = nullptr;
  Recorder* recorder = nullptr;
  Counters* counters = &own_counters_;  // Or others, which outlive it.
  const Clock* stopwatch = nullptr;  // Null: requests are neither timed nor told apart by method.
  Limits limits;
  Admission admission;
  HeadBuffer head;  // Fields of the head or the trailers that are being parsed.

 private:
  Counters own_counters_;
  std::string server_;
  std::string fixed_;
  bool with_date_ = true;
  DateField date_;
  std::string rendered_;  // server, fixed, date: so that leaving out either end is a substring.
  std::chrono::seconds rendered_at_{-1};
};

}  // namespace tercel::http
