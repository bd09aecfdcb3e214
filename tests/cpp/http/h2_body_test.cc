#include "tercel/http/h2_body.h"

#include <string>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

class H2BodyTest : public testing::Test {
 protected:
  BlockPool blocks_;
  Slab<H2BodyPart> parts_;
};

TEST_F(H2BodyTest, ComesOutAsItWentIn) {
  H2Body body{parts_};
  std::string all;
  std::string got;
  for (int i = 0; i < 300; ++i) {
    const std::string part(static_cast<std::size_t>(i * 7 % 5000), static_cast<char>('a' + i % 26));
    all += part;
    ASSERT_TRUE(body.append(part, blocks_));
    if (i % 5 == 0) got += body.take();
  }
  while (body.bytes() > 0) got += body.take();
  EXPECT_EQ(got, all);
  EXPECT_EQ(body.take(), "");
  EXPECT_EQ(blocks_.outstanding(), 0U);
}

TEST_F(H2BodyTest, WhatWasTakenStaysAsItIsWhileMoreArrives) {
  H2Body body{parts_};
  ASSERT_TRUE(body.append("first", blocks_));
  const std::string_view taken = body.take();
  ASSERT_TRUE(body.append("second", blocks_));
  EXPECT_EQ(taken, "first");
  EXPECT_EQ(body.take(), "second");
}

TEST_F(H2BodyTest, ManyTinyPartsTakeFewBlocks) {
  H2Body body{parts_};
  for (int i = 0; i < 60'000; ++i) ASSERT_TRUE(body.append("x", blocks_));
  EXPECT_LE(blocks_.outstanding(), 8U);
  body.clear();
  EXPECT_EQ(blocks_.outstanding(), 0U);
  EXPECT_EQ(body.bytes(), 0U);
}

}  // namespace
}  // namespace tercel::http
