// Memory straight from the kernel: what was never written to costs nothing.
//
//   Pages scratch = Pages::map(65536);
//   if (!scratch) return fail(Errc::kNoMemory);
//
// For a large buffer that is seldom full. The allocator would make it of memory that was used
// before, and all of that counts as the process's.
// Resource: a mapping, unmapped when destroyed. Thread: one.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

namespace tercel {

class Pages {
 public:
  Pages() noexcept = default;
  // Empty when memory is exhausted.
  [[nodiscard]] static Pages map(std::size_t bytes) noexcept;
  Pages(Pages&& other) noexcept : memory_{std::exchange(other.memory_, {})} {}
  Pages& operator=(Pages&& other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~Pages();

  // Makes it larger or smaller; what is in it stays, though perhaps at another address, and is not
  // copied. Returns false, and leaves it as it is, when memory is exhausted.
  [[nodiscard]] bool resize(std::size_t bytes) noexcept;
  // The mapping is the caller's from here, and comes back by adopt().
  [[nodiscard]] std::span<char> release() noexcept { return std::exchange(memory_, {}); }
  [[nodiscard]] static Pages adopt(std::span<char> memory) noexcept;

  [[nodiscard]] std::span<char> span() const noexcept { return memory_; }
  explicit operator bool() const noexcept { return !memory_.empty(); }

 private:
  std::span<char> memory_;
};

}  // namespace tercel
