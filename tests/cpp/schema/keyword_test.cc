#include "tercel/schema/keyword.h"

#include <gtest/gtest.h>

namespace tercel::schema {
namespace {

TEST(KeywordTest, EveryKeywordIsFoundByItsName) {
  for (std::size_t i = 1; i < kKeywordCount; ++i) {
    const auto keyword = static_cast<Keyword>(i);
    EXPECT_EQ(find_keyword(info(keyword).name), keyword) << info(keyword).name;
    EXPECT_NE(info(keyword).drafts, 0U);
  }
  for (const std::string_view name : {"", "x", "Type", "types", "typ", "$", "\xff", "title"}) {
    EXPECT_EQ(find_keyword(name), Keyword::kNone) << name;
  }
}

}  // namespace
}  // namespace tercel::schema
