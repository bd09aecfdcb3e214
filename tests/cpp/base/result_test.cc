#include "tercel/base/result.h"

#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tercel {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return fail(Errc::kNotANumber);
  return value / 2;
}

TEST(ResultTest, HoldsAValueOrTheReasonWhyNot) {
  EXPECT_TRUE(half(4));
  EXPECT_EQ(*half(4), 2);
  EXPECT_FALSE(half(3));
  EXPECT_EQ(half(3).error(), Errc::kNotANumber);
}

TEST(ResultTest, MayHoldWhatOnlyMoves) {
  Result<std::unique_ptr<int>> result{std::make_unique<int>(5)};
  ASSERT_TRUE(result);
  const std::unique_ptr<int> value = *std::move(result);
  EXPECT_EQ(*value, 5);
}

TEST(ResultTest, OfVoidIsSuccessByDefault) {
  EXPECT_TRUE(Result<void>{});
  const Result<void> failed = fail(Errc::kSystem);
  EXPECT_FALSE(failed);
  EXPECT_EQ(failed.error(), Errc::kSystem);
}

void check_row(const ErrorInfo& row, std::string_view enumerator) {
  EXPECT_EQ("k" + std::string(row.name), enumerator);
  EXPECT_TRUE(row.http_status == 0 || (row.http_status >= 400 && row.http_status < 600));
  if (row.http_status >= 500 && row.blame == Blame::kClient) {
    EXPECT_TRUE(row.http_status == 501 || row.http_status == 505) << row.name;
  }
  EXPECT_FALSE(row.text.empty() || row.text.ends_with('.')) << row.name;
}

// The client is told of 4xx, 501 and 505; every other 5xx is not its fault.
TEST(ErrcTest, EveryRowIsWellFormed) {
#define TERCEL_CHECK(enumerator, ...) check_row(info(Errc::enumerator), #enumerator);
  TERCEL_ERRORS(TERCEL_CHECK)
#undef TERCEL_CHECK
}

}  // namespace
}  // namespace tercel
