#include "tercel/schema/registry.h"

#include <gtest/gtest.h>

#include "schema/compiled.h"
#include "tercel/schema/metaschemas.h"

namespace tercel::schema {
namespace {

// Whether `document` is valid by the schema at `uri`.
bool valid(Registry& registry, std::string_view uri, std::string_view document) {
  const Result<Program> program = registry.compile(uri);
  EXPECT_TRUE(program) << registry.fault().location << ": " << registry.fault().reason;
  const Document parsed{document};
  return program && Validator{}.validate(*program, parsed.root());
}

TEST(RegistryTest, DocumentsReferToEachOtherInAnyOrder) {
  Registry registry;
  ASSERT_TRUE(registry.add("http://a/x", R"({"properties":{"y":{"$ref":"y#/$defs/z"}}})"));
  ASSERT_TRUE(registry.add("http://a/y", R"({"$defs":{"z":{"type":"integer"}}})"));
  EXPECT_TRUE(valid(registry, "http://a/x", R"({"y":1})"));
  EXPECT_FALSE(valid(registry, "http://a/x", R"({"y":"1"})"));
  EXPECT_FALSE(valid(registry, "http://a/y#/$defs/z", "1.5"));
}

TEST(RegistryTest, ADocumentIsFoundByItsNameAndByItsId) {
  Registry registry;
  ASSERT_TRUE(registry.add("file:///s.json", R"({"$id":"http://a/s","$ref":"#n","$defs":{
      "i":{"$id":"inner","$defs":{"k":{"$anchor":"n","type":"string"}}},
      "j":{"$anchor":"n","type":"null"}}})"));
  for (const std::string_view uri : {"file:///s.json", "http://a/s"}) {
    EXPECT_TRUE(valid(registry, uri, "null")) << uri;
  }
  EXPECT_TRUE(valid(registry, "http://a/inner#n", "\"x\""));
}

// Each dialect reads the same schema in its own way.
TEST(RegistryTest, SchemaNamesTheDialect) {
  const auto passes = [](std::string_view dialect, std::string_view document) {
    Registry registry;
    const std::string text = R"({"$schema":")" + std::string{dialect} +
                             R"(","dependentRequired":{"a":["b"]},"$ref":"#/definitions/any",)"
                             R"("minProperties":1,"definitions":{"any":true}})";
    EXPECT_TRUE(registry.add("s", text)) << registry.fault().reason;
    return valid(registry, "s", document);
  };
  EXPECT_TRUE(passes(k2020Metaschema, R"({"a":1,"b":1})"));
  EXPECT_FALSE(passes(k2020Metaschema, R"({"a":1})"));
  EXPECT_FALSE(passes(k2019Metaschema, R"({"a":1})"));
  EXPECT_FALSE(passes(k2019Metaschema, "{}"));
  // In draft 7 the one is not known, and the other is beside a $ref.
  EXPECT_TRUE(passes(k7Metaschema, R"({"a":1})"));
  EXPECT_TRUE(passes(k7Metaschema, "{}"));
}

TEST(RegistryTest, MetaschemasAreBuiltIn) {
  Registry registry;
  for (const std::string_view uri : {k2020Metaschema, k2019Metaschema, k7Metaschema}) {
    EXPECT_TRUE(valid(registry, uri, R"({"type":"object","properties":{"a":{"minLength":1}}})"));
    EXPECT_FALSE(valid(registry, uri, R"({"properties":{"a":{"minLength":-1}}})")) << uri;
    EXPECT_FALSE(valid(registry, uri, R"({"items":{"not":{"type":"int"}}})")) << uri;
    EXPECT_FALSE(valid(registry, uri, "1"));
  }
}

TEST(RegistryTest, RecursiveReferencesOf2019GoToTheOutermost) {
  Registry registry;
  ASSERT_TRUE(
      registry.add("http://a/tree", R"({"$schema":"https://json-schema.org/draft/2019-09/schema",
      "$recursiveAnchor":true,"type":"object","properties":{"c":{"items":{"$recursiveRef":"#"}}}})"));
  ASSERT_TRUE(
      registry.add("http://a/strict", R"({"$schema":"https://json-schema.org/draft/2019-09/schema",
      "$recursiveAnchor":true,"$ref":"tree","unevaluatedProperties":false})"));
  EXPECT_TRUE(valid(registry, "http://a/tree", R"({"c":[{"x":1}]})"));
  EXPECT_TRUE(valid(registry, "http://a/strict", R"({"c":[{"c":[]}]})"));
  EXPECT_FALSE(valid(registry, "http://a/strict", R"({"c":[{"x":1}]})"));
}

TEST(RegistryTest, SaysWhatItDoesNotTake) {
  const auto fault = [](std::string_view text) {
    Registry registry;
    EXPECT_FALSE(registry.add("http://a/b", text)) << text;
    return registry.fault().location + ' ' + registry.fault().keyword + ' ' +
           registry.fault().reason;
  };
  EXPECT_EQ(fault("{\n\"a\":}"), "http://a/b  line 2, column 5: a value is expected here");
  EXPECT_EQ(fault(R"({"type":"null","type":"string"})"),
            "http://a/b  line 1, column 31: the object that ends here has a key twice");
  EXPECT_EQ(fault(R"({"$schema":"http://json-schema.org/draft-04/schema#"})"),
            "http://json-schema.org/draft-04/schema# $schema this dialect is not known; its "
            "metaschema must be added first");
  Registry registry;
  ASSERT_TRUE(registry.add("http://a/b", "true"));
  EXPECT_FALSE(registry.add("http://a/b", "true"));
  EXPECT_EQ(registry.fault().reason, "there is another schema with this URI");
  EXPECT_FALSE(registry.compile("http://a/c"));
  EXPECT_EQ(registry.fault().reason, "no schema has this URI");
  EXPECT_FALSE(registry.compile("http://a/b#/x"));
}

TEST(RegistryTest, AVocabularyThatIsRequiredMustBeKnown) {
  Registry registry;
  ASSERT_TRUE(registry.add("http://a/meta", R"({"$id":"http://a/meta","$vocabulary":{
      "https://json-schema.org/draft/2020-12/vocab/core":true,"http://a/strange":true}})"));
  EXPECT_FALSE(registry.add("http://a/s", R"({"$schema":"http://a/meta"})"));
  EXPECT_EQ(registry.fault().keyword, "$vocabulary");
}

}  // namespace
}  // namespace tercel::schema
