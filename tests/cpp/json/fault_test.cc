#include "tercel/json/fault.h"

#include <gtest/gtest.h>

namespace tercel::json {
namespace {

TEST(FaultTest, EveryKindHasASentence) {
  for (int kind = 0; kind <= static_cast<int>(FaultKind::kNoMemory); ++kind) {
    const std::string_view text = describe(static_cast<FaultKind>(kind));
    ASSERT_FALSE(text.empty());
    EXPECT_NE(text.back(), '.');
  }
}

TEST(FaultTest, PositionsCountLinesAndBytes) {
  const std::string_view text = "{\n  \"a\": x\n}";
  EXPECT_EQ(find_position(text, 0), (Position{.line = 1, .column = 1}));
  EXPECT_EQ(find_position(text, 1), (Position{.line = 1, .column = 2}));
  EXPECT_EQ(find_position(text, 2), (Position{.line = 2, .column = 1}));
  EXPECT_EQ(find_position(text, 9), (Position{.line = 2, .column = 8}));
  EXPECT_EQ(find_position(text, text.size()), (Position{.line = 3, .column = 2}));
}

}  // namespace
}  // namespace tercel::json
