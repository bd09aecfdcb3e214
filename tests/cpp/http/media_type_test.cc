#include "tercel/http/media_type.h"

#include <string_view>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

TEST(MediaTypeTest, IsTypeSubtypeAndParameters) {
  const auto type = parse_media_type("Text/HTML ; Charset=\"utf-8\";x=y");
  ASSERT_TRUE(type);
  EXPECT_EQ(type->type, "Text");
  EXPECT_EQ(type->subtype, "HTML");
  EXPECT_EQ(type->parameters, "; Charset=\"utf-8\";x=y");
  EXPECT_EQ(type->charset, Charset::kUtf8);
  EXPECT_EQ(type->boundary.data(), nullptr);
  EXPECT_TRUE(type->is("text", "html"));
  EXPECT_FALSE(type->is("text", "htm"));
  EXPECT_FALSE(type->is("tex", "html"));
  EXPECT_TRUE(parse_media_type("a/b;")->is("a", "b"));
}

TEST(MediaTypeTest, IsRefusedWhenMalformed) {
  for (std::string_view bad : {"", "json", "/", "a/", "/b", "a/b/c", "a /b", "a/ b", "a/b c",
                               "a/b, c/d", "a/b;c", "a/b;c=d e", "a/b;c=\"d", "a/b;=",
                               "a/b;charset=utf-8;charset=utf-8", "a/b;Charset=x;charset=y",
                               "a/b;boundary=a;BOUNDARY=a", "a/b;boundary=;boundary=", "\xc3/b"}) {
    const auto type = parse_media_type(bad);
    ASSERT_FALSE(type) << bad;
    EXPECT_EQ(type.error(), Errc::kBadMediaType);
  }
}

TEST(MediaTypeTest, KnowsJson) {
  for (std::string_view json :
       {"application/json", "APPLICATION/Json", "application/json; charset=utf-8",
        "application/problem+json", "image/vnd.x+JSON", "application/a+b+json"}) {
    EXPECT_TRUE(parse_media_type(json)->is_json()) << json;
  }
  for (std::string_view other :
       {"text/json", "application/jsonp", "application/+json", "application/json+xml",
        "application/x-json", "json/application"}) {
    EXPECT_FALSE(parse_media_type(other)->is_json()) << other;
  }
}

TEST(MediaTypeTest, KnowsForms) {
  const auto form = parse_media_type("multipart/form-data; boundary=\"a b\"");
  EXPECT_TRUE(form->is_multipart_form());
  EXPECT_EQ(form->boundary, "a b");
  EXPECT_FALSE(form->is_urlencoded_form());
  EXPECT_TRUE(parse_media_type("application/X-WWW-form-urlencoded")->is_urlencoded_form());
  EXPECT_FALSE(parse_media_type("multipart/mixed")->is_multipart_form());
}

TEST(MediaTypeTest, JudgesCharsets) {
  const auto charset = [](std::string_view text) { return parse_media_type(text)->charset; };
  EXPECT_EQ(charset("a/b"), Charset::kAbsent);
  for (std::string_view utf8 : {"a/b;charset=UTF-8", "a/b;CHARSET=utf8", "a/b;charset=us-ascii",
                                "a/b;charset=\"ut\\f-8\""}) {
    EXPECT_EQ(charset(utf8), Charset::kUtf8) << utf8;
  }
  for (std::string_view other :
       {"a/b;charset=latin1", "a/b;charset=", "a/b;charset=utf-16", "a/b;charset=\"utf-8 \""}) {
    EXPECT_EQ(charset(other), Charset::kOther) << other;
  }
}

}  // namespace
}  // namespace tercel::http
