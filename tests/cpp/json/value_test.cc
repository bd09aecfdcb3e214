#include "tercel/json/value.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "json/parsed.h"

namespace tercel::json {
namespace {

TEST(ValueTest, KindsAreThoseOfTheText) {
  const Parsed document{
      R"([null,false,true,1,9223372036854775808,18446744073709551616,1.0,"",[],{}])"};
  std::vector<Kind> kinds;
  for (const Value value : document->elements()) kinds.push_back(value.kind());
  EXPECT_EQ(kinds, (std::vector<Kind>{Kind::kNull, Kind::kFalse, Kind::kTrue, Kind::kInteger,
                                      Kind::kUnsigned, Kind::kBigInteger, Kind::kDecimal,
                                      Kind::kString, Kind::kArray, Kind::kObject}));
}

TEST(ValueTest, NumbersKeepTheirTextWhereTheyNeedIt) {
  const Parsed document{R"([18446744073709551616, 0.10 , -2e3,-5])"};
  std::vector<Value> values;
  for (const Value value : document->elements()) values.push_back(value);
  ASSERT_EQ(values.size(), 4U);
  EXPECT_EQ(values[0].number_text(), "18446744073709551616");
  EXPECT_EQ(values[0].float64(), 18446744073709551616.0);
  EXPECT_EQ(values[1].number_text(), "0.10");
  EXPECT_EQ(values[1].float64(), 0.1);
  EXPECT_EQ(values[2].number_text(), "-2e3");
  EXPECT_EQ(values[3].int64(), -5);
}

TEST(ValueTest, WalksStepOverWhatIsInside) {
  const Parsed document{R"({"a":[1,[2.5,[]]],"b":{"c":{"d":1.5}},"e":"f"})"};
  std::string keys;
  for (const Member member : document->members()) keys += member.key();
  EXPECT_EQ(keys, "abe");
  EXPECT_EQ(document->find("e")->string(), "f");
  EXPECT_EQ(document->find("b")->find("c")->find("d")->float64(), 1.5);
  EXPECT_FALSE(document->find("c"));
  EXPECT_FALSE(document->find(""));
  EXPECT_EQ(document->find("a")->size(), 2U);
}

TEST(ValueTest, AsIsNothingForAnotherKind) {
  const Parsed document{
      R"({"n":null,"t":true,"f":false,"i":-7,"u":9223372036854775808,"b":18446744073709551616,)"
      R"("d":1.5,"huge":1e999,"s":"x","o":{"i":1}})"};
  const auto count = [&]<typename T>(T) {
    int found = 0;
    for (const Member member : document->members()) found += member.value().as<T>() ? 1 : 0;
    return found;
  };
  EXPECT_EQ(count(false), 2);
  EXPECT_EQ(count(std::int64_t{}), 1);
  EXPECT_EQ(count(0.0), 4);
  EXPECT_EQ(count(std::string_view{}), 1);
  EXPECT_EQ(document->get<bool>("t"), true);
  EXPECT_EQ(document->get<bool>("f"), false);
  EXPECT_EQ(document->get<std::int64_t>("i"), -7);
  EXPECT_EQ(document->get<double>("i"), -7.0);
  EXPECT_EQ(document->get<double>("b"), 18446744073709551616.0);
  EXPECT_EQ(document->get<std::string_view>("s"), "x");
  EXPECT_EQ(document->get<Value>("o")->get<std::int64_t>("i"), 1);
  EXPECT_EQ(document->get<std::int64_t>("none"), std::nullopt);
  EXPECT_EQ(document->find("s")->get<std::int64_t>("i"), std::nullopt);
}

TEST(ValueTest, HashesOfKeysAreThoseOfTheirText) {
  std::string text = "{";
  std::string key;
  for (int size = 0; size < 40; ++size) {
    text += (size > 0 ? ",\"" : "\"") + key + "\":" + std::to_string(size);
    key += static_cast<char>('a' + size % 26);
  }
  const Parsed document{text + "}"};
  for (const Member member : document->members()) {
    EXPECT_EQ(member.key_hash(), hash_key(std::string{member.key()}));
    EXPECT_EQ(document->find(member.key())->int64(), static_cast<int>(member.key().size()));
  }
}

}  // namespace
}  // namespace tercel::json
