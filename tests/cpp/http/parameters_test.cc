#include "tercel/http/parameters.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "http/h1_input.h"

namespace tercel::http {
namespace {

// "name=value" and "name='value'" for a quoted one, and how it ended.
std::string read(std::string_view text) {
  ExactBytes bytes{text};
  Parameters parameters{{bytes.span().data(), text.size()}};
  Parameter parameter;
  std::string all;
  for (;;) {
    switch (parameters.next(parameter)) {
      case Parameters::Next::kEnd:
        return all + "end";
      case Parameters::Next::kBad:
        return all + "bad";
      case Parameters::Next::kParameter: {
        const std::string_view quote = parameter.quoted ? "'" : "";
        all.append(parameter.name).append("=").append(quote);
        all.append(parameter.value).append(quote).append(" ");
      }
    }
  }
}

TEST(ParametersTest, AreTokensAndQuotedStrings) {
  EXPECT_EQ(read(""), "end");
  EXPECT_EQ(read(";a=b"), "a=b end");
  EXPECT_EQ(read(" ; a=b;c=\"d e\" ;\tf=g "), "a=b c='d e' f=g end");
  EXPECT_EQ(read(";a=\"\";b="), "a='' b= end");
  EXPECT_EQ(read(";;; ;a=b;"), "a=b end");
  EXPECT_EQ(read(";a=\";b=c\";d=e"), "a=';b=c' d=e end");
  EXPECT_EQ(read(";a=\"\xc3\xbc\""), "a='\xc3\xbc' end");
}

TEST(ParametersTest, QuotesEndAtAQuoteThatIsNotEscaped) {
  EXPECT_EQ(read(R"(;a="b\"c";d=e)"), R"(a='b\"c' d=e end)");
  EXPECT_EQ(read(R"(;a="b\\";d=e)"), R"(a='b\\' d=e end)");
  EXPECT_EQ(read(R"(;a="b\)"), "bad");
  EXPECT_EQ(read(R"(;a="b\")"), "bad");
  EXPECT_EQ(read(R"(;a=")"), "bad");
}

TEST(ParametersTest, RefuseEverythingElse) {
  for (std::string_view bad :
       {"a=b", "x;a=b", ";a", ";=b", ";a =b", ";a= \"b\"", ";a=b c", ";a=\"b\"c", ";a=\"b\"\"c\"",
        ";a,b", ";a=b,c", ";\"a\"=b", ";\xc3=a"}) {
    EXPECT_TRUE(read(bad).ends_with("bad")) << bad << ": " << read(bad);
  }
}

// A mebibyte that never comes to its point. Quadratic work would take an hour.
TEST(ParametersTest, AreReadInLinearTime) {
  for (const std::string_view piece :
       {";", ";a=", ";a=\"", "\\\"", "\"", "\\", " ", "; ", ",", ",\"", "a"}) {
    std::string text = ";a=\"";
    while (text.size() < 1024 * 1024) text += piece;
    EXPECT_GE(read(text).size(), 3U);
    EXPECT_GE(read(std::string_view{text}.substr(4)).size(), 3U);
    std::size_t elements = 0;
    for (std::string_view rest = std::string_view{text}.substr(4); !rest.empty(); ++elements) {
      (void)next_list_element(rest);
    }
    EXPECT_LE(elements, text.size());
  }
}

TEST(UnescapeTest, TakesBackslashesAway) {
  const auto both = [](std::string text) {
    std::string other = text;
    std::string all{unescape(text, text, Backslash::kEscapesAll)};  // In place.
    return all + '|' + std::string{unescape(other, other, Backslash::kEscapesQuoteAndItself)};
  };
  EXPECT_EQ(both(""), "|");
  EXPECT_EQ(both("a b"), "a b|a b");
  EXPECT_EQ(both(R"(\"a\\b\")"), R"("a\b"|"a\b")");
  EXPECT_EQ(both(R"(C:\dir\file)"), R"(C:dirfile|C:\dir\file)");
  EXPECT_EQ(both(R"(\\\\)"), R"(\\|\\)");
  EXPECT_EQ(both("a\\"), "a\\|a\\");
}

TEST(ValueIsTest, ComparesWhatTheValueStandsFor) {
  EXPECT_TRUE(value_is({"charset", "UTF-8", false}, "utf-8"));
  EXPECT_TRUE(value_is({"charset", "utf-8", true}, "utf-8"));
  EXPECT_TRUE(value_is({"charset", R"(u\tf\-8)", true}, "utf-8"));
  EXPECT_FALSE(value_is({"charset", R"(u\tf-8)", false}, "utf-8"));
  EXPECT_FALSE(value_is({"charset", "utf-", true}, "utf-8"));
  EXPECT_FALSE(value_is({"charset", "utf-88", true}, "utf-8"));
  EXPECT_FALSE(value_is({"charset", "\\", true}, ""));
  EXPECT_TRUE(value_is({"charset", "", true}, ""));
}

TEST(NextListElementTest, CutsAtCommasOutsideOfQuotes) {
  const auto elements = [](std::string_view text) {
    std::vector<std::string> all;
    while (!text.empty()) all.emplace_back(next_list_element(text));
    return all;
  };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(elements("a, b ,c"), (Texts{"a", "b", "c"}));
  EXPECT_EQ(elements(",a,,"), (Texts{"", "a", ""}));
  EXPECT_EQ(elements(R"(a="b,c",d)"), (Texts{R"(a="b,c")", "d"}));
  EXPECT_EQ(elements(R"(a="b\",c",d="e","f,g")"), (Texts{R"(a="b\",c")", R"(d="e")", R"("f,g")"}));
  EXPECT_EQ(elements(R"(a,"b,c)"), (Texts{"a", R"("b,c)"}));
  EXPECT_EQ(elements(R"(a,"b\)"), (Texts{"a", R"("b\)"}));
}

}  // namespace
}  // namespace tercel::http
