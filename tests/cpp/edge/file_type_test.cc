#include "tercel/edge/file_type.h"

#include <string>

#include <gtest/gtest.h>

namespace tercel::edge {
namespace {

std::string_view type(std::string_view path) {
  return file_type(path).media_type;
}

TEST(FileTypeTest, IsThatOfTheLastExtensionInAnyCase) {
  EXPECT_EQ(type("index.html"), "text/html; charset=utf-8");
  EXPECT_EQ(type("css/SITE.CSS"), "text/css; charset=utf-8");
  EXPECT_EQ(type("app.min.js"), "text/javascript; charset=utf-8");
  EXPECT_EQ(type("app.wasm"), "application/wasm");
  EXPECT_EQ(type("a.7z"), "application/x-7z-compressed");
  EXPECT_EQ(type("a.zst"), "application/zstd");
  EXPECT_EQ(type("site.webmanifest"), "application/manifest+json");
}

TEST(FileTypeTest, WhatIsNotKnownIsBytes) {
  for (const std::string_view path : {"", ".", "README", "a.", "a.html/b", "a.htmlx", "html",
                                      "a.verylongextension", "a.js.unknown", "a.\xc3\xa9"}) {
    EXPECT_EQ(type(path), "application/octet-stream") << path;
  }
}

TEST(FileTypeTest, SaysWhatIsCompressedAlready) {
  EXPECT_TRUE(file_type("a.svg").compressible);
  EXPECT_TRUE(file_type("LICENSE").compressible);
  EXPECT_FALSE(file_type("a.png").compressible);
  EXPECT_FALSE(file_type("app.js.gz").compressible);
}

}  // namespace
}  // namespace tercel::edge
