#include "tercel/api/convert.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace tercel::api {
namespace {

// What `text` is converted to, or the type of the failure.
std::string converted(Type type, std::string_view text) {
  std::array<json::Node, json::kScalarNodesMax> nodes;
  if (const auto failure = convert(type, text, nodes.data())) {
    return std::string{type_of(*failure)};
  }
  const json::Value value{nodes.data()};
  switch (value.kind()) {
    case json::Kind::kTrue:
      return "true";
    case json::Kind::kFalse:
      return "false";
    case json::Kind::kInteger:
      return std::to_string(value.int64());
    case json::Kind::kUnsigned:
      return std::to_string(value.uint64());
    case json::Kind::kBigInteger:
    case json::Kind::kDecimal:
      return std::string{value.number_text()};
    case json::Kind::kString:
      return "'" + std::string{value.string()} + "'";
    default:
      return "?";
  }
}

TEST(Convert, IntegersAreExactAtAnySize) {
  EXPECT_EQ(converted(Type::kInteger, "0"), "0");
  EXPECT_EQ(converted(Type::kInteger, "-42"), "-42");
  EXPECT_EQ(converted(Type::kInteger, "007"), "7");
  EXPECT_EQ(converted(Type::kInteger, "-0"), "0");
  EXPECT_EQ(converted(Type::kInteger, "999999999999999999"), "999999999999999999");
  EXPECT_EQ(converted(Type::kInteger, "9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(converted(Type::kInteger, "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(converted(Type::kInteger, "9223372036854775808"), "9223372036854775808");
  EXPECT_EQ(converted(Type::kInteger, "18446744073709551616"), "18446744073709551616");
  const std::string most(kIntegerDigitsMax, '9');
  EXPECT_EQ(converted(Type::kInteger, most), most);
  EXPECT_EQ(converted(Type::kInteger, "-" + most), "-" + most);
  EXPECT_EQ(converted(Type::kInteger, most + "9"), "int_parsing_size");
}

TEST(Convert, WhatIsNoIntegerIsToldSo) {
  for (const char* text : {"", "-", "+1", " 1", "1 ", "1.0", "1e3", "0x10", "1_000", "--1", "１",
                           "0000000000000000001", "nan"}) {
    EXPECT_EQ(converted(Type::kInteger, text), "int_parsing") << text;
  }
}

TEST(Convert, NumbersAreThoseOfJson) {
  EXPECT_EQ(converted(Type::kNumber, "1"), "1");
  EXPECT_EQ(converted(Type::kNumber, "-1.50"), "-1.50");
  EXPECT_EQ(converted(Type::kNumber, "6.02e23"), "6.02e23");
  for (const char* text : {"", "-", "+1", ".5", "5.", "1e", "inf", "nan", "1,5", "1 ", "01.5"}) {
    EXPECT_EQ(converted(Type::kNumber, text), "float_parsing") << text;
  }
}

TEST(Convert, BooleansHaveEightWordsInAnyCase) {
  for (const char* text : {"true", "True", "TRUE", "1", "yes", "YES", "on", "oN"}) {
    EXPECT_EQ(converted(Type::kBoolean, text), "true") << text;
  }
  for (const char* text : {"false", "FALSE", "0", "no", "No", "off", "OFF"}) {
    EXPECT_EQ(converted(Type::kBoolean, text), "false") << text;
  }
  for (const char* text : {"", "t", "y", "2", "truee", "falsey", "01", "nope"}) {
    EXPECT_EQ(converted(Type::kBoolean, text), "bool_parsing") << text;
  }
}

TEST(Convert, StringsAreUtf8) {
  EXPECT_EQ(converted(Type::kString, ""), "''");
  EXPECT_EQ(converted(Type::kString, "Z\xc3\xbcrich"), "'Z\xc3\xbcrich'");
  EXPECT_EQ(converted(Type::kString, "\xff"), "string_unicode");
}

}  // namespace
}  // namespace tercel::api
