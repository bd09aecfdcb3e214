// Counts every allocation of the code under test, and makes the Nth one fail.
//
//   const AllocationCount count;
//   pool.take(1000);
//   EXPECT_EQ(count.so_far(), 0U);
//
// Sees malloc and its family as called by what is linked into the test (--wrap), and operator new
// from anywhere. Thread: counts all threads together.
#pragma once

#include <cstdint>

namespace tercel::test {

// Allocations since this object was made.
class AllocationCount {
 public:
  AllocationCount() noexcept;
  [[nodiscard]] std::uint64_t so_far() const noexcept;

 private:
  std::uint64_t start_;
};

// While it lives, the `nth` allocation fails, counted from 1, and the `times` - 1 after it. One at
// a time.
class AllocationFailure {
 public:
  explicit AllocationFailure(std::uint64_t nth, std::uint64_t times = 1) noexcept;
  AllocationFailure(const AllocationFailure&) = delete;
  AllocationFailure& operator=(const AllocationFailure&) = delete;
  ~AllocationFailure();
  [[nodiscard]] bool happened() const noexcept;
};

}  // namespace tercel::test
