#include "tercel/schema/validator.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "schema/compiled.h"
#include "support/allocations.h"

namespace tercel::schema {
namespace {

using Errors = std::vector<std::string>;

TEST(ValidatorTest, ErrorsAreAtTheirValues) {
  EXPECT_EQ(errors_of(R"({"type":"object","properties":{"name":{"type":"string","minLength":2},
      "price":{"type":"number","exclusiveMinimum":0},"tags":{"items":{"type":"string"}}},
      "required":["name","price","id"],"additionalProperties":false})",
                      R"({"name":"x","price":-1.5,"tags":["a",1,"b",null],"other":{}})"),
            (Errors{"/name minLength", "/price exclusiveMinimum", "/tags/1 type", "/tags/3 type",
                    "/other additionalProperties other", " required id"}));
}

TEST(ValidatorTest, StopsAtTheFirstErrorWhenAsked) {
  constexpr std::string_view kSchema = R"({"items":{"type":"null"},"minItems":5})";
  EXPECT_EQ(errors_of(kSchema, "[1,2]"), (Errors{" minItems", "/0 type", "/1 type"}));
  EXPECT_EQ(errors_of(kSchema, "[1,2]", {.collect = Collect::kFirst}), (Errors{" minItems"}));
}

TEST(ValidatorTest, KeepsNoMoreErrorsThanTheLimit) {
  const Compiled compiled{R"({"items":{"type":"null"}})"};
  std::string text = "[0";
  for (int i = 0; i < 999; ++i) text += ",0";
  const Document many{text + "]"};
  Validator validator{{.errors_max = 10}};
  EXPECT_FALSE(validator.validate(compiled.program(), many.root()));
  EXPECT_EQ(validator.errors().size(), 10U);
  EXPECT_TRUE(validator.truncated());
  const Document ten{"[0,0,0,0,0,0,0,0,0,0]"};
  EXPECT_FALSE(validator.validate(compiled.program(), ten.root()));
  EXPECT_EQ(validator.errors().size(), 10U);
  EXPECT_FALSE(validator.truncated());
}

TEST(ValidatorTest, ABranchThatIsMeantSaysWhatIsWrong) {
  constexpr std::string_view kOptional =
      R"({"anyOf":[{"type":"object","required":["a"]},{"type":"null"}]})";
  EXPECT_EQ(errors_of(kOptional, "{}"), (Errors{" required a"}));
  EXPECT_EQ(errors_of(kOptional, "1"), (Errors{" anyOf"}));
  EXPECT_EQ(errors_of(R"({"oneOf":[{"type":"string"},{"type":"string"}]})", "\"a\""),
            (Errors{" oneOf"}));
  EXPECT_EQ(errors_of(R"({"anyOf":[{"minimum":5},{"multipleOf":2}]})", "1"), (Errors{" anyOf"}));
  EXPECT_EQ(errors_of(R"({"not":{"type":"string"}})", "\"a\""), (Errors{" not"}));
}

// A union whose branches a constant tells apart: no other branch is tried, and its errors are told.
TEST(ValidatorTest, ATagChoosesItsBranch) {
  for (const std::string_view keyword : {"oneOf", "anyOf"}) {
    const std::string schema = "{\"" + std::string{keyword} + R"(":[{"$ref":"#/$defs/cat"},
        {"type":"object","properties":{"x":{"type":"null"},"kind":{"const":"dog"}},"required":["x","kind"]}],
        "$defs":{"cat":{"type":"object","properties":{"kind":{"const":"cat"},"lives":{"maximum":9}},
        "required":["kind"],"additionalProperties":false}},"unevaluatedProperties":false})";
    const Compiled compiled{schema};
    ASSERT_EQ(compiled.program().code().switches.size(), 1U);
    EXPECT_TRUE(is_valid(schema, R"({"kind":"cat","lives":9})"));
    EXPECT_TRUE(is_valid(schema, R"({"x":null,"kind":"dog"})"));
    EXPECT_EQ(errors_of(schema, R"({"kind":"cat","lives":10})"), (Errors{"/lives maximum"}));
    EXPECT_EQ(errors_of(schema, R"({"kind":"dog"})"), (Errors{" required x"}));
    for (const std::string_view other : {R"({"kind":"cow"})", R"({"kind":1})", "{}", "1", "[]"}) {
      EXPECT_EQ(errors_of(schema, other), (Errors{" " + std::string{keyword}})) << other;
    }
  }
}

