#include "tercel/http/websocket_mask.h"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace tercel::http {
namespace mask {

std::size_t portable(char* to, const char* from, std::size_t bytes, std::uint32_t word) noexcept {
  const std::uint64_t pattern = std::uint64_t{word} << 32 | word;
  std::size_t done = 0;
  for (; bytes - done >= sizeof pattern; done += sizeof pattern) {
    std::uint64_t part = 0;
    std::memcpy(&part, from + done, sizeof part);
    part ^= pattern;
    std::memcpy(to + done, &part, sizeof part);
  }
  return done;
}

#if defined(__x86_64__)

std::size_t vector16(char* to, const char* from, std::size_t bytes, std::uint32_t word) noexcept {
  const __m128i pattern = _mm_set1_epi32(static_cast<int>(word));
  std::size_t done = 0;
  for (; bytes - done >= 16; done += 16) {
    const __m128i part = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + done));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + done), _mm_xor_si128(part, pattern));
  }
  return done;
}

__attribute__((target("avx2"))) std::size_t vector32(char* to, const char* from, std::size_t bytes,
                                                     std::uint32_t word) noexcept {
  const __m256i pattern = _mm256_set1_epi32(static_cast<int>(word));
  std::size_t done = 0;
  for (; bytes - done >= 32; done += 32) {
    const __m256i part = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + done));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + done), _mm256_xor_si256(part, pattern));
  }
  return done;
}

bool has_vector32() noexcept {
  return __builtin_cpu_supports("avx2") != 0;
}

#else

#if defined(__aarch64__)
std::size_t vector16(char* to, const char* from, std::size_t bytes, std::uint32_t word) noexcept {
  const uint8x16_t pattern = vreinterpretq_u8_u32(vdupq_n_u32(word));
  std::size_t done = 0;
  for (; bytes - done >= 16; done += 16) {
    const uint8x16_t part = vld1q_u8(reinterpret_cast<const std::uint8_t*>(from + done));
    vst1q_u8(reinterpret_cast<std::uint8_t*>(to + done), veorq_u8(part, pattern));
  }
  return done;
}
#else
std::size_t vector16(char* to, const char* from, std::size_t bytes, std::uint32_t word) noexcept {
  return portable(to, from, bytes & ~std::size_t{15}, word);
}
#endif

std::size_t vector32(char* to, const char* from, std::size_t bytes, std::uint32_t word) noexcept {
  return vector16(to, from, bytes & ~std::size_t{31}, word);
}

bool has_vector32() noexcept {
  return false;
}

#endif

}  // namespace mask

void mask_copy(char* to, const char* from, std::size_t bytes, const MaskKey& key,
               std::uint64_t offset) noexcept {
  // The key as it meets the first of these bytes. Whole steps leave it as it is.
  MaskKey turned;
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = key[(i + offset) % key.size()];
  std::uint32_t word = 0;
  std::memcpy(&word, turned.data(), sizeof word);

  // Below this many bytes the question costs more than the wider step gains.
  constexpr std::size_t kVector32BytesMin = 256;
  std::size_t done = 0;
  if (bytes >= kVector32BytesMin && mask::has_vector32()) {
    done = mask::vector32(to, from, bytes, word);
  }
  done += mask::vector16(to + done, from + done, bytes - done, word);
  done += mask::portable(to + done, from + done, bytes - done, word);
  for (; done < bytes; ++done) to[done] = static_cast<char>(from[done] ^ turned[done % 4]);
}

}  // namespace tercel::http
