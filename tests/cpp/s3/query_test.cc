#include "tercel/s3/query.h"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

std::string canonical(std::string_view text, Query::Without without = Query::Without::kNothing) {
  Query query;
  EXPECT_FALSE(query.parse(text)) << text;
  std::string out;
  query.write_canonical(without, out);
  return out;
}

TEST(S3QueryTest, PiecesAreCutAtAmpersandAndFirstEquals) {
  EXPECT_EQ(canonical(""), "");
  EXPECT_EQ(canonical("uploads"), "uploads=");
  EXPECT_EQ(canonical("&a&&b=&"), "a=&b=");
  EXPECT_EQ(canonical("a=b=c"), "a=b%3Dc");
  EXPECT_EQ(canonical("=v"), "=v");
}

TEST(S3QueryTest, IsSortedByNameThenValueAndNotByTheJoinedText) {
  EXPECT_EQ(canonical("part-number-marker=1&part=2"), "part=2&part-number-marker=1");
  EXPECT_EQ(canonical("a=2&a=10&A=3"), "A=3&a=10&a=2");
  EXPECT_EQ(canonical("b=1&a%2Fz=1&a=1&a0=1"), "a=1&a%2Fz=1&a0=1&b=1");
  // '%' comes before every letter, whatever it stands for.
  EXPECT_EQ(canonical("aa=1&a%C3%A4=1&a!=1"), "a%21=1&a%C3%A4=1&aa=1");
}

TEST(S3QueryTest, PlusIsASpaceAndIsSentOnAsOne) {
  EXPECT_EQ(canonical("prefix=a+b%2B"), "prefix=a%20b%2B");
}

TEST(S3QueryTest, MalformedEscapeIsRefused) {
  Query query;
  for (const std::string_view text : {"a=%", "a=%4", "a=%4g", "%zz", "a=1&b=%%41"}) {
    EXPECT_EQ(query.parse(text), ErrorCode::kInvalidURI) << text;
    EXPECT_TRUE(query.parts().empty());
  }
}

TEST(S3QueryTest, NumberOfPairsIsLimited) {
  std::string text;
  for (std::size_t i = 0; i < kQueryPairsMax; ++i) text += "a&";
  Query query;
  EXPECT_EQ(query.parse(text), std::nullopt);
  EXPECT_EQ(query.parts().size(), kQueryPairsMax);
  EXPECT_EQ(query.parse(text + "a"), ErrorCode::kRequestHeaderSectionTooLarge);
  EXPECT_TRUE(query.parts().empty());
}

TEST(S3QueryTest, NamesAreFoundAsTheyAreDecoded) {
  Query query;
  ASSERT_FALSE(query.parse("x=1&upload%49d=2&uploadid=3&xuploadId=4"));
  ASSERT_NE(query.find("uploadId"), nullptr);
  EXPECT_EQ(query.find("uploadId")->value, "2");
  EXPECT_EQ(query.find("uploadI"), nullptr);
}

TEST(S3QueryTest, WhatMakesARequestPresignedIsLeftOut) {
  const std::string_view text =
      "X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Date=c&X-Amz-Expires=d&X-Amz-SignedHeaders=e&"
      "X-Amz-Signature=f&X-Amz-Security-Token=g&X-Amz-Content-Sha256=h&X%2DAmz-Signature=i&"
      "versionId=1&x-amz-signature=2&X-Amz-Other=3";
  EXPECT_EQ(canonical(text, Query::Without::kAuthentication),
            "X-Amz-Other=3&versionId=1&x-amz-signature=2");
  const std::string without = canonical(text, Query::Without::kSignature);
  EXPECT_EQ(without.find("X-Amz-Signature"), std::string::npos);
  EXPECT_NE(without.find("X-Amz-Security-Token=g"), std::string::npos);
}

// Against a plain implementation: decode, encode, sort, join.
TEST(S3QueryTest, AgreesWithAPlainImplementation) {
  constexpr std::string_view kPieces[] = {"a",   "b", "%41", "%2f", "/", "+",
                                          "%20", "-", "=",   "&",   "!"};
  std::mt19937 random{4};
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (auto i = random() % 12; i > 0; --i) text += kPieces[random() % std::size(kPieces)];
    std::vector<std::pair<std::string, std::string>> pairs;
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find('&', begin), text.size());
      const std::string piece = text.substr(begin, end - begin);
      begin = end + 1;
      if (piece.empty()) continue;
      std::string parts[2];
      for (std::size_t i = 0, part = 0; i < piece.size(); ++i) {
        if (piece[i] == '=' && part == 0) {
          part = 1;
          continue;
        }
        std::string_view rest = std::string_view{piece}.substr(i);
        const std::size_t before = rest.size();
        const char c = take_decoded(rest, Part::kQuery);
        i += before - rest.size() - 1;
        parts[part] += kUnreserved.has(c) ? std::string{c} : std::string{Escape{c}.text, 3};
      }
      pairs.emplace_back(parts[0], parts[1]);
    }
    std::sort(pairs.begin(), pairs.end());
    std::string expected;
    for (const auto& [name, value] : pairs) {
      expected += (expected.empty() ? "" : "&") + name + "=" + value;
    }
    ASSERT_EQ(canonical(text), expected) << text;
  }
}

}  // namespace
}  // namespace tercel::s3
