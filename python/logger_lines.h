// Lines of the access log on their way to a Python logger.
//
// For those who give the logger `tercel.access` a handler of their own: each line becomes a record
// of level INFO, once a turn of the loop, so that no handler runs inside a request. What a turn
// makes beyond kCapacity is dropped, counted, and told to base/log.h.
// Resource: one a server. Thread: the loop's. Tested by test_access_log.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <nanobind/nanobind.h>

#include "tercel/edge/line_buffer.h"
#include "tercel/net/loop.h"

namespace tercel::python {

class LoggerLines final : public edge::LineBuffer, private net::Deferred {
 public:
  static constexpr std::size_t kCapacity = std::size_t{256} << 10;

  // `logger` is a logging.Logger.
  LoggerLines(net::Loop& loop, nanobind::object logger);
  LoggerLines(const LoggerLines&) = delete;
  LoggerLines& operator=(const LoggerLines&) = delete;
  // Hands over what is left.
  ~LoggerLines() override;

  [[nodiscard]] std::span<char> room(std::size_t bytes) noexcept override;
  void commit(std::size_t bytes) noexcept override;
  void drop() noexcept override;
  // Makes a record of every line that is here. Not from within a request.
  void flush() noexcept;

 private:
  void run_deferred() noexcept override { flush(); }
  void hand_over(std::string_view line) noexcept;
  void report() noexcept;

  net::Loop& loop_;
  nanobind::object logger_;
  std::unique_ptr<char[]> buffer_;
  std::size_t filled_ = 0;
  std::uint64_t dropped_ = 0;  // And not told yet.
};

}  // namespace tercel::python