// Each lacks something: another string, the requirement, or that it must be an object.
TEST(ValidatorTest, WhatIsNoTagChoosesNothing) {
  constexpr std::string_view kFirst =
      R"({"type":"object","properties":{"k":{"const":"a"}},"required":["k"]})";
  for (const std::string_view second :
       {R"({"type":"object","properties":{"k":{"const":"a"}},"required":["k"]})",
        R"({"type":"object","properties":{"k":{"const":1}},"required":["k"]})",
        R"({"type":"object","properties":{"k":{"const":"b"}}})",
        R"({"type":"object","properties":{"l":{"const":"b"}},"required":["k","l"]})",
        R"({"properties":{"k":{"const":"b"}},"required":["k"]})", "true", "false"}) {
    const std::string schema =
        R"({"anyOf":[)" + std::string{kFirst} + "," + std::string{second} + "]}";
    EXPECT_TRUE(Compiled{schema}.program().code().switches.empty()) << second;
  }
}

TEST(ValidatorTest, ErrorsOfBranchesThatAreTriedAreNotTold) {
  EXPECT_TRUE(is_valid(R"({"anyOf":[{"type":"string"},{"minimum":1}]})", "2"));
  EXPECT_TRUE(is_valid(R"({"if":{"type":"string"},"else":{"minimum":1}})", "2"));
  EXPECT_TRUE(is_valid(R"({"contains":{"type":"null"}})", "[1,2,null]"));
  EXPECT_EQ(errors_of(R"({"contains":{"type":"null"}})", "[1,2]"), (Errors{" contains"}));
  EXPECT_EQ(errors_of(R"({"if":true,"then":{"properties":{"a":{"type":"null"}}}})", R"({"a":1})"),
            (Errors{"/a type"}));
}

TEST(ValidatorTest, UnevaluatedMembersAndElementsAreNamed) {
  EXPECT_EQ(errors_of(R"({"allOf":[{"properties":{"a":true}}],"unevaluatedProperties":false})",
                      R"({"a":1,"b":2,"c":3})"),
            (Errors{"/b unevaluatedProperties b", "/c unevaluatedProperties c"}));
  EXPECT_EQ(errors_of(R"({"prefixItems":[true],"contains":{"const":5},"unevaluatedItems":false})",
                      "[1,2,5,3]"),
            (Errors{"/1 unevaluatedItems", "/3 unevaluatedItems"}));
  // What a branch that failed has seen does not count.
  EXPECT_EQ(errors_of(R"({"anyOf":[{"properties":{"a":true},"required":["x"]},
      {"properties":{"b":true}}],"unevaluatedProperties":false})",
                      R"({"a":1,"b":2})"),
            (Errors{"/a unevaluatedProperties a"}));
}

TEST(ValidatorTest, FormatsAreAnnotationsUnlessAsserted) {
  EXPECT_TRUE(is_valid(R"({"format":"date"})", "\"x\""));
  EXPECT_FALSE(is_valid(R"({"format":"date"})", "\"x\"", {.assert_formats = true}));
  EXPECT_TRUE(is_valid(R"({"format":"date"})", "1", {.assert_formats = true}));
  EXPECT_TRUE(is_valid(R"({"format":"strange"})", "\"x\"", {.assert_formats = true}));
}

