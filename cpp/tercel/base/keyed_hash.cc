#include "tercel/base/keyed_hash.h"

#include <sys/random.h>

#include <array>
#include <chrono>
#include <cstring>

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

std::uint64_t KeyedHash::operator()(std::string_view bytes) const noexcept {
  State state = begin();
  std::uint64_t last = std::uint64_t{bytes.size()} << 56;
  for (; bytes.size() >= sizeof last; bytes.remove_prefix(sizeof last)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    state.absorb(word);
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    last |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  state.absorb(last);
  return state.finish();
}

}  // namespace tercel
