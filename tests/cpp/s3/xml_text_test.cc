#include "tercel/s3/xml_text.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

std::string escaped(std::string_view text) {
  std::array<char, 64> out;
  const auto written = escape_xml(text, out);
  return written ? std::string{*written} : "too long";
}

std::string strip(std::string_view xml, std::string_view prefix,
                  UrlEncoded encoded = UrlEncoded::kNo) {
  const auto rest = strip_xml_prefix(xml, prefix, encoded);
  return rest ? "rest " + std::string{*rest} : "none";
}

TEST(XmlTextTest, WhatMeansSomethingIsEscaped) {
  EXPECT_EQ(escaped("plain/key"), "plain/key");
  EXPECT_EQ(escaped("<a b=\"c\" d='e'>&"), "&lt;a b=&quot;c&quot; d=&apos;e&apos;&gt;&amp;");
  EXPECT_EQ(escaped("\r\n\t"), "&#13;&#10;&#9;");
  EXPECT_EQ(escaped(std::string_view{"\0\x1b", 2}), "??");
  EXPECT_EQ(escaped("caf\xc3\xa9"), "caf\xc3\xa9");
}

TEST(XmlTextTest, IsHeldToItsRoom) {
  EXPECT_EQ(escaped(std::string(64, 'a')), std::string(64, 'a'));
  EXPECT_EQ(escaped(std::string(65, 'a')), "too long");
  EXPECT_EQ(escaped(std::string(60, 'a') + '<'), std::string(60, 'a') + "&lt;");
  EXPECT_EQ(escaped(std::string(61, 'a') + '<'), "too long");
}

TEST(XmlTextTest, APrefixIsComparedAsTheTextItStandsFor) {
  EXPECT_EQ(strip("a/b", "a/"), "rest b");
  EXPECT_EQ(strip("a/", "a/"), "rest ");
  EXPECT_EQ(strip("a", "a/"), "none");
  EXPECT_EQ(strip("b/b", "a/"), "none");
  EXPECT_EQ(strip("a&amp;b&lt;c", "a&"), "rest b&lt;c");
  EXPECT_EQ(strip("&#97;&#x2F;&#x2f;", "a/"), "rest &#x2f;");
  EXPECT_EQ(strip("&#xe9;&#x20ac;&#x1F600;x", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "rest x");
  EXPECT_EQ(strip("\xc3\xa9x", "\xc3\xa9"), "rest x");
  EXPECT_EQ(strip("a%2Fb", "a/"), "none");
}

TEST(XmlTextTest, APrefixMayBePercentEncodedToo) {
  EXPECT_EQ(strip("a%2Fb%20c", "a/", UrlEncoded::kYes), "rest b%20c");
  EXPECT_EQ(strip("a/b", "a/", UrlEncoded::kYes), "rest b");
  EXPECT_EQ(strip("a+b+c", "a ", UrlEncoded::kYes), "rest b+c");
  EXPECT_EQ(strip("%C3%A9x", "\xc3\xa9", UrlEncoded::kYes), "rest x");
  EXPECT_EQ(strip("&#37;2fb", "/", UrlEncoded::kYes), "rest b");
  EXPECT_EQ(strip("a%2", "a/", UrlEncoded::kYes), "none");
  EXPECT_EQ(strip("a%zz", "a/", UrlEncoded::kYes), "none");
}

std::string unescaped(std::string xml) {
  const auto text = unescape_xml(xml, xml);
  return text ? std::string{*text} : "none";
}

TEST(XmlTextTest, ATextIsReadAsWhoWroteItMeantIt) {
  EXPECT_EQ(unescaped(""), "");
  EXPECT_EQ(unescaped("a&amp;lt;&lt;&#x41;&#66;&quot;&apos;>"), "a&lt;<AB\"'>");
  EXPECT_EQ(unescaped("&#xe9;&#x20ac;&#x1F600;"), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(unescaped("a\r\nb\rc\nd\te&#13;&#10;"), "a\nb\nc\nd\te\r\n");
  for (const std::string bad : {"&", "a&b", "&e;", "&#0;", "&#1;", "&#x1f;", "\x01", "&#xd800;",
                                "&#x110000;", "&amp", "a&#;"}) {
    EXPECT_EQ(unescaped(bad), "none") << bad;
  }
  // What is written is read as what it was.
  const std::string all = "<a b=\"c\" d='e'>&\r\n\t\xc3\xa9";
  std::string written = "x";
  append_escaped_xml(all, written);
  EXPECT_EQ(unescaped(written), "x" + all);
}

TEST(XmlTextTest, AReferenceIsWellFormedAndWhole) {
  for (const std::string_view bad : {"&", "&amp", "&;", "&nbsp;", "&#;", "&#x;", "&#0;", "&#xd800;",
                                     "&#x110000;", "&#99999999999999999;", "&#-1;", "&#X41;"}) {
    EXPECT_EQ(strip(bad, "a"), "none") << bad;
  }
  EXPECT_EQ(strip("&#xd800;", "\xed\xa0\x80"), "none");
  // Cut in the middle of a character.
  EXPECT_EQ(strip("&#xe9;x", "\xc3"), "none");
}

}  // namespace
}  // namespace tercel::s3
