#include "tercel/s3/signing_key.h"

#include <algorithm>
#include <list>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

constexpr std::string_view kDate = "20130524";

SigningKeyId id(std::uint64_t secret, std::string_view region = "us-east-1") {
  return {.secret = secret, .date = kDate, .region = region};
}
SigningKey key(std::uint64_t secret) {
  return SigningKey{std::to_string(secret), kDate, "us-east-1"};
}
bool same(const SigningKey* a, const SigningKey& b) {
  return a != nullptr && a->hmac().sign("text") == b.hmac().sign("text");
}

// The key that the documents of AWS derive for this secret and day.
TEST(SigningKeyTest, IsTheChainOfFourHmacs) {
  const Sha256Digest derived = {0xdb, 0xb8, 0x93, 0xac, 0xc0, 0x10, 0x96, 0x49, 0x18, 0xf1, 0xfd,
                                0x43, 0x3a, 0xdd, 0x87, 0xc7, 0x0e, 0x8b, 0x0d, 0xb6, 0xbe, 0x30,
                                0xc1, 0xfb, 0xea, 0xfe, 0xfa, 0x5e, 0xc6, 0xba, 0x83, 0x78};
  const SigningKey signing{"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", kDate, "us-east-1"};
  EXPECT_EQ(signing.hmac().sign("text"), HmacKey{view(derived)}.sign("text"));
}

TEST(SigningKeyTest, SecretMayBeLongerThanABlockAndEmpty) {
  const std::string secret(100, 's');
  const SigningKey lengthy{secret, kDate, "r"};
  EXPECT_FALSE(same(&lengthy, SigningKey{secret + "s", kDate, "r"}));
  EXPECT_FALSE(same(&lengthy, SigningKey{"", kDate, "r"}));
}

TEST(SigningKeyCacheTest, EveryPartOfTheIdCounts) {
  SigningKeyCache cache{16};
  cache.insert(id(1), key(1));
  EXPECT_TRUE(same(cache.find(id(1)), key(1)));
  EXPECT_EQ(cache.find(id(2)), nullptr);
  EXPECT_EQ(cache.find(id(1, "us-east-2")), nullptr);
  EXPECT_EQ(cache.find(id(1, "us-east-")), nullptr);
  EXPECT_EQ(cache.find(id(1, std::string_view{"us-east-1\0", 10})), nullptr);
  SigningKeyId other = id(1);
  other.date = "20130525";
  EXPECT_EQ(cache.find(other), nullptr);
}

TEST(SigningKeyCacheTest, InsertReplacesTheKeyOfThatId) {
  SigningKeyCache cache{2};
  cache.insert(id(1), key(1));
  cache.insert(id(1), key(7));
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_TRUE(same(cache.find(id(1)), key(7)));
}

TEST(SigningKeyCacheTest, ForgetsWhatWasNotUsedForLongest) {
  SigningKeyCache cache{3};
  for (std::uint64_t secret : {1, 2, 3}) cache.insert(id(secret), key(secret));
  EXPECT_NE(cache.find(id(1)), nullptr);
  cache.insert(id(4), key(4));
  EXPECT_EQ(cache.find(id(2)), nullptr);
  for (std::uint64_t secret : {1, 3, 4}) EXPECT_TRUE(same(cache.find(id(secret)), key(secret)));
}

// Against a list that is walked: each step must find what the list has, and nothing else.
TEST(SigningKeyCacheTest, AgreesWithAListOfTheLastUsed) {
  std::mt19937 random{6};
  for (const std::size_t most : {1U, 2U, 5U, 8U}) {
    SigningKeyCache cache{most, KeyedHash{1, 2}};
    std::list<std::uint64_t> list;
    std::vector<SigningKey> keys;
    for (std::uint64_t secret = 0; secret < 12; ++secret) keys.push_back(key(secret));
    for (int step = 0; step < 4000; ++step) {
      const std::uint64_t secret = random() % 12;
      const bool known = std::find(list.begin(), list.end(), secret) != list.end();
      if (random() % 2 == 0) {
        const SigningKey* const found = cache.find(id(secret));
        ASSERT_EQ(found != nullptr, known);
        if (!known) continue;
        ASSERT_TRUE(same(found, keys[secret]));
      } else {
        cache.insert(id(secret), keys[secret]);
      }
      list.remove(secret);
      list.push_front(secret);
      if (list.size() > most) list.pop_back();
      ASSERT_EQ(cache.size(), list.size());
    }
  }
}

}  // namespace
}  // namespace tercel::s3
