// What loops are to forget of a policy's answers: told by any thread, heard by each loop when it
// looks.
//
//   changes.add({.access_key = "AK"});                       // Thread: any.
//   changes.since(heard, [&](const Forget& one) { ... });    // One atomic load, if nothing.
//
// The last kKept are kept; a loop that has missed more forgets all. Tested by desk_test.cc.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace tercel::gateway {

// Answers about an access key, and those about an identity and a bucket; what is empty is any of
// them, and all empty is all.
struct Forget {
  std::string access_key;
  std::string identity;
  std::string bucket;
};

class Changes {
 public:
  static constexpr std::size_t kKept = 64;

  void add(Forget forget) {
    const std::scoped_lock lock{mutex_};
    const std::uint64_t number = count_.load(std::memory_order_relaxed);
    kept_[number % kKept] = std::move(forget);
    count_.store(number + 1, std::memory_order_release);
  }

  // Calls `forget(const Forget&)` for what was added since `heard`, which it brings up to date.
  template <typename Visit>
  void since(std::uint64_t& heard, Visit forget) noexcept {
    if (count_.load(std::memory_order_acquire) == heard) return;
    const std::scoped_lock lock{mutex_};
    const std::uint64_t count = count_.load(std::memory_order_relaxed);
    if (count - heard > kKept) {
      forget(Forget{});
    } else {
      for (std::uint64_t i = heard; i < count; ++i) forget(kept_[i % kKept]);
    }
    heard = count;
  }

  [[nodiscard]] std::uint64_t count() const noexcept {
    return count_.load(std::memory_order_acquire);
  }

 private:
  std::mutex mutex_;
  std::array<Forget, kKept> kept_;
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace tercel::gateway
