// Invariants: however frames arrive, they say the same; no memory is lost; no message exceeds the
// limit.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/websocket_input.h"

// The first byte says in which steps the rest arrives, the second who receives and how.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tercel::http;
  if (size < 2) return 0;
  const std::size_t step = 1 + data[0];
  const unsigned kind = data[1];
  const std::string_view input{reinterpret_cast<const char*>(data) + 2, size - 2};
  ReceiveOptions options{.role = (kind & 1U) != 0 ? Role::kClient : Role::kServer,
                         .bytes_max = (kind & 2U) != 0 ? std::size_t{64} : std::size_t{100'000},
                         .deflate = (kind & 4U) != 0};
  options.terms.client.takeover = options.terms.server.takeover = (kind & 8U) == 0;

  const std::string whole = receive_in_steps(input, input.size() + 1, options);
  if (whole != receive_in_steps(input, step, options)) __builtin_trap();
  if (whole == kMemoryIsLost) __builtin_trap();
  return 0;
}
