// What a gateway counts: a part of what it measures (meters.h).
//
// Only its loop writes to a set; others read it at any time. A value of atomic numbers.
// Source: docs/guide/s3.md, "Counts". Tested by tests/python/test_s3_gateway.py.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tercel::gateway {

// name of the number, which is a field's and the key of a dict
#define TERCEL_GATEWAY_COUNTS(X)                                                   \
  X(requests)       /* That came. */                                               \
  X(refused)        /* For what they are: no signature, a wrong one, malformed. */ \
  X(limited)        /* Above a limit. */                                           \
  X(denied)         /* By the policy. */                                           \
  X(policy_failed)  /* It raised, answered nonsense, or took too long. */          \
  X(forwarded)      /* To a backend. */                                            \
  X(backend_failed) /* It was not reached, or broke off. */                        \
  X(retried)        /* Attempts beside the first, at the same endpoint. */         \
  X(failed_over)    /* And at another one. */                                      \
  X(rested)         /* Times that an endpoint began to rest. */                    \
  X(checks)         /* Of endpoints. */                                            \
  X(checks_failed)                                                                 \
  X(answered_here) /* Lists of buckets. */                                         \
  X(policy_known)  /* Answers that were known. */                                  \
  X(policy_asked)  /* Questions that were asked. */                                \
  X(policy_shared) /* Of those, the ones that another gateway had asked. */        \
  X(limits_asked)  /* Questions about limits that several gateways share. */

class Counts {
 public:
#define TERCEL_NAME(name) name,
  enum Name : std::uint8_t { TERCEL_GATEWAY_COUNTS(TERCEL_NAME) kNames };
#undef TERCEL_NAME

  // Thread: the one that writes.
  void add(Name name, std::uint64_t count = 1) noexcept {
    auto& number = numbers_[name];
    number.store(number.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get(Name name) const noexcept {
    return numbers_[name].load(std::memory_order_relaxed);
  }
  [[nodiscard]] static std::string_view text(Name name) noexcept {
#define TERCEL_NAME(name) #name,
    constexpr std::string_view kTexts[] = {TERCEL_GATEWAY_COUNTS(TERCEL_NAME)};
#undef TERCEL_NAME
    return kTexts[name];
  }

 private:
  std::array<std::atomic<std::uint64_t>, kNames> numbers_{};
};

}  // namespace tercel::gateway
