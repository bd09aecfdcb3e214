// Tells AddressSanitizer which pooled memory is free, so that a use after return is found as if the
// memory came from malloc. Nothing in other builds.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define TERCEL_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TERCEL_ADDRESS_SANITIZER 1
#endif
#endif

#ifdef TERCEL_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace tercel {

inline void poison([[maybe_unused]] void* data, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef TERCEL_ADDRESS_SANITIZER
  __asan_poison_memory_region(data, bytes);
#endif
}

inline void unpoison([[maybe_unused]] void* data, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef TERCEL_ADDRESS_SANITIZER
  __asan_unpoison_memory_region(data, bytes);
#endif
}

}  // namespace tercel
