#include "tercel/http/accept.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

// What is sent of `offers`, or "406".
std::string chosen(std::vector<std::string_view> accepts,
                   std::initializer_list<std::string_view> offers) {
  std::vector<Field> fields{{"host", "a"}};
  for (const std::string_view accept : accepts) fields.push_back({"accept", accept});
  std::vector<MediaType> types;
  for (const std::string_view offer : offers) types.push_back(*parse_media_type(offer));
  const auto index = choose_media_type(fields, types);
  return index ? std::string{offers.begin()[*index]} : "406";
}

TEST(AcceptTest, WithoutRangesTakesTheFirstOffer) {
  EXPECT_EQ(chosen({}, {"a/b", "c/d"}), "a/b");
  EXPECT_EQ(chosen({""}, {"a/b", "c/d"}), "a/b");
  EXPECT_EQ(chosen({"nonsense, a/b/c, ;q=1, */x, a/b;q=x"}, {"a/b", "c/d"}), "a/b");
}

TEST(AcceptTest, ChoosesTheHeaviestAndOfEqualsTheFirst) {
  EXPECT_EQ(chosen({"a/b;q=0.5, c/d"}, {"a/b", "c/d"}), "c/d");
  EXPECT_EQ(chosen({"c/d, a/b"}, {"a/b", "c/d"}), "a/b");
  EXPECT_EQ(chosen({"a/b;q=0.501,c/d;q=0.5009"}, {"c/d", "a/b"}), "a/b");
  EXPECT_EQ(chosen({"a/b;q=0.1", "c/d;q=0.2"}, {"a/b", "c/d"}), "c/d");
  EXPECT_EQ(chosen({"A/B;Q=0.1, C/d;q=0.2"}, {"a/b", "c/D"}), "c/D");
  EXPECT_EQ(chosen({"a/b;q=0.1, a/b;q=0.9, c/d;q=0.5"}, {"a/b", "c/d"}), "a/b");
  EXPECT_EQ(chosen({"a/b;q=0.9, a/b;q=0.1, c/d;q=0.5"}, {"a/b", "c/d"}), "a/b");
}

TEST(AcceptTest, KnowsWhatIsNotAcceptable) {
  EXPECT_EQ(chosen({"x/y"}, {"a/b", "c/d"}), "406");
  EXPECT_EQ(chosen({"a/b;q=0"}, {"a/b"}), "406");
  EXPECT_EQ(chosen({"a/b;q=0.000, */*"}, {"a/b", "c/d"}), "c/d");
  EXPECT_EQ(chosen({"*/*;q=0, a/b;q=0.001"}, {"c/d", "a/b"}), "a/b");
}

// The example of RFC 9110 section 12.5.1, with the weights that it lists.
TEST(AcceptTest, MostSpecificRangeCounts) {
  const std::string_view accept =
      "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, "
      "*/*;q=0.5";
  EXPECT_EQ(chosen({accept}, {"image/jpeg", "text/plain;format=flowed"}),
            "text/plain;format=flowed");
  EXPECT_EQ(chosen({accept}, {"image/jpeg", "text/plain"}), "text/plain");
  EXPECT_EQ(chosen({accept}, {"text/html", "image/jpeg"}), "image/jpeg");
  EXPECT_EQ(chosen({accept}, {"text/html", "text/plain;format=fixed"}), "text/plain;format=fixed");
  EXPECT_EQ(chosen({accept}, {"text/plain;format=fixed", "image/jpeg"}), "image/jpeg");
  // Parameters of a wildcard make it no match for a name.
  EXPECT_EQ(chosen({"*/*;a=1;b=2;c=3;q=0.9, text/plain;q=0.1, x/y;q=0.5"},
                   {"text/plain;a=1;b=2;c=3", "x/y"}),
            "x/y");
}

