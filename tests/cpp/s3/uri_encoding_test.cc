#include "tercel/s3/uri_encoding.h"

#include <string>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

std::string encode(std::string_view text, Part part) {
  std::string out;
  StringSink sink{out};
  write_encoded(text, part, sink);
  std::string bytes;
  EncodedBytes generator{text, part};
  for (int byte = generator.next(); byte >= 0; byte = generator.next()) {
    bytes += static_cast<char>(byte);
  }
  EXPECT_EQ(bytes, out);
  EXPECT_EQ(generator.next(), -1);
  EXPECT_EQ(is_encoded(text, part), out == text) << text;
  EXPECT_TRUE(is_encoded(out, part)) << out;
  return out;
}

TEST(UriEncodingTest, PathIsDecodedOnceAndEncodedOnce) {
  EXPECT_EQ(encode("/a b+c", Part::kPath), "/a%20b%2Bc");
  EXPECT_EQ(encode("/100%2525%2520off", Part::kPath), "/100%2525%2520off");
  EXPECT_EQ(encode("/%7e%41%2f%e2%82%ac", Part::kPath), "/~A/%E2%82%AC");
  EXPECT_EQ(encode("/!$&'()*,;=:@", Part::kPath), "/%21%24%26%27%28%29%2A%2C%3B%3D%3A%40");
}

TEST(UriEncodingTest, PathKeepsDotSegmentsAndDoubleSlashes) {
  EXPECT_EQ(encode("/bkt//a//./../b/", Part::kPath), "/bkt//a//./../b/");
}

TEST(UriEncodingTest, SlashOfAQueryIsEncodedAndPlusIsASpace) {
  EXPECT_EQ(encode("a/b+c%2Bd%2f", Part::kQuery), "a%2Fb%20c%2Bd%2F");
}

TEST(UriEncodingTest, EveryByteIsItselfOrThreeInUpperCase) {
  for (int i = 0; i < 256; ++i) {
    const Escape escape{static_cast<char>(i)};
    const std::string text{escape.text, 3};
    const char c = static_cast<char>(i);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       std::string_view{"-._~"}.find(c) != std::string_view::npos;
    EXPECT_EQ(encode(text, Part::kQuery), plain ? std::string{c} : text);
    EXPECT_EQ(encode(text, Part::kPath), plain || c == '/' ? std::string{c} : text);
    if (c != '%' && c != '+') {
      EXPECT_EQ(encode({&c, 1}, Part::kQuery), plain ? std::string{c} : text);
    }
    EXPECT_TRUE(decodes_to(text, {&c, 1}, Part::kQuery));
  }
}

TEST(UriEncodingTest, DecodesToComparesAll) {
  EXPECT_TRUE(decodes_to("X%2DAmz", "X-Amz", Part::kQuery));
  EXPECT_TRUE(decodes_to("", "", Part::kQuery));
  EXPECT_FALSE(decodes_to("X-Am", "X-Amz", Part::kQuery));
  EXPECT_FALSE(decodes_to("X-Amzz", "X-Amz", Part::kQuery));
  EXPECT_FALSE(decodes_to("x-amz", "X-Amz", Part::kQuery));
}

}  // namespace
}  // namespace tercel::s3
