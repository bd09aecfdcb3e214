#include "tercel/s3/delete_objects.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

constexpr std::string_view kBegin =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";

std::string map_split(std::string_view document, std::size_t cut, std::string_view prefix) {
  DeletedKeys keys{prefix};
  for (const std::string_view piece : {document.substr(0, cut), document.substr(cut)}) {
    if (const auto error = keys.take(piece)) return std::string{info(*error).code};
  }
  if (const auto error = keys.finish()) return std::string{info(*error).code};
  EXPECT_TRUE(keys.document().starts_with(kBegin));
  EXPECT_TRUE(keys.document().ends_with("</Delete>"));
  return keys.document().substr(kBegin.size(), keys.document().size() - kBegin.size() - 9);
}

std::string map(std::string_view document, std::string_view prefix = "team-a/") {
  std::string whole = map_split(document, document.size(), prefix);
  DeletedKeys bytewise{prefix};
  for (std::size_t cut = 0; cut < document.size() && document.size() < 2000; ++cut) {
    EXPECT_EQ(map_split(document, cut, prefix), whole) << cut << " of " << document;
  }
  return whole;
}

TEST(DeleteObjectsTest, KeysAreBehindThePrefix) {
  EXPECT_EQ(map("<?xml version='1.0'?>\n<Delete xmlns=\"x\">\n <Object><Key>a/b</Key></Object>\n"
                "<Object><VersionId>v1</VersionId><Key> c </Key></Object>"
                "<Quiet>true</Quiet></Delete>\n"),
            "<Object><Key>team-a/a/b</Key></Object>"
            "<Object><Key>team-a/ c </Key><VersionId>v1</VersionId></Object>"
            "<Quiet>true</Quiet>");
  EXPECT_EQ(map("<s3:Delete><s3:Quiet>false</s3:Quiet><s3:Object><s3:Key>a</s3:Key><s3:ETag>&quot;e"
                "&quot;</s3:ETag><s3:LastModifiedTime>t</s3:LastModifiedTime><s3:Size>5</s3:Size>"
                "</s3:Object></s3:Delete>"),
            "<Object><Key>team-a/a</Key><ETag>&quot;e&quot;</ETag>"
            "<LastModifiedTime>t</LastModifiedTime><Size>5</Size></Object>");
  EXPECT_EQ(map("<Delete><Object><Key>a</Key><VersionId/></Object><Quiet/></Delete>"),
            "<Object><Key>team-a/a</Key></Object>");
}

TEST(DeleteObjectsTest, TextsAreTheSameTexts) {
  EXPECT_EQ(
      map("<Delete><Object><Key>&lt;a&gt;&amp;amp;&#x41;&#10;&#13;\r\n\r&apos;\t</Key></Object>"
          "</Delete>",
          "a&b/"),
      "<Object><Key>a&amp;b/&lt;a&gt;&amp;amp;A&#10;&#13;&#10;&#10;&apos;&#9;</Key></Object>");
  EXPECT_EQ(map("<Delete><Object><Key>\xc3\xbc&#xfc;&#x1F600;</Key></Object></Delete>"),
            "<Object><Key>team-a/\xc3\xbc\xc3\xbc\xf0\x9f\x98\x80</Key></Object>");
}