TEST(ValidatorTest, NumbersAreExact) {
  EXPECT_TRUE(is_valid(R"({"maximum":18446744073709551616})", "18446744073709551616.0"));
  EXPECT_FALSE(is_valid(R"({"maximum":18446744073709551616})", "18446744073709551617"));
  EXPECT_TRUE(is_valid(R"({"const":0.1})", "1e-1"));
  EXPECT_FALSE(is_valid(R"({"const":0.1})", "0.10000000000000000001"));
  EXPECT_TRUE(is_valid(R"({"type":"integer"})", "1e400"));
  EXPECT_FALSE(is_valid(R"({"type":"integer"})", "1e-400"));
  EXPECT_TRUE(is_valid(R"({"multipleOf":0.01})", "19.99"));
  EXPECT_FALSE(is_valid(R"({"uniqueItems":true})", "[1,1.0]"));
  EXPECT_TRUE(is_valid(R"({"uniqueItems":true})", "[9007199254740993,9007199254740992.0]"));
  EXPECT_TRUE(is_valid(R"({"enum":[1,2,3,4,5,6,7,8,9,10]})", "10.0"));
  EXPECT_FALSE(is_valid(R"({"enum":[1,2,3,4,5,6,7,8,9,10]})", "10.5"));
}

TEST(ValidatorTest, LengthsAreInCharacters) {
  const std::string smile = "\"\xF0\x9F\x98\x80\xC3\xA9z\"";
  EXPECT_TRUE(is_valid(R"({"minLength":3,"maxLength":3})", smile));
  EXPECT_FALSE(is_valid(R"({"minLength":4})", smile));
  EXPECT_FALSE(is_valid(R"({"maxLength":2})", smile));
  EXPECT_TRUE(is_valid(R"({"maxLength":99999999999999999999})", smile));
}

// Both ways of each: pairs and a table.
TEST(ValidatorTest, UniqueItemsAreFoundInAnySize) {
  for (const int size : {2, 8, 9, 1000}) {
    std::string text = "[[0]";
    for (int i = 1; i < size; ++i) text += ",[" + std::to_string(i) + "]";
    EXPECT_TRUE(is_valid(R"({"uniqueItems":true})", text + "]"));
    EXPECT_FALSE(is_valid(R"({"uniqueItems":true})", text + ",[0.0]]"));
  }
}

TEST(ValidatorTest, ASteadyStateAllocatesNothing) {
  const Compiled compiled{R"({"type":"object","properties":{"a":{"$ref":"#/$defs/l"},
      "b":{"type":"string","pattern":"^[a-z]+$"},"c":{"anyOf":[{"type":"null"},{"minimum":1}]}},
      "required":["a","b"],"unevaluatedProperties":false,
      "$defs":{"l":{"type":"array","items":{"enum":["x","y"]},"uniqueItems":true}}})"};
  const Document document{R"({"a":["x","y"],"b":"abc","c":1.5})"};
  Validator validator;
  ASSERT_TRUE(validator.validate(compiled.program(), document.root()));
  const test::AllocationCount count;
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(validator.validate(compiled.program(), document.root()));
  }
  EXPECT_EQ(count.so_far(), 0U);
}

// The Nth allocation fails, for every N.
TEST(ValidatorTest, OutOfMemoryIsAVerdict) {
  const Compiled compiled{R"({"uniqueItems":true,"items":{"type":"null"},"unevaluatedItems":false,
      "anyOf":[{"contains":true}]})"};
  const Document document{"[1,2,3,4,5,6,7,8,9,10]"};
  for (std::uint64_t nth = 1;; ++nth) {
    Validator validator;
    const test::AllocationFailure failure{nth, UINT64_MAX / 2};
    EXPECT_FALSE(validator.validate(compiled.program(), document.root()));
    if (!failure.happened()) {
      EXPECT_EQ(validator.verdict(), Verdict::kInvalid);
      EXPECT_GT(nth, 3U);
      break;
    }
    EXPECT_EQ(validator.verdict(), Verdict::kNoMemory);
    EXPECT_TRUE(validator.errors().empty());
  }
}

}  // namespace
}  // namespace tercel::schema
