#include "tercel/http/cookies.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Read {
  Pairs pairs;
  std::optional<Errc> error;
  bool operator==(const Read&) const = default;
};

Read read(std::span<const Field> fields, std::size_t cookies_max = kCookiesMax) {
  Cookies cookies{fields, cookies_max};
  Cookie cookie;
  Read read;
  for (;;) {
    const Result<bool> more = cookies.next(cookie);
    if (!more) read.error = more.error();
    if (!more || !*more) return read;
    const std::string_view quote = cookie.quoted ? "\"" : "";
    read.pairs.emplace_back(cookie.name, std::string{quote}.append(cookie.value).append(quote));
  }
}

Pairs pairs_of(std::string_view value) {
  const std::vector<Field> fields{{"host", "a"}, {"cookie", value}};
  const Read all = read(fields);
  EXPECT_EQ(all.error, std::nullopt) << value;
  return all.pairs;
}

TEST(CookiesTest, AreCutAtSemicolonsAndAtTheFirstEqualsSign) {
  EXPECT_EQ(pairs_of(""), Pairs{});
  EXPECT_EQ(pairs_of("a=1"), (Pairs{{"a", "1"}}));
  EXPECT_EQ(pairs_of("a=1; b=2; a=3"), (Pairs{{"a", "1"}, {"b", "2"}, {"a", "3"}}));
  EXPECT_EQ(pairs_of("a=b=c=="), (Pairs{{"a", "b=c=="}}));
  EXPECT_EQ(pairs_of("a=; A=x"), (Pairs{{"a", ""}, {"A", "x"}}));
}

TEST(CookiesTest, AreTakenAsBrowsersSendThem) {
  EXPECT_EQ(pairs_of("a=1;b=2;;;\tc = 3 ;"), (Pairs{{"a", "1"}, {"b", "2"}, {"c", "3"}}));
  EXPECT_EQ(pairs_of("a=x y,z/\\{}; [b]=\xc3\xbc\xff"),
            (Pairs{{"a", "x y,z/\\{}"}, {"[b]", "\xc3\xbc\xff"}}));
  EXPECT_EQ(pairs_of("a=1, b=2"), (Pairs{{"a", "1, b=2"}}));
}

TEST(CookiesTest, WithoutANameAreSkipped) {
  EXPECT_EQ(pairs_of("lonely; =nameless; a=1; =; \t = x; ==b"), (Pairs{{"a", "1"}}));
}

TEST(CookiesTest, LoseOnePairOfQuotesAndNothingElse) {
  EXPECT_EQ(pairs_of("a=\"b\"; c=\"\"; d=\"\"e\"\""),
            (Pairs{{"a", "\"b\""}, {"c", "\"\""}, {"d", "\"\"e\"\""}}));
  const std::vector<Field> fields{{"cookie", "a=\"b\"; c=\"; d=\"x; e=\"\\054\""}};
  Cookies cookies{fields};
  Cookie cookie;
  ASSERT_TRUE(*cookies.next(cookie));
  EXPECT_EQ(cookie.value, "b");
  EXPECT_TRUE(cookie.quoted);
  ASSERT_TRUE(*cookies.next(cookie));
  EXPECT_EQ(cookie.value, "\"");
  EXPECT_FALSE(cookie.quoted);
  ASSERT_TRUE(*cookies.next(cookie));
  EXPECT_EQ(cookie.value, "\"x");
  ASSERT_TRUE(*cookies.next(cookie));
  EXPECT_EQ(cookie.value, "\\054");
}

// A quoted value is no hiding place: a browser that stored these two would send them so.
TEST(CookiesTest, EndAtASemicolonWithinQuotes) {
  EXPECT_EQ(pairs_of("a=\"1; session=mine\"; b=2"),
            (Pairs{{"a", "\"1"}, {"session", "mine\""}, {"b", "2"}}));
}

TEST(CookiesTest, ComeFromEveryFieldInOrder) {
  const std::vector<Field> fields{
      {"cookie", "a=1"}, {"x-cookie", "b=2"}, {"cookie", ""}, {"cookie", "c=3; a=4"}};
  EXPECT_EQ(read(fields).pairs, (Pairs{{"a", "1"}, {"c", "3"}, {"a", "4"}}));
  EXPECT_EQ(read({}).pairs, Pairs{});
}

TEST(CookiesTest, AreCountedNamelessOnesToo) {
  const std::vector<Field> fields{{"cookie", "a=1; x;; b=2"}, {"cookie", "c=3"}};
  EXPECT_EQ(read(fields, 4), (Read{{{"a", "1"}, {"b", "2"}, {"c", "3"}}, {}}));
  EXPECT_EQ(read(fields, 3), (Read{{{"a", "1"}, {"b", "2"}}, Errc::kTooManyCookies}));
}

TEST(FindCookieTest, GivesTheFirstOfItsName) {
  const std::vector<Field> fields{{"cookie", "b=0; a=1; a=2"}, {"cookie", "a=3; c=\"4\"; Q=5"}};
  EXPECT_EQ((*find_cookie(fields, "a"))->value, "1");
  EXPECT_EQ((*find_cookie(fields, "c"))->value, "4");
  EXPECT_FALSE(*find_cookie(fields, "A"));
  EXPECT_FALSE(*find_cookie(fields, "q"));
  EXPECT_FALSE(*find_cookie(fields, ""));
}

TEST(FindCookieTest, FailsBehindTheLimit) {
  std::string many;
  for (std::size_t i = 0; i < kCookiesMax; ++i) many += "x=1;";
  const std::string more = many + "a=2";
  EXPECT_EQ(find_cookie(std::vector<Field>{{"cookie", more}}, "a").error(), Errc::kTooManyCookies);
  EXPECT_FALSE(*find_cookie(std::vector<Field>{{"cookie", many}}, "a"));
}

// More than a head can hold. Quadratic work would take an hour.
TEST(CookiesTest, AreReadInLinearTime) {
  constexpr std::size_t kBytes = 1024 * 1024;
  for (const std::string_view piece :
       {";", "=", " ", "\"", "a=", "a;", "a=1;", "\";", " = ;", "; "}) {
    std::string text;
    while (text.size() < kBytes) text += piece;
    const std::vector<Field> fields{{"cookie", text}};
    const Read all = read(fields, kBytes);
    ASSERT_EQ(all.error, std::nullopt);
    ASSERT_LE(all.pairs.size(), kBytes);
  }
}

}  // namespace
}  // namespace tercel::http
