#include "tercel/s3/canonical_request.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocations.h"

namespace tercel::s3 {
namespace {

struct Example {
  std::vector<http::Field> fields = {{"host", "h"}};
  std::string_view signed_headers = "host";
  std::string_view path = "/b/k";
  std::string_view query_text = {};
  Query query = {};

  CanonicalRequest canonical() {
    EXPECT_FALSE(query.parse(query_text));
    return {"GET", path, &query, fields, signed_headers, "UNSIGNED-PAYLOAD"};
  }
};

std::string canonical(Example example) {
  const CanonicalRequest request = example.canonical();
  const auto text = canonical_text(request);
  const auto digest = canonical_digest(request);
  EXPECT_EQ(digest.has_value(), text.has_value());
  if (!text) return "(none)";
  EXPECT_EQ(*digest, sha256(*text));
  return *text;
}

TEST(CanonicalRequestTest, IsSevenPartsWithLineFeedsBetweenThem) {
  EXPECT_EQ(canonical({.query_text = "uploads&X-Amz-Signature=0"}),
            "GET\n/b/k\nuploads=\nhost:h\n\nhost\nUNSIGNED-PAYLOAD");
}

TEST(CanonicalRequestTest, EmptyPathIsASlash) {
  EXPECT_EQ(canonical({.path = ""}), "GET\n/\n\nhost:h\n\nhost\nUNSIGNED-PAYLOAD");
}

TEST(CanonicalRequestTest, RepeatedHeadersAreJoinedInTheOrderOfArrival) {
  EXPECT_EQ(canonical({.fields = {{"x-amz-meta-a", "2"}, {"host", "h"}, {"x-amz-meta-a", "1"}},
                       .signed_headers = "host;x-amz-meta-a"}),
            "GET\n/b/k\n\nhost:h\nx-amz-meta-a:2,1\n\nhost;x-amz-meta-a\nUNSIGNED-PAYLOAD");
}

TEST(CanonicalRequestTest, BlanksAreTrimmedAndRunsBecomeOneSpace) {
  EXPECT_EQ(canonical({.fields = {{"host", " \t a  b\t\tc \td "}}}),
            "GET\n/b/k\n\nhost:a b c d\n\nhost\nUNSIGNED-PAYLOAD");
}

TEST(CanonicalRequestTest, EmptyValueIsNotAnAbsentHeader) {
  EXPECT_EQ(canonical({.fields = {{"host", ""}}}), "GET\n/b/k\n\nhost:\n\nhost\nUNSIGNED-PAYLOAD");
  EXPECT_EQ(canonical({.fields = {}}), "(none)");
  EXPECT_EQ(canonical({.signed_headers = "host;range"}), "(none)");
  EXPECT_EQ(canonical({.signed_headers = ""}), "(none)");
}

TEST(CanonicalRequestTest, HeadersThatAreNotSignedAreLeftOut) {
  EXPECT_EQ(canonical({.fields = {{"user-agent", "x"}, {"host", "h"}}}), canonical({}));
}

TEST(CanonicalRequestTest, MalformedEscapeOfThePathIsRefused) {
  EXPECT_EQ(canonical({.path = "/%"}), "(none)");
  EXPECT_EQ(canonical({.path = "/%4"}), "(none)");
  EXPECT_EQ(canonical({.path = "/%zz"}), "(none)");
}

// The hash collects pieces: texts around and above the size of its buffer.
TEST(CanonicalRequestTest, TextsOfAnyLengthAreHashedAsTheyAre) {
  for (std::size_t bytes = 440; bytes < 560; ++bytes) {
    const std::string path = "/" + std::string(bytes, 'p');
    const std::string value(bytes * 3, 'v');
    EXPECT_EQ(canonical({.fields = {{"host", value}}, .path = path}),
              "GET\n" + path + "\n\nhost:" + value + "\n\nhost\nUNSIGNED-PAYLOAD");
  }
}

TEST(CanonicalRequestTest, DigestAllocatesNothing) {
  Example example{.fields = {{"host", "h"}, {"range", "bytes=0-9"}},
                  .signed_headers = "host;range",
                  .path = "/b/a b%20c",
                  .query_text = "b=1&a=%2f+"};
  const test::AllocationCount count;
  const auto digest = canonical_digest(example.canonical());
  EXPECT_EQ(count.so_far(), 0U);
  EXPECT_TRUE(digest);
}

TEST(CanonicalRequestTest, PathToSendOnIsTheOneThatWasSigned) {
  std::string out;
  write_canonical_path("/b/%e4 +//./%2F", out);
  EXPECT_EQ(out, "/b/%E4%20%2B//.//");
}

}  // namespace
}  // namespace tercel::s3
