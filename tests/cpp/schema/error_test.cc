#include "tercel/schema/error.h"

#include <string>

#include <gtest/gtest.h>

#include "schema/compiled.h"

namespace tercel::schema {
namespace {

struct Shown {
  std::string code;
  std::string text;
  std::string location;
};

// The first error, as it is shown.
Shown shown(std::string_view schema, std::string_view document) {
  const Compiled compiled{schema};
  const Document parsed{document};
  Validator validator{{.assert_formats = true}};
  EXPECT_FALSE(validator.validate(compiled.program(), parsed.root())) << schema;
  if (validator.errors().empty()) return {};
  const Error& error = validator.errors().front();
  return {.code = std::string{code_of(error)},
          .text = describe(error),
          .location = std::string{error.schema_location}};
}

TEST(ErrorTest, HasTheCodesOfPydanticAndASentence) {
  const struct {
    std::string_view schema;
    std::string_view document;
    std::string_view code;
    std::string_view text;
  } cases[] = {
      {R"({"type":"integer"})", "\"1\"", "int_type", "must be of type integer"},
      {R"({"type":["string","null"]})", "1", "union_tag_invalid", "must be of type string or null"},
      {R"({"type":"array"})", "1", "list_type", "must be of type array"},
      {R"({"required":["a"]})", "{}", "missing", "the property a is required"},
      {R"({"additionalProperties":false})", R"({"a":1})", "extra_forbidden",
       "is a property that is not allowed"},
      {R"({"minimum":2.50})", "1", "greater_than_equal", "must be at least 2.50"},
      {R"({"exclusiveMinimum":5})", "5", "greater_than", "must be greater than 5"},
      {R"({"maximum":5})", "6", "less_than_equal", "must be at most 5"},
      {R"({"exclusiveMaximum":5})", "5", "less_than", "must be less than 5"},
      {R"({"multipleOf":5})", "6", "multiple_of", "must be a multiple of 5"},
      {R"({"minLength":2})", "\"a\"", "string_too_short", "must have at least 2 characters"},
      {R"({"maxLength":2})", "\"abc\"", "string_too_long", "must have at most 2 characters"},
      {R"({"pattern":"^b"})", "\"a\"", "string_pattern_mismatch", "must match the pattern ^b"},
      {R"({"minItems":2})", "[]", "too_short", "must have at least 2 elements"},
      {R"({"maxItems":0})", "[1]", "too_long", "must have at most 0 elements"},
      {R"({"enum":[1]})", "2", "enum", "must be one of the values that are allowed"},
      {R"({"const":1})", "2", "literal_error", "must be the value that is allowed"},
      {R"({"format":"date"})", "\"x\"", "date_from_datetime_parsing", "must have the format date"},
      {R"({"uniqueItems":true})", "[1,1]", "uniqueItems", "must not have an element twice"},
      {"false", "1", "no_such_attribute", "must not be there"}};
  for (const auto& [schema, document, code, text] : cases) {
    const Shown error = shown(schema, document);
    EXPECT_EQ(error.code, code) << schema;
    EXPECT_EQ(error.text, text) << schema;
  }
}

TEST(ErrorTest, NamesTheKeywordInTheSchema) {
  EXPECT_EQ(shown(R"({"$id":"http://a/b","properties":{"x/y":{"allOf":[{"minimum":5}]}}})",
                  R"({"x/y":1})")
                .location,
            "http://a/b#/properties/x~1y/allOf/0/minimum");
  EXPECT_EQ(shown(R"({"$ref":"#/$defs/a","$defs":{"a":{"type":"null"}}})", "1").location,
            "test:schema#/$defs/a/type");
  EXPECT_EQ(shown(R"({"$ref":"#n","$defs":{"a":{"$anchor":"n","required":["q"]}}})", "{}").location,
            "test:schema#/$defs/a/required");
}

}  // namespace
}  // namespace tercel::schema
