// Whether the number of a descriptor still names the socket that it was taken over with.
//
//   SocketMark mark{fd};              // Whoever had the number before has lost it.
//   if (!mark.holds(fd)) return ...;  // It is another connection's: not a byte, and no close.
//
// An application that closes a descriptor twice closes one of ours, and the next connection gets
// its number: what was meant for the first client would go to the second. Asked before each call
// on a socket. It does not see that the number is a file of the application's by now. A value.
// Thread: any. Tested by socket_stream_test.cc.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tercel::net {

class SocketMark {
 public:
  explicit SocketMark(int fd) noexcept {
    if (is_marked(fd)) mark_ = 1 + last_of(fd).fetch_add(1, std::memory_order_relaxed);
  }
  [[nodiscard]] bool holds(int fd) const noexcept {
    return !is_marked(fd) || mark_ == last_of(fd).load(std::memory_order_relaxed);
  }

 private:
  using Last = std::atomic_ref<std::uint32_t>;
  // As many descriptors as Linux lets a process have, unless it is told otherwise: those above are
  // not told apart. What no descriptor reaches takes no memory.
  static constexpr std::size_t kDescriptors = std::size_t{1} << 20;

  [[nodiscard]] static bool is_marked(int fd) noexcept {
    return static_cast<std::size_t>(fd) < kDescriptors;  // Negative ones are beyond the end.
  }
  [[nodiscard]] static Last last_of(int fd) noexcept {
    return Last{last_of_all[static_cast<std::size_t>(fd)]};
  }

  // No array of atomics: to make one of so many ahead of time is too much for some compilers.
  alignas(Last::required_alignment) static inline std::uint32_t last_of_all[kDescriptors];

  std::uint32_t mark_ = 0;
};

}  // namespace tercel::net
