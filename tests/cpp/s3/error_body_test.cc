#include "tercel/s3/error_body.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tercel/base/utf8.h"

namespace tercel::s3 {
namespace {

std::string body(const Refusal& refusal, const ErrorContext& context = {}) {
  std::vector<char> memory(kErrorBodyBytesMax);
  return std::string{write_error_body(refusal, context, memory)};
}

// What stands in <Resource>.
std::string escaped(std::string_view text) {
  const std::string document = body(Refusal{ErrorCode::kAccessDenied}, {.resource = text});
  const std::size_t begin = document.find("<Resource>") + 10;
  return document.substr(begin, document.find("</Resource>") - begin);
}

TEST(S3ErrorBodyTest, IsTheDocumentThatClientsParse) {
  Refusal refusal{ErrorCode::kInvalidAccessKeyId};
  refusal.with("AWSAccessKeyId", "AK<&>");
  EXPECT_EQ(
      body(refusal, {.resource = "/b/k", .request_id = "R1", .host_id = "H1"}),
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<Error><Code>InvalidAccessKeyId</Code><Message>The AWS Access Key Id you provided does "
      "not exist in our records.</Message><AWSAccessKeyId>AK&lt;&amp;&gt;</AWSAccessKeyId>"
      "<Resource>/b/k</Resource><RequestId>R1</RequestId><HostId>H1</HostId></Error>");
}

TEST(S3ErrorBodyTest, WhatXmlHasNoFormForIsReplaced) {
  EXPECT_EQ(escaped("a\"'\r\n\tb"), "a&quot;&#39;&#13;\n\tb");
  EXPECT_EQ(escaped(std::string_view{"\0\x1F\x7F", 3}), "\xEF\xBF\xBD\xEF\xBF\xBD\x7F");
  EXPECT_EQ(escaped("\xE2\x82\xAC \xF0\x9F\x98\x80"), "\xE2\x82\xAC \xF0\x9F\x98\x80");
  EXPECT_EQ(escaped("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // A surrogate.
  EXPECT_EQ(escaped("\xEF\xBF\xBF"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // U+FFFF.
  EXPECT_EQ(escaped("\xC3"), "\xEF\xBF\xBD");
  EXPECT_EQ(escaped("\xC3<"), "\xEF\xBF\xBD&lt;");
}

TEST(S3ErrorBodyTest, EveryByteGivesUtf8WithoutMarkup) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const char text[] = {static_cast<char>(first), static_cast<char>(second)};
      const std::string out = escaped({text, 2});
      ASSERT_TRUE(is_utf8(out)) << first << ' ' << second;
      ASSERT_EQ(out.find_first_of("<>\"'"), std::string::npos) << first << ' ' << second;
    }
  }
}

TEST(S3ErrorBodyTest, LongestDocumentFits) {
  const std::string quotes(3 * kErrorTextBytesMax, '"');
  for (const ErrorCode code :
       {ErrorCode::kSignatureDoesNotMatch, ErrorCode::kMalformedTrailerError}) {
    Refusal refusal{code};
    for (std::size_t i = 0; i < Refusal::kElementsMax; ++i) {
      refusal.with("MaxAllowedSkewMilliseconds", quotes);
    }
    const std::string out =
        body(refusal, {.resource = quotes, .request_id = quotes, .host_id = quotes});
    EXPECT_LE(out.size(), kErrorBodyBytesMax);
    EXPECT_TRUE(out.ends_with("</HostId></Error>"));
  }
}

}  // namespace
}  // namespace tercel::s3
