#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "schema/compiled.h"

namespace tercel::schema {
namespace {

// "pointer keyword: reason" of a schema that does not compile.
std::string fault(std::string_view text) {
  Registry registry;
  EXPECT_TRUE(registry.add("s:", text)) << text;
  EXPECT_FALSE(registry.compile("s:")) << text;
  const SchemaFault& fault = registry.fault();
  return fault.location + ' ' + fault.keyword + ": " + fault.reason;
}

TEST(CompileTest, NamesThePlaceOfWhatIsWrong) {
  EXPECT_EQ(
      fault(R"({"properties":{"a/b":{"minLength":-1}}})"),
      "s:#/properties/a~1b/minLength minLength: this must be an integer that is not negative");
  EXPECT_EQ(fault(R"({"allOf":[true,{"type":"int"}]})"),
            "s:#/allOf/1/type type: this must be the name of a type, or an array of them");
  EXPECT_EQ(fault(R"({"items":5})"), "s:#/items : a schema is an object or a boolean");
  EXPECT_EQ(fault(R"({"$ref":"other"})"), "s:#/$ref $ref: nothing is known at other");
  EXPECT_EQ(fault(R"-({"pattern":"(?=a)"})-"),
            "s:#/pattern pattern: RE2 cannot do this: look-ahead at byte 0");
}

TEST(CompileTest, EveryKeywordChecksItsValue) {
  for (const std::string_view text : {R"({"type":5})",
                                      R"({"type":[]})",
                                      R"({"type":[5]})",
                                      R"({"enum":1})",
                                      R"({"minimum":"1"})",
                                      R"({"multipleOf":0})",
                                      R"({"multipleOf":-1})",
                                      R"({"multipleOf":"1"})",
                                      R"({"multipleOf":12345678901234567891})",
                                      R"({"maxLength":1.5})",
                                      R"({"minItems":"1"})",
                                      R"({"pattern":1})",
                                      R"-({"pattern":"("})-",
                                      R"({"format":1})",
                                      R"({"uniqueItems":1})",
                                      R"({"prefixItems":{}})",
                                      R"({"items":[]})",
                                      R"({"contains":1})",
                                      R"({"contains":true,"minContains":-1})",
                                      R"({"properties":[]})",
                                      R"({"properties":{"a":1}})",
                                      R"({"patternProperties":[]})",
                                      R"-({"patternProperties":{"(":true}})-",
                                      R"({"additionalProperties":1})",
                                      R"({"required":"a"})",
                                      R"({"required":[1]})",
                                      R"({"propertyNames":1})",
                                      R"({"dependentRequired":[]})",
                                      R"({"dependentRequired":{"a":"b"}})",
                                      R"({"dependentSchemas":{"a":1}})",
                                      R"({"allOf":{}})",
                                      R"({"anyOf":1})",
                                      R"({"oneOf":[1]})",
                                      R"({"not":1})",
                                      R"({"if":1})",
                                      R"({"$ref":1})",
                                      R"({"$ref":"#/nowhere"})",
                                      R"({"$ref":"#nowhere"})",
                                      R"({"$dynamicRef":"#nowhere"})",
                                      R"({"unevaluatedItems":1})",
                                      R"({"unevaluatedProperties":1})"}) {
    EXPECT_NE(fault(text), "") << text;
  }
}

TEST(CompileTest, RefusesWhatRefersToItselfWithoutAStep) {
  for (const std::string_view text :
       {R"({"$ref":"#"})", R"({"allOf":[{"$ref":"#"}]})", R"({"not":{"anyOf":[{"$ref":"#"}]}})",
        R"({"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}})",
        R"({"if":true,"then":{"$ref":"#"}})", R"({"dependentSchemas":{"a":{"$ref":"#"}}})"}) {
    EXPECT_NE(fault(text).find("refers to itself"), std::string::npos) << text;
  }
  for (const std::string_view text :
       {R"({"items":{"$ref":"#"}})", R"({"properties":{"a":{"anyOf":[{"$ref":"#"},true]}}})",
        R"({"allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}],"$defs":{"a":true}})"}) {
    EXPECT_TRUE(is_valid(text, "1"));
  }
}

// A reference to a reference goes where the last one goes.
TEST(CompileTest, ReferencesAreShort) {
  const Compiled compiled{R"({"items":{"$ref":"#/$defs/a"},"$defs":{
      "a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/c"},"c":{"type":"null"}}})"};
  const Code& code = compiled.program().code();
  const Subschema& root = code.subschemas[code.root];
  const Instruction& items = code.instructions[root.groups.front()];
  ASSERT_EQ(items.op, Op::kItems);
  EXPECT_EQ(code.subschemas[items.first].types, types::kNull);
  EXPECT_TRUE(code.subschemas[items.first].simple());
}

TEST(CompileTest, EachSubschemaIsCompiledOnce) {
  std::string text = R"({"$defs":{"a":{"type":"object","properties":{"x":{"$ref":"#/$defs/a"}}}},)"
                     R"("properties":{)";
  for (int i = 0; i < 100; ++i) {
    text += (i > 0 ? ",\"" : "\"") + std::to_string(i) + R"(":{"$ref":"#/$defs/a"})";
  }
  // The root, 100 properties that are references, the definition, and the reference in it.
  EXPECT_EQ(Compiled{text + "}}"}.program().subschemas(), 103U);
}

// The chain costs no stack, however long it is.
TEST(CompileTest, LongChainsOfReferencesAreNoRecursion) {
  std::string text = R"({"$ref":"#/$defs/0","$defs":{)";
  constexpr int kLinks = 2000;
  for (int i = 0; i < kLinks; ++i) {
    text += "\"" + std::to_string(i) + R"(":{"$ref":"#/$defs/)" + std::to_string(i + 1) + "\"},";
  }
  text += "\"" + std::to_string(kLinks) + R"(":{"type":"null"}}})";
  EXPECT_TRUE(is_valid(text, "null"));
  EXPECT_FALSE(is_valid(text, "1"));
}

}  // namespace
}  // namespace tercel::schema
