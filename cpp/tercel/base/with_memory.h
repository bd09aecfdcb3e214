// Running out of memory as a value, where what is called takes it from std::string or std::vector.
//
//   if (!with_memory([&] { path = find(root); })) return fail(Errc::kNoMemory);
//
// Around a whole step of a request, not around each container: what the step was filling is then in
// no state to be used, and is cleared or destroyed. Not for what asks the system for memory itself,
// as BlockPool, which returns nothing. Tested by app_test.cc in tests/cpp/api.
#pragma once

#include <new>
#include <utility>

namespace tercel {

// Calls `step`. Returns false when it threw std::bad_alloc, which is all that it may throw.
template <typename Step>
[[nodiscard]] bool with_memory(Step&& step) noexcept {
  try {
    std::forward<Step>(step)();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace tercel
