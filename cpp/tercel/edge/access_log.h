// The access log: one line for each request, made without Python.
//
//   AccessLog access_log(loop, *file, *LogFormat::parse("combined", problem), {steady, wall});
//   server.record(&access_log);
//
// What a line needs of the request is copied when its head is complete, into one pooled block that
// is returned with the line; in a steady state nothing is allocated. Whatever the bytes of a
// request are, its line is one line (LogLine escapes them), and a value longer than kValueBytesMax
// is cut. Time and duration begin with the complete head, so that the wait for a turn is in them;
// durations are measured on a clock of their own: that of the loop stands still while an
// application computes. Values of parameters that the log is told to hide (hidden_values.h) are
// stars, in the target and in the Referer. A client that left before the response began is 499,
// nginx's number for it.
//
// Resource: one a loop; ends before its lines. Thread: the loop's. Source: Apache mod_log_config.
// Tested by access_log_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/base/block_pool.h"
#include "tercel/base/clock.h"
#include "tercel/edge/line_buffer.h"
#include "tercel/edge/log_format.h"
#include "tercel/edge/log_line.h"
#include "tercel/edge/log_time.h"
#include "tercel/http/recorder.h"
#include "tercel/net/loop.h"

namespace tercel::edge {

// What the log reads the time from. Both outlive it.
struct LogClocks {
  const Clock& steady;  // For durations.
  const Clock& wall;    // Since 1970.
};

class AccessLog final : public http::Recorder {
 public:
  // Bytes of one value that are shown; "..." follows when there are more.
  static constexpr std::size_t kValueBytesMax = 4096;
  static constexpr std::uint16_t kClientGoneStatus = 499;

  // `loop`, `lines` and the names in `hidden` outlive the log.
  AccessLog(net::Loop& loop, LineBuffer& lines, LogFormat format, LogClocks clocks,
            std::span<const std::string_view> hidden = {});
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  [[nodiscard]] Token on_request(const http::Request& request, const http::Endpoints& ends,
                                 std::chrono::nanoseconds waited) noexcept override;
  [[nodiscard]] Token on_refused(const http::PartialHead& head,
                                 const http::Endpoints& ends) noexcept override;
  void on_response(Token token, const http::Summary& summary) noexcept override;

 private:
  struct Record;
  class Values;

  [[nodiscard]] Token keep(const Values& values, std::chrono::nanoseconds waited) noexcept;
  void put_kept(LogLine& line, const LogFormat::Part& part, std::string_view& kept) const noexcept;
  [[nodiscard]] std::uint64_t microseconds_since(std::chrono::nanoseconds start) const noexcept;
  void put_result(LogLine& line, const LogFormat::Part& part, const http::Summary& summary,
                  std::uint64_t microseconds) const noexcept;
  void put_name(LogLine& line, std::string_view name) const noexcept;
  void put_missing(LogLine& line) const noexcept;

  net::Loop& loop_;
  LineBuffer& lines_;
  const LogFormat format_;
  const LogClocks clocks_;
  const std::span<const std::string_view> hidden_;
  LogTime time_;
  const std::uint64_t process_;
  bool needs_duration_ = false;
  std::size_t fixed_room_ = 0;  // Of a line, without the values of the request.
};

}  // namespace tercel::edge
