// The command line of the load client. A value. Tested by tests/python/test_load_client.py.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tercel/base/address.h"

namespace tercel::load {

enum class ModeName : std::uint8_t { kHttp, kWebSocket, kBroadcast, kIdle };

struct Options {
  ModeName mode = ModeName::kHttp;
  Address server;
  std::size_t connections = 64;
  std::chrono::nanoseconds duration{std::chrono::seconds{5}};
  std::uint64_t requests_max = 0;  // 0: no limit but the time.
  double rate = 0;                 // Requests a second over all connections; 0: as fast as it goes.
  std::chrono::nanoseconds timeout{std::chrono::seconds{10}};
  std::string target = "/";
  std::optional<std::string> body;  // Absent: any.
  std::uint16_t status = 200;
  bool numbered = false;
  std::uint64_t first_number = 1;
  std::size_t message_bytes = 64;
  bool binary = false;
  bool websocket = false;   // What is idle is a WebSocket.
  bool wait = false;        // For a line on standard input before the load, for its end behind it.
  std::size_t sources = 1;  // Addresses from 127.0.0.1 on that connections come from.
};

inline constexpr std::string_view kUsage =
    "usage: load_client http|websocket|broadcast|idle --port PORT [--host ADDRESS]\n"
    "  --connections N     kept open; default 64\n"
    "  --seconds S         of load; default 5. SIGTERM ends it before\n"
    "  --requests N        end after so many\n"
    "  --timeout S         for one answer; default 10\n"
    "  --sources N         come from 127.0.0.1 and the N - 1 addresses behind it\n"
    "  --target TARGET     default /\n"
    "  --wait              when all are open: print {\"ready\": N}, begin after a line on\n"
    "                      standard input, keep connections after the result until it ends\n"
    "http:\n"
    "  --rate R            requests a second over all connections; latency from their due time\n"
    "  --expect-body TEXT  every body is this; default: any\n"
    "  --expect-status N   default 200\n"
    "  --numbered          the query holds n=NUMBER, and the body must hold the number\n"
    "  --first-number N    default 1\n"
    "websocket, broadcast:\n"
    "  --bytes N           of a message, at least 20; default 64\n"
    "  --binary            messages are binary and not text\n"
    "idle:\n"
    "  --websocket         WebSockets, not HTTP connections after one request\n";

// Nothing, and in `problem` one sentence, when the command line is wrong.
[[nodiscard]] std::optional<Options> parse_options(int argc, char** argv, std::string& problem);

}  // namespace tercel::load
