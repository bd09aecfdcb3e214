#include "tercel/route/template.h"

#include <string>

#include <gtest/gtest.h>

namespace tercel::route {
namespace {

// One text for each segment: its kind, then literals and fields as they follow each other.
std::string shape(std::string_view text) {
  Template parsed;
  if (auto problem = parse_template(text, nullptr, parsed)) return *problem;
  EXPECT_EQ(parsed.text, text);
  std::string out;
  for (const TemplateSegment& segment : parsed.segments) {
    out += "LMFR"[static_cast<std::size_t>(segment.kind)];
    for (std::size_t i = 0; i < segment.literals.size(); ++i) {
      out += '[' + segment.literals[i] + ']';
      if (i < segment.fields.size()) out += segment.fields[i].name;
    }
    out += ' ';
  }
  return out;
}

TEST(TemplateTest, IsMadeOfSegments) {
  EXPECT_EQ(shape("/"), "L[] ");
  EXPECT_EQ(shape("/a/b"), "L[a] L[b] ");
  EXPECT_EQ(shape("/a/"), "L[a] L[] ");
  EXPECT_EQ(shape("//a"), "L[] L[a] ");
  EXPECT_EQ(shape("/{x}"), "F[]x[] ");
  EXPECT_EQ(shape("/{x:int}/{_y9:path}"), "F[]x[] R[]_y9[] ");
  EXPECT_EQ(shape("/v{x}"), "M[v]x[] ");
  EXPECT_EQ(shape("/{a}:{b}...{c}:{d}"), "M[]a[:]b[...]c[:]d[] ");
  EXPECT_EQ(shape("/archive/{name}.{ext}"), "L[archive] M[]name[.]ext[] ");
  EXPECT_EQ(shape("/caf\xC3\xA9/{gr\xC3\xB6\xC3\x9F"
                  "e}"),
            "L[caf\xC3\xA9] F[]gr\xC3\xB6\xC3\x9F"
            "e[] ");
  EXPECT_EQ(shape("/100%/a b"), "L[100%] L[a b] ");
}

TEST(TemplateTest, ReadsConvertersWithArguments) {
  Template parsed;
  ASSERT_FALSE(
      parse_template("/{n:int(min=1, max=10, num_digits=2)}/{t:datetime(\"/%Y){}%m%d\")}.x/"
                     "{s:str()}",
                     nullptr, parsed));
  ASSERT_EQ(parsed.segments.size(), 3U);
  const Converter& integer = parsed.segments[0].fields[0].converter;
  EXPECT_EQ(integer.kind(), ConverterKind::kInt);
  EXPECT_EQ(integer.integer_min(), 1);
  EXPECT_EQ(integer.integer_max(), 10);
  EXPECT_EQ(integer.num_digits(), 2U);
  EXPECT_EQ(parsed.segments[1].fields[0].converter.format(), "/%Y){}%m%d");
  EXPECT_EQ(parsed.segments[1].literals[1], ".x");
  EXPECT_EQ(parsed.segments[2].fields[0].converter, Converter{});
}

TEST(TemplateTest, SaysWhatATemplateIs) {
  const struct {
    std::string_view text, rule;
  } cases[] = {
      {"", "begins with '/'"},
      {"a", "begins with '/'"},
      {"{x}", "begins with '/'"},
      {"/a}", "has a '{' before each '}'"},
      {"/{x}}", "has a '{' before each '}'"},
      {"/{", "has a name behind each '{'"},
      {"/{}", "has a name behind each '{'"},
      {"/{9}", "has a name behind each '{'"},
      {"/{ x}", "has a name behind each '{'"},
      {"/{{x}}", "has a name behind each '{'"},
      {"/{x", "has fields like {name} or {name:converter}"},
      {"/{x }", "has fields like {name} or {name:converter}"},
      {"/{x/y}", "has fields like {name} or {name:converter}"},
      {"/{x-y}", "has fields like {name} or {name:converter}"},
      {"/{x:int", "has fields like {name} or {name:converter}"},
      {"/{x:int()", "has fields like {name} or {name:converter}"},
      {"/{x:int()y}", "has fields like {name} or {name:converter}"},
      {"/{x:}", "has a converter behind each ':' of a field"},
      {"/{x:int(}", "has a ')' for each '(' of a field"},
      {"/{x:datetime('%Y)}", "has a ')' for each '(' of a field"},
      {"/{x}{y}", "has a literal between two fields"},
      {"/{x}/{x}", "has each field once, but {x} is there twice"},
      {"/{x}-{x}", "has each field once, but {x} is there twice"},
      {"/{x:path}/a", "ends in its path field, the only one in there"},
      {"/{x:path}/", "ends in its path field, the only one in there"},
      {"/a{x:path}", "ends in its path field, the only one in there"},
      {"/{x:path}.y", "ends in its path field, the only one in there"},
      {"/{y}.{x:path}", "ends in its path field, the only one in there"},
      {"/a?b", "has no query and no fragment"},
      {"/a#b", "has no query and no fragment"},
      {"/a\nb", "has no control characters"},
      {"/a\x7F", "has no control characters"},
      {"/a%20b", "has its literals decoded, not as %XX"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(shape(each.text),
              "\"" + std::string{each.text} + "\": a template " + std::string{each.rule} + ".");
  }
  EXPECT_EQ(shape("/a/{x:flot}"), "\"/a/{x:flot}\": the converter of {x} is unknown: flot.");
  EXPECT_EQ(shape("/{x:int(low=1)}"),
            "\"/{x:int(low=1)}\": the converter of {x} takes no such argument: low.");
}

TEST(TemplateTest, HasLimits) {
  std::string segments;
  for (std::size_t i = 0; i < kSegmentsMax; ++i) segments += "/a";
  EXPECT_EQ(shape(segments).find("template"), std::string::npos);
  EXPECT_NE(shape(segments + "/a").find("at most 64 segments"), std::string::npos);

  std::string fields;
  for (std::size_t i = 0; i < kFieldsMax; ++i) fields += "/{f" + std::to_string(i) + "}";
  EXPECT_EQ(shape(fields).find("template"), std::string::npos);
  EXPECT_NE(shape(fields + "/{x}").find("at most 32 fields"), std::string::npos);

  const std::string literal(kTemplateBytesMax - 1, 'a');
  EXPECT_EQ(shape("/" + literal).find("at most"), std::string::npos);
  EXPECT_EQ(shape("/" + literal + "a"), "A template has at most 4096 bytes.");
}

}  // namespace
}  // namespace tercel::route
