// A hash that nobody outside of the process can predict: for tables whose keys peers choose.
//
//   const KeyedHash hash = KeyedHash::random();
//   const std::size_t place = hash(word) & mask;
//
// SipHash-1-3 of one 64-bit word, or of bytes. Without the key nobody can choose words that fall
// together, so a table keeps its cost whoever fills it. A value. Cost: some nanoseconds, and one
// for each four bytes more. Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF",
// 2012. Tested by keyed_hash_test.cc.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace tercel {

class KeyedHash {
 public:
  constexpr KeyedHash(std::uint64_t key0, std::uint64_t key1) noexcept : key0_{key0}, key1_{key1} {}

  // With a key of the system's random numbers; should it have none, of the time and an address.
  [[nodiscard]] static KeyedHash random() noexcept;

  [[nodiscard]] constexpr std::uint64_t operator()(std::uint64_t word) const noexcept {
    State state = begin();
    state.absorb(word);
    state.absorb(std::uint64_t{sizeof word} << 56);
    return state.finish();
  }

  [[nodiscard]] std::uint64_t operator()(std::string_view bytes) const noexcept;

 private:
  struct State {
    std::uint64_t v0, v1, v2, v3;

    constexpr void absorb(std::uint64_t word) noexcept {
      v3 ^= word;
      mix();
      v0 ^= word;
    }
    [[nodiscard]] constexpr std::uint64_t finish() noexcept {
      v2 ^= 0xff;
      for (int round = 0; round < 3; ++round) mix();
      return v0 ^ v1 ^ v2 ^ v3;
    }
    constexpr void mix() noexcept {
      v0 += v1;
      v2 += v3;
      v1 = std::rotl(v1, 13) ^ v0;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 = std::rotl(v0, 32);
      v2 += v1;
      v0 += v3;
      v1 = std::rotl(v1, 17) ^ v2;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 = std::rotl(v2, 32);
    }
  };

  [[nodiscard]] constexpr State begin() const noexcept {
    return {key0_ ^ 0x736f6d6570736575, key1_ ^ 0x646f72616e646f6d, key0_ ^ 0x6c7967656e657261,
            key1_ ^ 0x7465646279746573};
  }

  std::uint64_t key0_;
  std::uint64_t key1_;
};

}  // namespace tercel