// Whatever another parser would read there, it is not passed on.
TEST(DeleteObjectsTest, WhatIsNotUnderstoodIsRefused) {
  for (const std::string_view bad :
       {"",
        "plain",
        "<Delete/>",
        "<Delete></Delete>",
        "<Delete><Quiet>true</Quiet></Delete>",
        "<Delete><Object/></Delete>",
        "<Delete><Object></Object></Delete>",
        "<Delete><Object><Key/></Object></Delete>",
        "<Delete><Object><Key></Key></Object></Delete>",
        "<Delete><Object><VersionId>v</VersionId></Object></Delete>",
        "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>",
        "<Delete><Object><Key>a</Key><key>b</key></Object></Delete>",
        "<Delete><Object><Key>a</Key><X><Key>b</Key></X></Object></Delete>",
        "<Delete><Object><Key>a<b>c</b></Key></Object></Delete>",
        "<Delete><Object><Key><![CDATA[a]]></Key></Object></Delete>",
        "<Delete><Object><Key>a<!-- b --></Key></Object></Delete>",
        "<Delete><Object><Key>a<?b?></Key></Object></Delete>",
        "<Delete><Key>a</Key></Delete>",
        "<Delete><Objects><Key>a</Key></Objects></Delete>",
        "<Delete><ObjectX><Key>a</Key></ObjectX></Delete>",
        "<Delete><Object><Key>a</Key></Object><Object2/></Delete>",
        "<Remove><Object><Key>a</Key></Object></Remove>",
        "<X><Delete><Object><Key>a</Key></Object></Delete></X>",
        "<Delete><Object><Key>a</Key></Object></Delete><Delete/>",
        "<Delete><Object><Key>a</Key></Object></Delete>"
        "<Delete><Object><Key>b</Key></Object></Delete>",
        "<Delete><Object><Key>a</Key></Object>",
        "<Delete><Object><Key>a",
        "<Delete><Object><Key>a</Key></Delete></Object>",
        "<!DOCTYPE Delete [<!ENTITY e \"../b\">]><Delete><Object><Key>&e;</Key></Object></Delete>",
        "<Delete><Object><Key>&e;</Key></Object></Delete>",
        "<Delete><Object><Key>&#1;</Key></Object></Delete>",
        "<Delete><Object><Key>&#0;</Key></Object></Delete>",
        "<Delete><Object><Key>a&amp</Key></Object></Delete>",
        "<Delete><Object><Key>\x01</Key></Object></Delete>",
        "<Delete><Object><Key>\xff</Key></Object></Delete>",
        "<Delete><Object><Key>a</Key></Object><Quiet>yes</Quiet></Delete>",
        "<Delete><Quiet/><Quiet/><Object><Key>a</Key></Object></Delete>"}) {
    EXPECT_EQ(map(bad), "MalformedXML") << bad;
  }
}

TEST(DeleteObjectsTest, NoKeyClimbsOut) {
  for (const std::string_view bad : {"../b", "a/&#46;&#x2e;/b", "%2e%2e/b", "..", "a\\..\\b"}) {
    EXPECT_EQ(map("<Delete><Object><Key>ok</Key></Object><Object><Key>" + std::string{bad} +
                  "</Key></Object></Delete>"),
              "InvalidArgument")
        << bad;
  }
  EXPECT_EQ(map("<Delete><Object><Key>a</Key><VersionId>../b</VersionId></Object></Delete>"),
            "InvalidArgument");
  EXPECT_EQ(map("<Delete><Object><Key>" + std::string(1018, 'k') + "</Key></Object></Delete>"),
            "KeyTooLongError");
}

std::string objects(std::size_t count, std::string_view key) {
  std::string document = "<Delete>";
  for (std::size_t i = 0; i < count; ++i) {
    document.append("<Object><Key>").append(key).append("</Key></Object>");
  }
  return document + "</Delete>";
}

TEST(DeleteObjectsTest, EverythingIsBounded) {
  EXPECT_EQ(map(objects(1000, "k")).size(),
            1000 * std::string_view{"<Object><Key>team-a/k</Key></Object>"}.size());
  EXPECT_EQ(map(objects(1001, "k")), "MalformedXML");
  EXPECT_EQ(map(objects(1, std::string(8193, ' '))), "MalformedXML");
  EXPECT_EQ(map(objects(1, "k") + std::string(DeletedKeys::kReadBytesMax, ' ')), "EntityTooLarge");
  // A thousand keys of the longest size are not too much, written as they are or in references.
  EXPECT_LT(map(objects(1000, std::string(1017, 'k'))).size(), DeletedKeys::kWrittenBytesMax);
  EXPECT_EQ(map(objects(1000, std::string(1017, '\''))), "EntityTooLarge");
}

}  // namespace
}  // namespace tercel::s3
