#include "tercel/s3/crc.h"

#include <array>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

constexpr std::array kAll{Crc::kCrc32, Crc::kCrc32c, Crc::kCrc64Nvme};

// One bit at a time, as the definition of each says: polynomial, and width.
std::uint64_t by_bits(Crc kind, std::string_view bytes) {
  const std::uint64_t polynomial = kind == Crc::kCrc32    ? 0xedb88320
                                   : kind == Crc::kCrc32c ? 0x82f63b78
                                                          : 0x9a6c9329ac4bc9b5;
  const std::uint64_t ones = kind == Crc::kCrc64Nvme ? UINT64_MAX : UINT32_MAX;
  std::uint64_t crc = ones;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
  }
  return crc ^ ones;
}

std::string random_bytes(std::size_t size, unsigned seed) {
  std::minstd_rand random{seed};
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random() >> 8);
  return bytes;
}

// The check values of the catalogue of parametrised CRC algorithms.
TEST(CrcTest, KnowsTheCheckValues) {
  EXPECT_EQ(update_crc(Crc::kCrc32, 0, "123456789"), 0xcbf43926U);
  EXPECT_EQ(update_crc(Crc::kCrc32c, 0, "123456789"), 0xe3069283U);
  EXPECT_EQ(update_crc(Crc::kCrc64Nvme, 0, "123456789"), 0xae8b14860a799888U);
  for (const Crc kind : kAll) EXPECT_EQ(update_crc(kind, 0, ""), 0U);
}

// RFC 3720 section B.4; the NVM command set specification, 5.2.1.3.4: 4 KiB of zeros, and of ones.
TEST(CrcTest, KnowsThePublishedVectors) {
  EXPECT_EQ(update_crc(Crc::kCrc32c, 0, std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(update_crc(Crc::kCrc32c, 0, std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(update_crc(Crc::kCrc64Nvme, 0, std::string(4096, '\0')), 0x6482d367eb22b64eU);
  EXPECT_EQ(update_crc(Crc::kCrc64Nvme, 0, std::string(4096, '\xff')), 0xc0ddba7302eca3acU);
}

TEST(CrcTest, EnginesAgreeOnEverySize) {
  for (std::size_t size = 0; size < 700; ++size) {
    const std::string bytes = random_bytes(size, static_cast<unsigned>(size) + 1);
    for (const Crc kind : kAll) {
      const std::uint64_t expected = by_bits(kind, bytes);
      EXPECT_EQ(update_crc(kind, 0, bytes), expected) << size;
      EXPECT_EQ(update_crc_by_tables_for_test(kind, 0, bytes), expected) << size;
    }
  }
}

TEST(CrcTest, PiecesMakeTheWhole) {
  const std::string bytes = random_bytes(1000, 7);
  const std::string_view all{bytes};
  for (const Crc kind : kAll) {
    const std::uint64_t expected = by_bits(kind, all);
    for (std::size_t cut = 0; cut <= all.size(); ++cut) {
      const std::uint64_t first = update_crc(kind, 0, all.substr(0, cut));
      ASSERT_EQ(update_crc(kind, first, all.substr(cut)), expected) << cut;
    }
    std::uint64_t crc = 0;
    for (const char& c : all) crc = update_crc(kind, crc, {&c, 1});
    EXPECT_EQ(crc, expected);
  }
}

}  // namespace
}  // namespace tercel::s3
