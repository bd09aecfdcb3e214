#include "tercel/codec/deflate.h"

#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace tercel::codec {
namespace {

std::string deflated(Deflater& deflater, std::string_view text, std::size_t room_bytes = 0) {
  std::string out;
  std::string room(room_bytes > 0 ? room_bytes : deflater.bound(text.size()), '\0');
  for (;;) {
    const Progress step = deflater.deflate(text, room);
    EXPECT_EQ(step.state, StreamState::kOk);
    out.append(room.data(), step.written);
    text.remove_prefix(step.read);
    if (text.empty() && step.written < room.size()) return out;
  }
}

// Empty: malformed.
std::optional<std::string> inflated(Inflater& inflater, std::string_view packed,
                                    std::size_t room_bytes = 100) {
  std::string out;
  std::string room(room_bytes, '\0');
  for (;;) {
    const Progress step = inflater.inflate(packed, room);
    if (step.state == StreamState::kBad) return std::nullopt;
    out.append(room.data(), step.written);
    packed.remove_prefix(step.read);
    if (packed.empty() && step.written < room.size()) return out;
  }
}

std::string noise(std::size_t bytes) {
  std::mt19937 random{42};  // NOLINT(cert-msc51-cpp): the same in every run.
  std::string text(bytes, '\0');
  std::ranges::generate(text, [&random] { return static_cast<char>(random()); });
  return text;
}

TEST(DeflateTest, ComesBackAsItWasForEveryLevelAndWindow) {
  const std::string texts[] = {"", "a", std::string(100'000, 'x'), noise(70'000)};
  for (int level = 1; level <= 9; ++level) {
    for (int bits = kWindowBitsMin; bits <= kWindowBitsMax; ++bits) {
      Deflater deflater;
      Inflater inflater;
      ASSERT_TRUE(deflater.open(level, bits));
      ASSERT_TRUE(inflater.open(bits));
      for (const std::string& text : texts) {
        ASSERT_EQ(inflated(inflater, deflated(deflater, text)), text) << level << ' ' << bits;
      }
    }
  }
}

TEST(DeflateTest, NeverWritesMoreThanItsBound) {
  for (const std::size_t bytes : {1U, 1000U, 16'384U, 65'536U, 300'000U}) {
    Deflater deflater;
    ASSERT_TRUE(deflater.open(1, 12));
    const std::size_t bound = deflater.bound(bytes);
    // The second finds a window that is full.
    for (int i = 0; i < 2; ++i) {
      const std::string packed = deflated(deflater, noise(bytes), bound + 1);
      EXPECT_LE(packed.size(), bound);
      EXPECT_TRUE(packed.ends_with(std::string_view{"\x00\x00\xff\xff", 4}));
    }
  }
}

TEST(DeflateTest, GoesOnInTheRoomThereIs) {
  Deflater deflater;
  Inflater inflater;
  ASSERT_TRUE(deflater.open(6, 15));
  ASSERT_TRUE(inflater.open(15));
  const std::string text = noise(5000) + std::string(5000, 'y');
  EXPECT_EQ(inflated(inflater, deflated(deflater, text, 7), 1), text);
}

// RFC 7692 section 7.2.3.4: a final block, and another message that refers to what was before it.
TEST(DeflateTest, GoesOnBehindAFinalBlockWithTheSameWindow) {
  Inflater inflater;
  ASSERT_TRUE(inflater.open(15));
  EXPECT_EQ(
      inflated(inflater, std::string_view{"\xf3\x48\xcd\xc9\xc9\x07\x00\x00\x00\x00\xff\xff", 12}),
      "Hello");
  inflater.begin();
  EXPECT_EQ(inflated(inflater, std::string_view{"\xf2\x00\x11\x00\x00\x00\x00\xff\xff", 9}),
            "Hello");
}

TEST(DeflateTest, RefusesManyFinalBlocksInAMessage) {
  Inflater inflater;
  ASSERT_TRUE(inflater.open(15));
  const std::string_view empty_final{"\x03\x00", 2};
  for (int i = 0; i < Inflater::kFinalBlocksMax; ++i) {
    ASSERT_EQ(inflated(inflater, empty_final), "") << i;
  }
  EXPECT_EQ(inflated(inflater, empty_final), std::nullopt);
}

TEST(DeflateTest, RefusesWhatIsNone) {
  Inflater inflater;
  ASSERT_TRUE(inflater.open(15));
  EXPECT_EQ(inflated(inflater, "\xff\xff\xff\xff"), std::nullopt);
}

// A bomb is the caller's to stop: what comes of it never exceeds the room.
TEST(DeflateTest, StopsWhereTheRoomEnds) {
  Deflater deflater;
  Inflater inflater;
  ASSERT_TRUE(deflater.open(9, 15));
  ASSERT_TRUE(inflater.open(15));
  const std::string packed = deflated(deflater, std::string(10'000'000, '\0'));
  EXPECT_LT(packed.size(), 20'000U);
  std::string room(1000, 'x');
  const Progress step = inflater.inflate(packed, room);
  EXPECT_EQ(step.written, room.size());
  EXPECT_LT(step.read, packed.size());
}

TEST(DeflateTest, GivesItsMemoryUpAndBeginsAnew) {
  Deflater deflater;
  Inflater inflater;
  EXPECT_FALSE(deflater.is_open());
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(deflater.open(1, 9));
    ASSERT_TRUE(inflater.open(9));
    EXPECT_EQ(inflated(inflater, deflated(deflater, "again")), "again");
    deflater.close();
    inflater.close();
    EXPECT_FALSE(deflater.is_open());
  }
}

TEST(DeflateTest, FailsForAWindowThatZlibHasNot) {
  EXPECT_EQ(Deflater{}.open(1, 16).error(), Errc::kSystem);
}

}  // namespace
}  // namespace tercel::codec
