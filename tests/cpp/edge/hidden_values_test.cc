#include "tercel/edge/hidden_values.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tercel::edge {
namespace {

constexpr std::string_view kNames[] = {"X-Amz-Signature", "X-Amz-Security-Token"};

std::string hidden(std::string text) {
  text.resize(hide_values(text, kNames));
  return text;
}

TEST(HiddenValuesTest, ValuesOfTheNamesAreStars) {
  EXPECT_EQ(hidden("GET /a?X-Amz-Expires=60&X-Amz-Signature=0123456789&b=c HTTP/1.1"),
            "GET /a?X-Amz-Expires=60&X-Amz-Signature=***&b=c HTTP/1.1");
  EXPECT_EQ(hidden("?X-Amz-Security-Token=a%2Fb=="), "?X-Amz-Security-Token=***");
  EXPECT_EQ(hidden("/a?X-Amz-Signature=1234&X-Amz-Signature=5678"),
            "/a?X-Amz-Signature=***&X-Amz-Signature=***");
}

TEST(HiddenValuesTest, WhateverTheNameIsWrittenLike) {
  EXPECT_EQ(hidden("/a?x-amz-signature=1234"), "/a?x-amz-signature=***");
  EXPECT_EQ(hidden("/a?X-Amz%2DSignatur%65=1234"), "/a?X-Amz%2DSignatur%65=***");
  EXPECT_EQ(hidden("/a?b?c&X-Amz-Signature=12?34&d"), "/a?b?c&X-Amz-Signature=***&d");
}

TEST(HiddenValuesTest, OtherTextsStayAsTheyAre) {
  for (const char* text :
       {"", "/", "-", "GET /X-Amz-Signature=1234 HTTP/1.1", "/a?", "/a?&&=&", "/a?X-Amz-Signature",
        "/a?X-Amz-Signature2=1234", "/a?X-Amz-Signatur=1234", "/a?%", "/a?%2", "/a?b=c&%zz=%",
        "GET /a HTTP/1.1?X-Amz-Signature", "/a?b=X-Amz-Signature=1234"}) {
    EXPECT_EQ(hidden(text), text);
  }
}

// A text that is cut has a part of a value, and never more bytes than before.
TEST(HiddenValuesTest, CutAnywhereNothingIsShown) {
  const std::string text = "GET /a?X-Amz-Security-Token=ttttttt&X-Amz-Signature=sssssss HTTP/1.1";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::string shown = hidden(text.substr(0, size));
    EXPECT_LE(shown.size(), size);
    EXPECT_EQ(shown.find("=t"), std::string::npos) << shown;
    EXPECT_EQ(shown.find("=s"), std::string::npos) << shown;
    const std::size_t stars = shown.find('*');
    EXPECT_TRUE(text.starts_with(shown.substr(0, stars))) << shown;
  }
}

}  // namespace
}  // namespace tercel::edge
