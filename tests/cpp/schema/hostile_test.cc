// Documents and schemas made to cost much: bounded in time, memory and stack.
// Source: the project's list of attacks, docs/internals/attacks.md.
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "schema/compiled.h"

namespace tercel::schema {
namespace {

using Seconds = std::chrono::duration<double>;

// Sanitizers and a busy machine make all of this slower; what is quadratic takes minutes.
constexpr Seconds kSoon{5};

class Stopwatch {
 public:
  [[nodiscard]] Seconds elapsed() const { return std::chrono::steady_clock::now() - start_; }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::string nested(std::size_t depth, std::string_view open, std::string_view close) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += open;
  text += "0";
  for (std::size_t i = 0; i < depth; ++i) text += close;
  return text;
}

TEST(HostileTest, DeepDocumentsStopAtTheLimitOfDepth) {
  const Compiled compiled{R"({"anyOf":[{"items":{"$ref":"#"}},false]})"};
  const Document document{nested(1000, "[", "]")};
  Validator shallow{{.depth_max = 500}};
  EXPECT_FALSE(shallow.validate(compiled.program(), document.root()));
  EXPECT_EQ(shallow.verdict(), Verdict::kTooDeep);
  EXPECT_TRUE(shallow.errors().empty());
  Validator deep{{.depth_max = 5000}};
  EXPECT_TRUE(deep.validate(compiled.program(), document.root()));
}

// A dynamic reference that leads to where it is: nothing that compiling sees.
TEST(HostileTest, DynamicReferencesInACircleStop) {
  const Compiled compiled{R"({"$dynamicAnchor":"a","anyOf":[{"$dynamicRef":"#a"}]})"};
  Validator validator;
  EXPECT_FALSE(validator.validate(compiled.program(), Document{"1"}.root()));
  EXPECT_EQ(validator.verdict(), Verdict::kTooDeep);
}

// Each level tries both branches, each of which tries both: 2^100 ways.
TEST(HostileTest, BranchesThatMultiplyStopAtTheLimitOfSteps) {
  const Compiled compiled{
      R"({"anyOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}],"type":"array"})"};
  const Document document{nested(100, "[", "]")};
  const Stopwatch watch;
  Validator validator{{.steps_max = 1'000'000}};
  EXPECT_FALSE(validator.validate(compiled.program(), document.root()));
  EXPECT_EQ(validator.verdict(), Verdict::kTooCostly);
  EXPECT_LT(watch.elapsed(), kSoon);
}

// The same inside of `not`, where what is refused would be valid.
TEST(HostileTest, WhatWasStoppedIsNeverValid) {
  const Compiled compiled{
      R"({"not":{"$ref":"#/$defs/n"},"$defs":{"n":{"items":{"$ref":"#/$defs/n"}}}})"};
  Validator validator{{.depth_max = 10}};
  EXPECT_FALSE(validator.validate(compiled.program(), Document{nested(50, "[", "]")}.root()));
  EXPECT_EQ(validator.verdict(), Verdict::kTooDeep);
}

TEST(HostileTest, AMillionUniqueItemsAreLinear) {
  std::string numbers = "[0";
  std::string objects = "[{\"a\":0}";
  for (int i = 1; i < 1'000'000; ++i) numbers += "," + std::to_string(i);
  for (int i = 1; i < 100'000; ++i) objects += ",{\"a\":" + std::to_string(i) + "}";
  const Compiled compiled{R"({"uniqueItems":true})"};
  const Document numbers_document{numbers + "]"};
  const Document objects_document{objects + "]"};
  const Stopwatch watch;
  Validator validator;
  EXPECT_TRUE(validator.validate(compiled.program(), numbers_document.root()));
  EXPECT_TRUE(validator.validate(compiled.program(), objects_document.root()));
  EXPECT_LT(watch.elapsed(), kSoon);
}

// The same double, the same length, the same beginning and end: hashed by their digits all the
// same.
TEST(HostileTest, NumbersMadeToCollideAreLinear) {
  std::string text = "[1e400";
  for (int i = 0; i < 50'000; ++i) {
    text += ",1e" + std::to_string(1000 + i) + ",0.1000000000000000000" +
            std::to_string(100000 + i) + "1";
  }
  const Compiled compiled{R"({"uniqueItems":true})"};
  const Document document{text + "]"};
  const Stopwatch watch;
  Validator validator;
  EXPECT_TRUE(validator.validate(compiled.program(), document.root()));
  EXPECT_LT(watch.elapsed(), kSoon);
}

TEST(HostileTest, HugeNumbersAreLinear) {
  const std::string digits(1'000'000, '9');
  const Compiled compiled{R"({"multipleOf":9,"minimum":1e999999,"not":{"const":1e1000000}})"};
  const Document document{digits};
  const Document fraction{"0." + digits};
  const Stopwatch watch;
  Validator validator;
  EXPECT_TRUE(validator.validate(compiled.program(), document.root()));
  EXPECT_FALSE(validator.validate(compiled.program(), fraction.root()));
  EXPECT_LT(watch.elapsed(), kSoon);
}

TEST(HostileTest, ManyMembersAreLinear) {
  std::string text = "{\"k\":0";
  for (int i = 0; i < 200'000; ++i) text += ",\"" + std::to_string(i) + "\":0";
  const Compiled compiled{R"({"properties":{"a":true,"b":true},"required":["k"],
      "unevaluatedProperties":{"type":"integer"},"maxProperties":1000000})"};
  const Document document{text + "}"};
  const Stopwatch watch;
  Validator validator;
  EXPECT_TRUE(validator.validate(compiled.program(), document.root()));
  EXPECT_LT(watch.elapsed(), kSoon);
}

TEST(HostileTest, PatternsThatBlowUpOthersAreLinear) {
  const Compiled compiled{
      R"({"items":{"pattern":"^(a+)+$"},"patternProperties":{"(.*)*x$":false}})"};
  std::string text = "[\"b" + std::string(100'000, 'a') + "\"";
  for (int i = 0; i < 20; ++i) text += ",\"" + std::string(100'000, 'a') + "b\"";
  const Document document{text + "]"};
  const Document names{"{\"" + std::string(100'000, 'y') + "\":1}"};
  const Stopwatch watch;
  Validator validator;
  EXPECT_FALSE(validator.validate(compiled.program(), document.root()));
  EXPECT_EQ(validator.errors().size(), 21U);
  EXPECT_TRUE(validator.validate(compiled.program(), names.root()));
  EXPECT_LT(watch.elapsed(), kSoon);
}

TEST(HostileTest, AThousandBranchesOverAThousandElementsAreSteps) {
  std::string schema = R"({"items":{"oneOf":[{"const":0})";
  for (int i = 1; i < 1000; ++i) schema += ",{\"const\":" + std::to_string(i) + "}";
  std::string text = "[0";
  for (int i = 1; i < 1000; ++i) text += "," + std::to_string(i);
  const Compiled compiled{schema + "]}}"};
  const Document document{text + "]"};
  const Stopwatch watch;
  Validator validator;
  EXPECT_TRUE(validator.validate(compiled.program(), document.root()));
  EXPECT_LT(watch.elapsed(), kSoon);
  Validator poor{{.steps_max = 100'000}};
  EXPECT_FALSE(poor.validate(compiled.program(), document.root()));
  EXPECT_EQ(poor.verdict(), Verdict::kTooCostly);
}

}  // namespace
}  // namespace tercel::schema