TEST(AcceptTest, ParametersOfARangeMustBeTheOffers) {
  EXPECT_EQ(chosen({"a/b;v=1"}, {"a/b"}), "406");
  EXPECT_EQ(chosen({"a/b;v=1"}, {"a/b;V=1;w=2"}), "a/b;V=1;w=2");
  EXPECT_EQ(chosen({"a/b;v=2"}, {"a/b;v=1"}), "406");
  EXPECT_EQ(chosen({"a/b"}, {"a/b;v=1"}), "a/b;v=1");
  EXPECT_EQ(chosen({"a/b;q=0.1;v=9, c/d;v=\"x,y\";q=0.5"}, {"a/b", "c/d;v=\"x,y\""}),
            "c/d;v=\"x,y\"");
}

TEST(AcceptTest, IsLenientWhereClientsAre) {
  EXPECT_EQ(chosen({"text/html, image/gif, *; q=.2, */*; q=.2"}, {"application/json", "text/html"}),
            "text/html");
  EXPECT_EQ(chosen({"text/html, *; q=.2"}, {"application/json"}), "application/json");
  EXPECT_EQ(chosen({"a/b;q=0.99999, c/d;q=1."}, {"a/b", "c/d"}), "c/d");
  for (std::string_view weight : {"", ".", "2", "1.001", "-1", "0,5", "1e0", "01", "0.x"}) {
    EXPECT_EQ(chosen({"c/d;q=0.1, a/b;q=" + std::string{weight}}, {"a/b", "c/d"}), "c/d") << weight;
  }
}

TEST(AcceptTest, ReadsNoMoreElementsThanTheLimit) {
  std::string many;
  for (std::size_t i = 1; i < kAcceptElementsMax; ++i) many += "x/y,,";
  EXPECT_EQ(chosen({many + "a/b"}, {"a/b"}), "a/b");
  EXPECT_EQ(chosen({many + "x/y,a/b"}, {"a/b"}), "406");
  EXPECT_EQ(chosen({many + "x/y", "a/b"}, {"a/b"}), "406");
}

int weight(std::vector<std::string_view> accepts, std::string_view coding) {
  std::vector<Field> fields{{"host", "a"}};
  for (const std::string_view accept : accepts) fields.push_back({"accept-encoding", accept});
  return coding_weight(fields, coding);
}

TEST(CodingWeightTest, IsThatOfTheNameOrOfTheStar) {
  EXPECT_EQ(weight({"gzip, deflate, br;q=0.5"}, "gzip"), 1000);
  EXPECT_EQ(weight({"gzip, deflate, br;q=0.5"}, "br"), 500);
  EXPECT_EQ(weight({"gzip, deflate, br;q=0.5"}, "zstd"), 0);
  EXPECT_EQ(weight({"gzip;q=0.2, *;q=0.7"}, "gzip"), 200);
  EXPECT_EQ(weight({"*;q=0.7, gzip;q=0.2"}, "zstd"), 700);
  EXPECT_EQ(weight({"br", "GZIP ; Q=0.3"}, "gzip"), 300);
  EXPECT_EQ(weight({"x-gzip"}, "gzip"), 1000);
}

TEST(CodingWeightTest, ZeroAndNonsenseAreNoWeight) {
  EXPECT_EQ(weight({}, "gzip"), 0);
  EXPECT_EQ(weight({""}, "gzip"), 0);
  EXPECT_EQ(weight({"gzip;q=0, *"}, "gzip"), 0);
  EXPECT_EQ(weight({"gzip;q=0.000"}, "gzip"), 0);
  EXPECT_EQ(weight({"gzip;q=x"}, "gzip"), 0);
  EXPECT_EQ(weight({"gzip;q=2"}, "gzip"), 0);
  EXPECT_EQ(weight({"gzipped, -gzip, \"gzip\""}, "gzip"), 0);
}

TEST(CodingWeightTest, IdentityHasOneOnlyByItsName) {
  EXPECT_EQ(weight({"gzip, *"}, "identity"), 0);
  EXPECT_EQ(weight({"gzip;q=0.5, identity"}, "identity"), 1000);
}

TEST(CodingWeightTest, ElementsBeyondTheLimitAreNotRead) {
  std::string many;
  for (std::size_t i = 0; i < kAcceptElementsMax; ++i) many += "x,";
  EXPECT_EQ(weight({many + "gzip"}, "gzip"), 0);
  EXPECT_EQ(weight({many.substr(2) + "gzip"}, "gzip"), 1000);
}

}  // namespace
}  // namespace tercel::http
