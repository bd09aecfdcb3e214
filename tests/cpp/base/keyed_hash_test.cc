#include "tercel/base/keyed_hash.h"

#include <set>
#include <string>

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

TEST(KeyedHashTest, HashesBytesOfEveryLength) {
  const std::string text = "abcdefghijklmnopqrstuvwxyz";
  EXPECT_EQ(kHash(text.substr(0, 0)), 0xabac0158050fc4dcU);
  EXPECT_EQ(kHash(text.substr(0, 1)), 0x1c2697ab786a6237U);
  EXPECT_EQ(kHash(text.substr(0, 7)), 0x639b490caba831bbU);
  EXPECT_EQ(kHash(text.substr(0, 9)), 0x7e02bfd36e3aa6a2U);
  EXPECT_EQ(kHash(text.substr(0, 8)), kHash(0x6867666564636261));
  std::set<std::uint64_t> seen;
  for (std::size_t size = 0; size <= text.size(); ++size) seen.insert(kHash(text.substr(0, size)));
  EXPECT_EQ(seen.size(), text.size() + 1);
}

TEST(KeyedHashTest, EveryKeyIsAnother) {
  EXPECT_NE(KeyedHash::random()(1), KeyedHash::random()(1));
  EXPECT_NE(KeyedHash(0, 1)(1), KeyedHash(1, 0)(1));
}

}  // namespace
}  // namespace tercel
