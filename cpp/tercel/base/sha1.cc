#include "tercel/base/sha1.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace tercel {
namespace {

constexpr std::size_t kBlockBytes = 64;
// The length of the message, in bits, ends the last block.
constexpr std::size_t kLengthBytes = 8;

using State = std::array<std::uint32_t, 5>;

struct Round {
  std::uint32_t mixed;
  std::uint32_t constant;
};

Round round_of(std::size_t step, const State& s) noexcept {
  if (step < 20) return {(s[1] & s[2]) | (~s[1] & s[3]), 0x5A827999};
  if (step < 40) return {s[1] ^ s[2] ^ s[3], 0x6ED9EBA1};
  if (step < 60) return {(s[1] & s[2]) | (s[1] & s[3]) | (s[2] & s[3]), 0x8F1BBCDC};
  return {s[1] ^ s[2] ^ s[3], 0xCA62C1D6};
}

void absorb(State& state, const std::uint8_t* block) noexcept {
  std::array<std::uint32_t, 80> words;
  for (std::size_t i = 0; i < 16; ++i) {
    const std::uint8_t* at = block + 4 * i;
    words[i] = std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 |
               std::uint32_t{at[3]};
  }
  for (std::size_t i = 16; i < words.size(); ++i) {
    words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  }
  State s = state;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const Round round = round_of(i, s);
    const std::uint32_t first = std::rotl(s[0], 5) + round.mixed + s[4] + round.constant + words[i];
    s = {first, s[0], std::rotl(s[1], 30), s[2], s[3]};
  }
  for (std::size_t i = 0; i < state.size(); ++i) state[i] += s[i];
}

}  // namespace

std::array<std::uint8_t, kSha1Bytes> sha1(std::string_view message) noexcept {
  State state{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  const auto bits = static_cast<std::uint64_t>(message.size()) * 8;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(message.data());
  std::size_t left = message.size();
  for (; left >= kBlockBytes; bytes += kBlockBytes, left -= kBlockBytes) absorb(state, bytes);

  // What is left, a one bit, zeros, and the length: in one block or two.
  std::array<std::uint8_t, 2 * kBlockBytes> tail{};
  if (left > 0) std::memcpy(tail.data(), bytes, left);
  tail[left] = 0x80;
  const std::size_t end = left + 1 + kLengthBytes <= kBlockBytes ? kBlockBytes : 2 * kBlockBytes;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    tail[end - 1 - i] = static_cast<std::uint8_t>(bits >> (8 * i));
  }
  absorb(state, tail.data());
  if (end > kBlockBytes) absorb(state, tail.data() + kBlockBytes);

  std::array<std::uint8_t, kSha1Bytes> digest;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::uint8_t>(state[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

}  // namespace tercel
