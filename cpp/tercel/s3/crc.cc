#include "tercel/s3/crc.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tercel::s3 {
namespace {

static_assert(std::endian::native == std::endian::little, "bytes are taken eight at a time");

// All three are reflected: the lowest bit of a byte, and of a check, is the highest power of x.
constexpr std::uint32_t kCrc32Polynomial = 0xedb88320;
constexpr std::uint32_t kCrc32cPolynomial = 0x82f63b78;
constexpr std::uint64_t kCrc64NvmePolynomial = 0x9a6c9329ac4bc9b5;

// One step: `value` times x, modulo the polynomial.
template <typename Word>
constexpr Word times_x(Word value, Word polynomial) noexcept {
  return static_cast<Word>((value >> 1) ^ ((value & 1) != 0 ? polynomial : 0));
}

// Row n: what a byte becomes with n more bytes of zero behind it.
template <typename Word>
using Tables = std::array<std::array<Word, 256>, 8>;

template <typename Word>
consteval Tables<Word> make_tables(Word polynomial) {
  Tables<Word> tables{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    Word value = static_cast<Word>(byte);
    for (int bit = 0; bit < 8; ++bit) value = times_x(value, polynomial);
    tables[0][byte] = value;
  }
  for (std::size_t row = 1; row < 8; ++row) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const Word before = tables[row - 1][byte];
      tables[row][byte] = static_cast<Word>((before >> 8) ^ tables[0][before & 255]);
    }
  }
  return tables;
}

constexpr Tables<std::uint32_t> kCrc32Tables = make_tables(kCrc32Polynomial);
constexpr Tables<std::uint32_t> kCrc32cTables = make_tables(kCrc32cPolynomial);
constexpr Tables<std::uint64_t> kCrc64NvmeTables = make_tables(kCrc64NvmePolynomial);

std::uint64_t load_word(const char* at) noexcept {
  std::uint64_t word{};
  std::memcpy(&word, at, sizeof word);
  return word;
}

template <typename Word>
std::uint64_t by_tables(const Tables<Word>& tables, std::uint64_t state,
                        std::string_view bytes) noexcept {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  for (; end - at >= 8; at += 8) {
    const std::uint64_t word = load_word(at) ^ state;
    state = 0;
    for (std::size_t i = 0; i < 8; ++i) state ^= tables[7 - i][word >> (8 * i) & 255];
  }
  for (; at != end; ++at) {
    state = (state >> 8) ^ tables[0][(state ^ static_cast<unsigned char>(*at)) & 255];
  }
  return state;
}

std::uint64_t by_tables(Crc kind, std::uint64_t state, std::string_view bytes) noexcept {
  switch (kind) {
    case Crc::kCrc32:
      return by_tables(kCrc32Tables, state, bytes);
    case Crc::kCrc32c:
      return by_tables(kCrc32cTables, state, bytes);
    case Crc::kCrc64Nvme:
      break;
  }
  return by_tables(kCrc64NvmeTables, state, bytes);
}

#if defined(__x86_64__)

// What moves 16 bytes ahead by a distance, congruent modulo the polynomial: the factor of the first
// eight bytes, which are the higher powers of x, and that of the last eight.
struct Factors {
  std::uint64_t first;
  std::uint64_t last;
};

struct Folds {
  Factors by_64_bytes;
  Factors by_16_bytes;
};

// x^n modulo the polynomial, with the highest power of x in bit 0 of 64.
template <typename Word>
consteval std::uint64_t power_of_x(unsigned n, Word polynomial) {
  constexpr unsigned kBits = 8 * sizeof(Word);
  Word value = Word{1} << (kBits - 1);
  for (unsigned i = 0; i < n; ++i) value = times_x(value, polynomial);
  return std::uint64_t{value} << (64 - kBits);
}

// The product of two reflected words lies one bit lower than a reflected double word has it: a
// factor of x, which the powers leave out.
template <typename Word>
consteval Folds make_folds(Word polynomial) {
  return {{power_of_x(512 + 64 - 1, polynomial), power_of_x(512 - 1, polynomial)},
          {power_of_x(128 + 64 - 1, polynomial), power_of_x(128 - 1, polynomial)}};
}

