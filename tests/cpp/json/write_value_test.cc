#include "tercel/json/write_value.h"

#include <string_view>

#include <gtest/gtest.h>

#include "json/parsed.h"

namespace tercel::json {
namespace {

TEST(WriteValueTest, WritesEachKindAsItWasRead) {
  for (const std::string_view text :
       {"null", "true", "false", "-1", "18446744073709551615", "123456789012345678901234567890",
        "1.5", "1e999", R"("a\"\u0001")", "[]", "{}", R"([1,[],{"a":[2.0,null]},"b"])"}) {
    EXPECT_EQ(to_text(*Parsed{text}), text);
  }
}

}  // namespace
}  // namespace tercel::json
