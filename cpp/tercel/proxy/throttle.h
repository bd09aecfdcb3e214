// The seam for a limit of bandwidth: says when the next bytes of a body may be read.
//
// Whoever relays bodies asks before each part, and reads nothing until then: the peer is held up by
// the back-pressure that there is anyway, and nothing is kept in memory.
// Implemented by gateway/lease.h. Tested by relay_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace tercel::proxy {

enum class Way : bool { kUp, kDown };  // From the client, and to it.

class Throttle {
 public:
  // Zero: now; else how long to wait before this is asked again. `body_bytes`: of the whole body,
  // where that is known.
  [[nodiscard]] virtual std::chrono::nanoseconds wait(Way way,
                                                      std::optional<std::uint64_t> body_bytes,
                                                      std::chrono::nanoseconds now) noexcept = 0;
  // So many bytes were read.
  virtual void passed(Way way, std::size_t bytes, std::chrono::nanoseconds now) noexcept = 0;

 protected:
  ~Throttle() = default;
};

}  // namespace tercel::proxy
