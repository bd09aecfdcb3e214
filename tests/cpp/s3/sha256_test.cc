#include "tercel/s3/sha256.h"

#include <cstring>
#include <new>
#include <string>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

std::string hex(const Sha256Digest& digest) {
  return std::string{view(to_hex(digest))};
}

TEST(Sha256Test, DigestsAreThoseOfFips180) {
  EXPECT_EQ(hex(sha256("")), kEmptySha256Hex);
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256Test, EverySplitGivesTheSameDigest) {
  std::string text;
  for (int i = 0; i < 150; ++i) text += static_cast<char>(i);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Sha256 hash;
    hash.update(std::string_view{text}.substr(0, cut));
    Sha256 copy = hash;
    copy.update(std::string_view{text}.substr(cut));
    ASSERT_EQ(copy.finish(), sha256(text)) << cut;
  }
}

// RFC 4231, cases 1, 2 and 6: a short key, a shorter one, and one longer than a block.
TEST(HmacKeyTest, CodesAreThoseOfRfc4231) {
  EXPECT_EQ(hex(HmacKey{std::string(20, '\x0b')}.sign("Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(HmacKey{"Jefe"}.sign("what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(HmacKey{std::string(131, '\xaa')}.sign(
                "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

// Only a key that is longer than a block is hashed. The answers are Python's.
TEST(HmacKeyTest, KeyOfOneBlockIsNotHashed) {
  EXPECT_EQ(hex(HmacKey{std::string(64, 'k')}.sign("text")),
            "0414bb1d8c0c4556cdb2028727b16610ae377b1a194b6db1f853d4297f2329bc");
  EXPECT_EQ(hex(HmacKey{std::string(65, 'k')}.sign("text")),
            "5b69580123e3d7e788b7e8352ac37a3247b911c5ec0837147b74109a6382d3f5");
}

TEST(HmacKeyTest, KeyOfTwoPartsIsTheKeyOfBoth) {
  for (const std::size_t bytes : {1U, 63U, 64U, 65U, 200U}) {
    const std::string key(bytes, 'k');
    for (std::size_t cut = 0; cut <= bytes; ++cut) {
      const HmacKey parts{std::string_view{key}.substr(0, cut), std::string_view{key}.substr(cut)};
      ASSERT_EQ(parts.sign("text"), HmacKey{key}.sign("text")) << bytes << ' ' << cut;
    }
  }
}

TEST(HmacKeyTest, IsUsedAsOftenAsWanted) {
  const HmacKey key{"key"};
  Sha256 one = key.begin();
  one.update("te");
  Sha256 two = key.begin();
  two.update("other");
  one.update("xt");
  EXPECT_EQ(key.finish(one), key.sign("text"));
  EXPECT_EQ(key.finish(two), key.sign("other"));
}

TEST(HmacKeyTest, IsWipedWhenItGoes) {
  alignas(HmacKey) unsigned char memory[sizeof(HmacKey)];
  HmacKey* key = new (memory) HmacKey{"secret"};
  key->~HmacKey();
  // Through a copy that the compiler knows nothing about.
  const unsigned char* volatile bytes = memory;
  for (std::size_t i = 0; i < sizeof memory; ++i) ASSERT_EQ(bytes[i], 0) << i;
}

TEST(HmacKeyTest, StateThatKnewTheKeyIsWiped) {
  const HmacKey key{"secret"};
  Sha256 state = key.begin();
  (void)key.finish(state);
  unsigned char bytes[sizeof state];
  std::memcpy(bytes, &state, sizeof state);
  for (const unsigned char byte : bytes) ASSERT_EQ(byte, 0);
}

TEST(HexDigestTest, IsSixtyFourDigitsInLowerCase) {
  EXPECT_TRUE(is_hex_digest(kEmptySha256Hex));
  EXPECT_FALSE(is_hex_digest(kEmptySha256Hex.substr(1)));
  EXPECT_FALSE(is_hex_digest(std::string{kEmptySha256Hex} + "0"));
  for (int c = 0; c < 256; ++c) {
    std::string text{kEmptySha256Hex};
    text[63] = static_cast<char>(c);
    EXPECT_EQ(is_hex_digest(text), (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) << c;
  }
}

TEST(EqualConstantTimeTest, OneBitAnywhereMakesADifference) {
  const std::string text{kEmptySha256Hex};
  EXPECT_TRUE(equal_constant_time(text, text));
  EXPECT_TRUE(equal_constant_time("", ""));
  EXPECT_FALSE(equal_constant_time(text, text.substr(1)));
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{13}, text.size()}) {
    const std::string_view part = std::string_view{text}.substr(0, size);
    EXPECT_TRUE(equal_constant_time(part, std::string{part}));
    for (std::size_t i = 0; i < size; ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string other{part};
        other[i] = static_cast<char>(other[i] ^ (1 << bit));
        ASSERT_FALSE(equal_constant_time(part, other)) << size << ' ' << i << ' ' << bit;
      }
    }
  }
}

}  // namespace
}  // namespace tercel::s3
