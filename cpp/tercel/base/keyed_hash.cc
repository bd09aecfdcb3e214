#include "tercel/base/keyed_hash.h"

#include <sys/random.h>

#include <array>
#include <chrono>

namespace tercel {

KeyedHash KeyedHash::random() noexcept {
  std::array<std::uint64_t, 2> key{};
  // Up to 256 bytes come whole; only a sandbox refuses them.
  if (::getrandom(key.data(), sizeof key, 0) != static_cast<ssize_t>(sizeof key)) {
    const auto now = std::chrono::system_clock::now().time_since_epoch().count();
    key = {static_cast<std::uint64_t>(now), reinterpret_cast<std::uintptr_t>(&key)};
  }
  return {key[0], key[1]};
}

}  // namespace tercel
