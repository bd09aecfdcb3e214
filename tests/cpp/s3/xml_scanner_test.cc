#include "tercel/s3/xml_scanner.h"

#include <string>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

// "+a/b" opens, "=a/b" is empty, "-" closes, "!" is other markup, "X" is where it failed.
struct Walk {
  std::string events;
  XmlScanner scanner;

  void feed(std::string_view bytes) {
    for (;;) {
      switch (scanner.next(bytes)) {
        case XmlScanner::Event::kNeedMore:
          EXPECT_TRUE(bytes.empty());
          return;
        case XmlScanner::Event::kOpen:
          events.append("+").append(scanner.path()).append(" ");
          break;
        case XmlScanner::Event::kEmpty:
          events.append("=").append(scanner.path()).append(" ");
          break;
        case XmlScanner::Event::kClose:
          events += "- ";
          break;
        case XmlScanner::Event::kMarkup:
          events += "! ";
          break;
        case XmlScanner::Event::kFailed:
          if (!events.ends_with('X')) events += "X";
          return;
      }
    }
  }
};

std::string walk(std::string_view document) {
  Walk whole;
  whole.feed(document);
  Walk bytes;
  for (const char& c : document) bytes.feed({&c, 1});
  EXPECT_EQ(bytes.events, whole.events) << document;
  for (std::size_t cut = 1; cut < document.size(); ++cut) {
    Walk halves;
    halves.feed(document.substr(0, cut));
    halves.feed(document.substr(cut));
    EXPECT_EQ(halves.events, whole.events) << cut << " of " << document;
  }
  return whole.events;
}

TEST(XmlScannerTest, TellsWhereElementsBeginAndEnd) {
  EXPECT_EQ(walk("<a><b>text</b><b/></a>"), "+a +a/b - =a/b - ");
  EXPECT_EQ(walk("<a><b><c><d><e/></d></c></b></a>"), "+a +a/b +a/b/c +a/b/c =a/b/c - - - - ");
  EXPECT_EQ(walk("<a ></a >"), "+a - ");
  EXPECT_EQ(walk("<a\n/>"), "=a ");
  EXPECT_EQ(walk("<s3:a><s3:b/></s3:a>"), "+a =a/b - ");
  EXPECT_EQ(walk("<\xc3\xa9_1-2.x></\xc3\xa9_1-2.x>"), "+\xc3\xa9_1-2.x - ");
}

TEST(XmlScannerTest, AttributesAreNoMarkup) {
  EXPECT_EQ(walk("<a x=\"/>\" y='\">'>t</a>"), "+a - ");
  EXPECT_EQ(walk("<a x='1'/>"), "=a ");
  EXPECT_EQ(walk("<a x=\"<\">"), "X");
  EXPECT_EQ(walk("<a x=1 <b>"), "X");
}

TEST(XmlScannerTest, OtherMarkupIsPassedOver) {
  EXPECT_EQ(walk("<?xml version=\"1.0\"?>\n<a/>"), "! =a ");
  EXPECT_EQ(walk("<? > ?? ?><a/>"), "! =a ");
  EXPECT_EQ(walk("<a><!-- <b> - -> --></a>"), "+a ! - ");
  EXPECT_EQ(walk("<a><!----></a>"), "+a ! - ");
  EXPECT_EQ(walk("<a><!-- ---></a>"), "+a ! - ");
  EXPECT_EQ(walk("<a><![CDATA[<b>]] ]>]]]></a>"), "+a ! - ");
  EXPECT_EQ(walk("<a><![CDATA[]]></a>"), "+a ! - ");
}

TEST(XmlScannerTest, WhatIsAroundTheRootIsPassedOver) {
  EXPECT_EQ(walk("\xef\xbb\xbf  \n<a/> \n"), "=a ");
  EXPECT_EQ(walk(""), "");
  EXPECT_EQ(walk("{}"), "");
}

TEST(XmlScannerTest, TagsNest) {
  EXPECT_EQ(walk("<a></b>"), "+a X");
  EXPECT_EQ(walk("<a><b></a></b>"), "+a +a/b X");
  EXPECT_EQ(walk("</a>"), "X");
  EXPECT_EQ(walk("<a/></a>"), "=a X");
  EXPECT_EQ(walk("<a></ a>"), "+a X");
  EXPECT_EQ(walk("<a></a b>"), "+a X");
}

TEST(XmlScannerTest, WhatIsNoXmlFails) {
  for (const std::string_view bad :
       {"< a>", "<1>", "<>", "<a/ >", "<a&>", "<<a>", "<a<b>", "<!DOCTYPE a>", "<!ENTITY x 'y'>",
        "<![CDAT[x]]>", "<![cdata[x]]>", "<!-x-->"}) {
    EXPECT_TRUE(walk(bad).ends_with("X")) << bad;
  }
}

TEST(XmlScannerTest, NamesAndDepthAreBounded) {
  const std::string name(XmlScanner::kNameBytesMax, 'n');
  EXPECT_EQ(walk("<" + name + "/>"), "=" + name + " ");
  EXPECT_EQ(walk("<" + name + "n/>"), "X");
  const std::string three = "<" + name + "><" + name + "><" + name + ">";
  EXPECT_EQ(walk(three).size(), 6 * name.size() + 3 * 2 + 3);

  std::string deep;
  for (std::uint32_t i = 0; i < XmlScanner::kDepthMax; ++i) deep += "<a>";
  EXPECT_FALSE(walk(deep).ends_with("X"));
  EXPECT_TRUE(walk(deep + "<a>").ends_with("X"));
}

}  // namespace
}  // namespace tercel::s3
