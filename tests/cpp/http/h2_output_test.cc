#include "tercel/http/h2_output.h"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/memory_wire.h"

namespace tercel::http {
namespace {

// Keeps what it gets until it is told to drop it, in any order.
class KeepingWire final : public test::MemoryWire {
 public:
  void send(const Payload& payload) noexcept override {
    sent.append(payload.bytes);
    kept.push_back(payload);
  }
  void send(Block block, std::size_t bytes) noexcept override { sent.append(block.data(), bytes); }
  void drop(std::size_t index) { kept[index].release(kept[index].owner); }
  std::vector<Payload> kept;
};

int released;
void count(void*) noexcept {
  ++released;
}

TEST(H2OutputTest, AnOwnerOutlivesItsSlicesWhateverTheirOrder) {
  const std::string body(10'000, 'x');
  for (const bool forward : {true, false}) {
    released = 0;
    KeepingWire wire;
    Slab<H2Part> parts;
    H2Sender sender{wire};
    H2Output output{parts};
    ASSERT_TRUE(output.push(Payload::own(body, nullptr, &count), wire.blocks()));
    for (int i = 0; i < 3; ++i) output.cut(3000, sender);
    output.cut(1000, sender);  // The last is small, and copied.
    sender.flush();
    EXPECT_EQ(wire.sent, body);
    EXPECT_EQ(output.bytes(), 0U);
    ASSERT_EQ(wire.kept.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(released, 0);
      wire.drop(forward ? i : 2 - i);
    }
    EXPECT_EQ(released, 1);
    EXPECT_EQ(parts.alive(), 0U);
  }
}

TEST(H2OutputTest, WhatIsNotSentIsReleasedOnceItsSlicesAre) {
  released = 0;
  const std::string body(10'000, 'x');
  KeepingWire wire;
  Slab<H2Part> parts;
  H2Sender sender{wire};
  H2Output output{parts};
  ASSERT_TRUE(output.push(Payload::own(body, nullptr, &count), wire.blocks()));
  output.cut(3000, sender);
  output.clear();
  EXPECT_EQ(released, 0);
  wire.drop(0);
  EXPECT_EQ(released, 1);
}

TEST(H2OutputTest, SmallBorrowedPartsShareABlock) {
  KeepingWire wire;
  Slab<H2Part> parts;
  H2Sender sender{wire};
  H2Output output{parts};
  for (const char* text : {"a", "bc", "def"}) {
    ASSERT_TRUE(output.push(Payload::borrow(text), wire.blocks()));
  }
  EXPECT_EQ(parts.alive(), 1U);
  output.cut(2, sender);
  ASSERT_TRUE(output.push(Payload::borrow("g"), wire.blocks()));
  output.cut(5, sender);
  sender.flush();
  EXPECT_EQ(wire.sent, "abcdefg");
  EXPECT_EQ(parts.alive(), 0U);
}

TEST(H2OutputTest, FilesAreCutByTheirOffsets) {
  released = 0;
  test::MemoryWire wire;
  Slab<H2Part> parts;
  H2Sender sender{wire};
  H2Output output{parts};
  ASSERT_TRUE(output.push(FileRange{3, 10, 100, nullptr, &count}));
  sender.copy("head");
  output.cut(60, sender);
  EXPECT_EQ(released, 0);
  output.cut(40, sender);
  EXPECT_EQ(wire.sent, "head<file:10+60><file:70+40>");
  EXPECT_EQ(released, 1);
}

}  // namespace
}  // namespace tercel::http
