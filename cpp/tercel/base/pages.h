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

  [[nodiscard]] std::span<char> span() const noexcept { return memory_; }
  explicit operator bool() const noexcept { return !memory_.empty(); }

 private:
  std::span<char> memory_;
};

}  // namespace tercel
