// The settings table, joined of its rows.
#include <algorithm>
#include <array>

#include "tercel/config/rows_limits.h"
#include "tercel/config/rows_process.h"
#include "tercel/config/rows_protocols.h"
#include "tercel/config/table.h"

namespace tercel::config {
namespace {

template <std::size_t... kSizes>
constexpr auto join(const Row (&... parts)[kSizes]) {
  std::array<Row, (kSizes + ...)> all;
  auto* next = all.data();
  ((next = std::copy(parts, parts + kSizes, next)), ...);
  return all;
}

constexpr std::array kTable = join(kApplication, kListen, kTls, kProxy, kRun, kWorkers, kLimits,
                                   kTimeouts, kWebSocket, kHttp, kCors, kLogs);

}  // namespace

std::span<const Row> table() noexcept {
  return kTable;
}

}  // namespace tercel::config