constexpr Folds kCrc32Folds = make_folds(kCrc32Polynomial);
constexpr Folds kCrc32cFolds = make_folds(kCrc32cPolynomial);
constexpr Folds kCrc64NvmeFolds = make_folds(kCrc64NvmePolynomial);

constexpr const Folds& folds_of(Crc kind) noexcept {
  switch (kind) {
    case Crc::kCrc32:
      return kCrc32Folds;
    case Crc::kCrc32c:
      return kCrc32cFolds;
    case Crc::kCrc64Nvme:
      break;
  }
  return kCrc64NvmeFolds;
}

#define TERCEL_WITH_PCLMUL [[gnu::target("pclmul,sse2")]]

TERCEL_WITH_PCLMUL inline __m128i load_block(const char* at) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

TERCEL_WITH_PCLMUL inline __m128i load_factors(const Factors& factors) noexcept {
  return _mm_set_epi64x(static_cast<std::int64_t>(factors.last),
                        static_cast<std::int64_t>(factors.first));
}

TERCEL_WITH_PCLMUL inline __m128i fold(__m128i block, __m128i factors, __m128i next) noexcept {
  const __m128i first = _mm_clmulepi64_si128(block, factors, 0x00);
  const __m128i last = _mm_clmulepi64_si128(block, factors, 0x11);
  return _mm_xor_si128(_mm_xor_si128(first, last), next);
}

constexpr std::size_t kFoldBytesMin = 128;  // Below, the tables are as fast.

// Folds all whole blocks of `bytes` into one, and takes them off. The check of that block is the
// check of what was taken. REQUIRES: bytes.size() >= 64.
TERCEL_WITH_PCLMUL std::array<char, 16> fold_blocks(const Folds& folds, std::uint64_t state,
                                                    std::string_view& bytes) noexcept {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  // Four at once: a multiplication takes longer than the time until the next can start.
  __m128i lanes[]{load_block(at), load_block(at + 16), load_block(at + 32), load_block(at + 48)};
  lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi64_si128(static_cast<std::int64_t>(state)));
  const __m128i far = load_factors(folds.by_64_bytes);
  for (at += 64; end - at >= 64; at += 64) {
    lanes[0] = fold(lanes[0], far, load_block(at));
    lanes[1] = fold(lanes[1], far, load_block(at + 16));
    lanes[2] = fold(lanes[2], far, load_block(at + 32));
    lanes[3] = fold(lanes[3], far, load_block(at + 48));
  }
  const __m128i near = load_factors(folds.by_16_bytes);
  __m128i all = fold(lanes[0], near, lanes[1]);
  all = fold(all, near, lanes[2]);
  all = fold(all, near, lanes[3]);
  for (; end - at >= 16; at += 16) all = fold(all, near, load_block(at));
  bytes.remove_prefix(static_cast<std::size_t>(at - bytes.data()));
  std::array<char, 16> block{};
  _mm_storeu_si128(reinterpret_cast<__m128i*>(block.data()), all);
  return block;
}

bool has_pclmul() noexcept {
  static const bool has = __builtin_cpu_supports("pclmul") != 0;
  return has;
}

#endif

// A check begins with all bits set, and ends inverted.
constexpr std::uint64_t inverted(Crc kind, std::uint64_t crc) noexcept {
  return crc ^ (kind == Crc::kCrc64Nvme ? UINT64_MAX : UINT32_MAX);
}

}  // namespace

std::uint64_t update_crc(Crc kind, std::uint64_t crc, std::string_view bytes) noexcept {
  std::uint64_t state = inverted(kind, crc);
#if defined(__x86_64__)
  if (bytes.size() >= kFoldBytesMin && has_pclmul()) {
    const std::array<char, 16> block = fold_blocks(folds_of(kind), state, bytes);
    state = by_tables(kind, 0, {block.data(), block.size()});
  }
#endif
  return inverted(kind, by_tables(kind, state, bytes));
}

std::uint64_t update_crc_by_tables_for_test(Crc kind, std::uint64_t crc,
                                            std::string_view bytes) noexcept {
  return inverted(kind, by_tables(kind, inverted(kind, crc), bytes));
}

}  // namespace tercel::s3
