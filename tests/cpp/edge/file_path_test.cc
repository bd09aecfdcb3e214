#include "tercel/edge/file_path.h"

#include <string>

#include <gtest/gtest.h>

namespace tercel::edge {
namespace {

std::string read(std::string_view path, std::string_view prefix = "/a") {
  FilePath made;
  switch (made.read(path, prefix)) {
    case PathKind::kElsewhere:
      return "elsewhere";
    case PathKind::kRefused:
      return "refused";
    case PathKind::kFile:
      return "file " + std::string{made.text()};
    case PathKind::kFolder:
      return "folder " + std::string{made.text()};
  }
  return {};
}

TEST(FilePathTest, NamesAreCutAtSlashesAndDecodedOnce) {
  EXPECT_EQ(read("/a/css/site.css"), "file css/site.css");
  EXPECT_EQ(read("/a/caf%C3%A9%20au%20lait"), "file caf\xc3\xa9 au lait");
  EXPECT_EQ(read("/a/100%2525"), "file 100%25");
  EXPECT_EQ(read("/a/b/"), "folder b");
  EXPECT_EQ(read("/a/"), "folder .");
  EXPECT_EQ(read("/a"), "file .");
  EXPECT_EQ(read("/", ""), "folder .");
  EXPECT_EQ(read("/x", ""), "file x");
}

TEST(FilePathTest, APrefixIsWholeNames) {
  EXPECT_EQ(read("/ab/c"), "elsewhere");
  EXPECT_EQ(read("/"), "elsewhere");
  EXPECT_EQ(read("*", ""), "elsewhere");
  EXPECT_EQ(read("/%61/c"), "file c");
  EXPECT_EQ(read("/A/c"), "elsewhere");
  EXPECT_EQ(read("%2Fa/c"), "elsewhere");
  EXPECT_EQ(read("/a%2Fc"), "elsewhere");
  EXPECT_EQ(read("/a/b%2Fc", "/a/b/c"), "elsewhere");
  EXPECT_EQ(read("/a%2Fb/c", "/a/b"), "elsewhere");
  EXPECT_EQ(read("/a/b", "/a/b"), "file .");
  EXPECT_EQ(read("/a%", "/a%"), "file .");
}

TEST(FilePathTest, NoEncodingOfADotOrASlashLeadsElsewhere) {
  for (const std::string_view path :
       {"/a/..",          "/a/../a/x",     "/a/.",         "/a/./x",
        "/a/%2e%2e/x",    "/a/%2E%2e",     "/a/.%2e/x",    "/a/x/../../y",
        "/a/x%2f..%2fy",  "/a/%2e%2e%2fx", "/a/..%2fx",    "/a/%2Fetc%2Fpasswd",
        "/a//etc/passwd", "/a//",          "/a/x//y",      "/a/.git/config",
        "/a/x/.env",      "/a/%2egit",     "/a/x%00.html", "/a/%00",
        "/a/%",           "/a/x%2",        "/a/x%zz",      "/a/.../x"}) {
    EXPECT_EQ(read(path), "refused") << path;
  }
  // Decoded once: these are names.
  EXPECT_EQ(read("/a/%252e%252e/x"), "file %2e%2e/x");
  EXPECT_EQ(read("/a/..\\x"), "refused");
  EXPECT_EQ(read("/a/x\\..\\y"), "file x\\..\\y");
  EXPECT_EQ(read("/a/%c0%ae%c0%ae/x"), "file \xc0\xae\xc0\xae/x");
}

TEST(FilePathTest, WhatNoSystemCanOpenIsRefused) {
  const std::string longest(NAME_MAX, 'x');
  EXPECT_EQ(read("/a/" + longest), "file " + longest);
  EXPECT_EQ(read("/a/" + longest + "x"), "refused");
  EXPECT_EQ(read("/a/" + std::string(20'000, 'x')), "refused");
  std::string path = "/a";
  std::string text;
  while (text.size() + 1 + longest.size() <= FilePath::kPathBytesMax - (text.empty() ? 0 : 1)) {
    path += "/" + longest;
    text += (text.empty() ? "" : "/") + longest;
  }
  EXPECT_EQ(read(path), "file " + text);
  EXPECT_EQ(read(path + "/" + longest), "refused");
}

TEST(FilePathTest, EndingsComeAndGo) {
  FilePath path;
  ASSERT_EQ(path.read("/a/b/", "/a"), PathKind::kFolder);
  path.append("/index.html");
  path.append(".br");
  EXPECT_STREQ(path.c_str(), "b/index.html.br");
  path.cut(3);
  EXPECT_STREQ(path.c_str(), "b/index.html");
}

}  // namespace
}  // namespace tercel::edge
