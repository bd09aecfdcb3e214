#include "support/allocations.h"

#include <sys/mman.h>
#include <sys/types.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

namespace {

constinit std::atomic<std::uint64_t> allocation_count{0};
// The first count at which to fail, which starts at 1 (0: never), and how often.
constinit std::atomic<std::uint64_t> failing_count{0};
constinit std::atomic<std::uint64_t> failing_times{0};

bool count_and_fail() noexcept {
  const std::uint64_t count = allocation_count.fetch_add(1, std::memory_order_relaxed) + 1;
  const std::uint64_t first = failing_count.load(std::memory_order_relaxed);
  return first != 0 && count >= first &&
         count - first < failing_times.load(std::memory_order_relaxed);
}

}  // namespace

// The names are the linker's: --wrap=malloc.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" {
void* __real_malloc(std::size_t bytes);
void* __real_calloc(std::size_t count, std::size_t bytes);
void* __real_realloc(void* data, std::size_t bytes);
int __real_posix_memalign(void** into, std::size_t alignment, std::size_t bytes);
void* __real_mmap(void* at, std::size_t bytes, int access, int flags, int fd, off_t offset);
void* __real_mremap(void* old, std::size_t old_bytes, std::size_t bytes, int flags, ...);

void* __wrap_malloc(std::size_t bytes) {
  return count_and_fail() ? nullptr : __real_malloc(bytes);
}
void* __wrap_calloc(std::size_t count, std::size_t bytes) {
  return count_and_fail() ? nullptr : __real_calloc(count, bytes);
}
void* __wrap_realloc(void* data, std::size_t bytes) {
  return count_and_fail() ? nullptr : __real_realloc(data, bytes);
}
int __wrap_posix_memalign(void** into, std::size_t alignment, std::size_t bytes) {
  return count_and_fail() ? ENOMEM : __real_posix_memalign(into, alignment, bytes);
}
void* __wrap_mmap(void* at, std::size_t bytes, int access, int flags, int fd, off_t offset) {
  return count_and_fail() ? MAP_FAILED : __real_mmap(at, bytes, access, flags, fd, offset);
}
void* __wrap_mremap(void* old, std::size_t old_bytes, std::size_t bytes, int flags) {
  return count_and_fail() ? MAP_FAILED : __real_mremap(old, old_bytes, bytes, flags);
}
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

// The array forms of the library call these. A sanitizer brings nothrow forms of its own, whose
// memory only its own operator delete may free.
void* operator new(std::size_t bytes) {
  if (void* data = std::malloc(bytes)) return data;
  throw std::bad_alloc{};
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return std::malloc(bytes);
}
void operator delete(void* data) noexcept {
  std::free(data);
}
void operator delete(void* data, std::size_t) noexcept {
  std::free(data);
}

namespace tercel::test {

AllocationCount::AllocationCount() noexcept : start_{allocation_count.load()} {}
std::uint64_t AllocationCount::so_far() const noexcept {
  return allocation_count.load() - start_;
}

AllocationFailure::AllocationFailure(std::uint64_t nth, std::uint64_t times) noexcept {
  failing_times.store(times);
  failing_count.store(allocation_count.load() + nth);
}
AllocationFailure::~AllocationFailure() {
  failing_count.store(0);
}
bool AllocationFailure::happened() const noexcept {
  return allocation_count.load() >= failing_count.load();
}

}  // namespace tercel::test
