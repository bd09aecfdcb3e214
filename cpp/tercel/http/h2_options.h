// What an HTTP/2 session may be used for, beyond the limits that all versions share (limits.h).
//
// A value. Source: RFC 9113 sections 6.5.2 and 10.5.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "tercel/http/limits.h"
#include "tercel/http/pace.h"

namespace tercel::http {

struct H2Options {
  // SETTINGS_MAX_CONCURRENT_STREAMS. A request counts until its handler is done with it, a reset
  // does not give its place back: above it RST_STREAM(REFUSED_STREAM).
  std::uint32_t streams_max = 100;
  // What a client may send of one body before its handler reads any of it.
  std::uint32_t window_bytes = 64 * kKibibyte;
  // What it may have sent and not yet been read when the handler keeps up, at most.
  std::uint32_t window_bytes_max = kMebibyte;

  // Per stream; zero: no limit. As server::Timeouts has them for a connection.
  Pace body{std::chrono::seconds{30}, 240};   // 408, while the handler waits for it
  Pace write{std::chrono::seconds{30}, 240};  // RST_STREAM(CANCEL), while the window is shut
  std::chrono::nanoseconds queue{std::chrono::seconds{30}};  // 503, for its turn to be served
};

}  // namespace tercel::http
