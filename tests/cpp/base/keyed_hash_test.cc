#include "tercel/base/keyed_hash.h"

#include <gtest/gtest.h>

namespace tercel {
namespace {

constexpr KeyedHash kHash{0x0706050403020100, 0x0f0e0d0c0b0a0908};

// Made with `openssl mac -macopt size:8 -macopt c-rounds:1 -macopt d-rounds:3 SIPHASH`.
TEST(KeyedHashTest, AgreesWithOpenssl) {
  EXPECT_EQ(kHash(0), 0x5cb96f6ba2a4fcfcU);
  EXPECT_EQ(kHash(0x0706050403020100), 0x369095118d299a8eU);
  EXPECT_EQ(kHash(UINT64_MAX), 0x823f307311453347U);
}

TEST(KeyedHashTest, EveryKeyIsAnother) {
  EXPECT_NE(KeyedHash::random()(1), KeyedHash::random()(1));
  EXPECT_NE(KeyedHash(0, 1)(1), KeyedHash(1, 0)(1));
}

}  // namespace
}  // namespace tercel
