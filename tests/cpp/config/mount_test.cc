#include "tercel/config/mount.h"

#include <gtest/gtest.h>

namespace tercel::config {
namespace {

TEST(MountTest, IsAPathAndAFolder) {
  EXPECT_EQ(parse_mount("/assets=./dist"), (Mount{"/assets", "./dist"}));
  EXPECT_EQ(parse_mount("/a/b=/srv/a=b c"), (Mount{"/a/b", "/srv/a=b c"}));
  EXPECT_EQ(parse_mount("/=site"), (Mount{"", "site"}));
  EXPECT_EQ(parse_mount("/.well-known=acme"), (Mount{"/.well-known", "acme"}));
}

TEST(MountTest, RefusesWhatIsNeither) {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {""sv, "/assets"sv, "/assets="sv, "=dist"sv, "dist"sv, "assets=dist"sv, "/assets/=dist"sv,
        "//assets=dist"sv, "/a//b=dist"sv, "/a b=dist"sv, "/a%20b=dist"sv, "/a?b=dist"sv,
        "/a#b=dist"sv, "/a\n=dist"sv, "/a=di\0st"sv}) {
    EXPECT_EQ(parse_mount(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace tercel::config
