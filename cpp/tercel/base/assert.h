// Two levels of distrust in our own code. Failures that a peer, the system or a user can cause are
// neither: they are values (result.h).
//
//   TERCEL_ASSERT(scratch_lent_);           // Provable. Debug builds only, free in release.
//   if (TERCEL_BUG_IF(slot.fd < 0)) return; // Believed. The release build survives it.
//
// TERCEL_BUG_IF(condition) is an expression: the condition, always evaluated. When it is true, a
// debug build aborts; a release build counts it, logs it and yields true, and the code after it
// gives up this connection. We live in somebody's Python process: one confused connection must not
// end it. Tested by assert_test.cc.
#pragma once

#include <atomic>
#include <cstdint>

namespace tercel {

// One use of TERCEL_BUG_IF.
struct BugSite {
  const char* condition;
  const char* file;
  int line;
  std::atomic<std::uint64_t> count{0};
};

// Counts, and logs the 1st, 2nd, 4th, 8th ... time: a peer may have found out how to repeat it.
// Returns true. Thread: any.
bool report_bug(BugSite& site) noexcept;

// Broken invariants since the process started. Anything but 0 is a defect of tercel.
[[nodiscard]] std::uint64_t bugs_reported() noexcept;

// Log and abort: debug builds end here.
[[noreturn]] void abort_on_bug(const BugSite& site) noexcept;
[[noreturn]] void abort_on_assertion(const char* condition, const char* file, int line) noexcept;

}  // namespace tercel

#ifdef NDEBUG
#define TERCEL_ASSERT(condition) static_cast<void>(sizeof(!(condition)))
#define TERCEL_ON_BUG(site) return ::tercel::report_bug(site)
#else
#define TERCEL_ASSERT(condition)      \
  ((condition) ? static_cast<void>(0) \
               : ::tercel::abort_on_assertion(#condition, __FILE__, __LINE__))
#define TERCEL_ON_BUG(site) ::tercel::abort_on_bug(site)
#endif

#define TERCEL_BUG_IF(condition)                                                \
  (__builtin_expect(static_cast<bool>(condition), 0) && []() noexcept -> bool { \
    static constinit ::tercel::BugSite site{#condition, __FILE__, __LINE__};    \
    TERCEL_ON_BUG(site);                                                        \
  }())
