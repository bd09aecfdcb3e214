#include "tercel/json/structural_index.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::json {
namespace {

std::vector<std::uint32_t> offsets(StructuralIndex& index, std::string_view text) {
  EXPECT_EQ(index.build(text), FaultKind::kNone) << text;
  return {index.offsets().begin(), index.offsets().end()};
}

TEST(StructuralIndexTest, ListsTokensAndTheLength) {
  StructuralIndex index;
  EXPECT_EQ(offsets(index, R"({"a": [1, "b\"]"]} )"),
            (std::vector<std::uint32_t>{0, 1, 4, 6, 7, 8, 10, 16, 17, 19}));
  EXPECT_EQ(offsets(index, " 1"), (std::vector<std::uint32_t>{1, 2}));
}

TEST(StructuralIndexTest, SaysWhatNoTextMayHave) {
  StructuralIndex index;
  EXPECT_EQ(index.build(""), FaultKind::kEmpty);
  EXPECT_EQ(index.build(" \n"), FaultKind::kEmpty);
  EXPECT_EQ(index.build("\"a"), FaultKind::kOpenString);
  EXPECT_EQ(index.build("\"\n\""), FaultKind::kControlInString);
  EXPECT_EQ(index.build("\"\xff\""), FaultKind::kNotUtf8);
  EXPECT_EQ(index.build("1"), FaultKind::kNone);
}

// The memory grows and goes back.
TEST(StructuralIndexTest, ServesLongTextsAfterShortOnes) {
  StructuralIndex index;
  std::string text = "[1";
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 5000; ++j) text += ",1";
    EXPECT_EQ(offsets(index, text + "]").size(), text.size() + 2);
    index.release_above(1000);
    EXPECT_EQ(offsets(index, "[]").size(), 3U);
  }
}

}  // namespace
}  // namespace tercel::json
