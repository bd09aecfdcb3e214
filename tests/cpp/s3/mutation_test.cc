// A signed request with one byte changed is refused, unless the change means nothing.
//
// What may change without a meaning is what the canonical request normalises: an escape written
// with other digits, blanks. So the rule that is tested is: what is accepted has the canonical
// request, the claim and the forwarded target of the original.
#include <string>

#include <gtest/gtest.h>

#include "s3/sigv4_request.h"
#include "tercel/s3/presign.h"

namespace tercel::s3 {
namespace {

// All that decides what a request does, once it is accepted.
std::string meaning(const Reading& reading) {
  const Claim& claim = reading.claim;
  std::string out = *canonical_text(claim.canonical(reading.request, reading.query)) + '\n';
  write_canonical_path(reading.request.path, out);
  reading.query.write_canonical(Query::Without::kAuthentication, out += '?');
  out.append("\n").append(claim.stamp().timestamp).append("/").append(claim.region);
  return out.append("/").append(claim.session_token);
}

// Changes each byte of `text`, a part of `request`, to others, and reads the request each time.
// Returns how many were accepted.
int mutate(TestRequest& request, std::string& text, const std::string& original) {
  int accepted = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char right = text[i];
    for (int bit = 0; bit < 8; ++bit) {
      text[i] = static_cast<char>(right ^ (1 << bit));
      const Reading reading{request};
      if (reading.outcome() == "valid") {
        ++accepted;
        EXPECT_EQ(meaning(reading), original) << text;
      }
    }
    text[i] = right;
  }
  return accepted;
}

TEST(MutationTest, NoByteOfASignedRequestCanBeChanged) {
  TestRequest request =
      signed_request({.method = "PUT",
                      .path = "/bucket/a%20b/\xC3\xA4",
                      .query = "partNumber=1&uploadId=a%2Fb",
                      .headers = {{"x-amz-meta-a", "one  two"}, {"content-type", "text/plain"}}},
                     "s3.example.test:9000", kEmptySha256Hex, "token");
  const std::string original = meaning(Reading{request});
  EXPECT_EQ(mutate(request, request.method, original), 0);
  // %20 and %2F with a digit in lower case; the space as '+' is not one bit away.
  EXPECT_EQ(mutate(request, request.path, original), 0);
  EXPECT_EQ(mutate(request, request.query, original), 1);
  for (auto& [name, value] : request.headers) {
    EXPECT_EQ(mutate(request, name, original), 0) << name;
    if (name != "authorization") {
      // "one  two": a space more or less is the same; no other byte is.
      EXPECT_EQ(mutate(request, value, original), 0) << name;
      continue;
    }
    // The access key stands in no hash: another one has another secret.
    const std::size_t key = value.find(kTestKey);
    const int accepted = mutate(request, value, original);
    std::string access_key = value.substr(key, kTestKey.size());
    EXPECT_GT(accepted, 0);
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i >= key && i < key + kTestKey.size()) continue;
      const char right = value[i];
      for (int byte = 0; byte < 256; ++byte) {
        if (byte == static_cast<unsigned char>(right)) continue;
        value[i] = static_cast<char>(byte);
        const Reading reading{request};
        // A tab is a blank as a space is.
        if (right == ' ' && byte == '\t') continue;
        EXPECT_NE(reading.outcome(), "valid") << value;
      }
      value[i] = right;
    }
  }
}

TEST(MutationTest, NoByteOfAPresignedQueryCanBeChanged) {
  TestRequest request{.headers = {{"host", "h"}}};
  const SigningKey key = test_signing_key();
  ASSERT_FALSE(write_presigned_query({.method = "GET",
                                      .path = request.path,
                                      .query = "versionId=a%2Fb",
                                      .host = "h",
                                      .identity = {.access_key = kTestKey,
                                                   .key = &key,
                                                   .region = "us-east-1",
                                                   .session_token = "t/k",
                                                   .time = to_amz_date(kTestNow)}},
                                     request.query));
  const std::string original = meaning(Reading{request});
  // The access key is in the canonical query here. Left are digits of %2F in lower case: four of
  // the credential, one of the version, one of the token.
  EXPECT_EQ(mutate(request, request.query, original), 6);
}

// A header that is added, removed or moved.
TEST(MutationTest, NoSignedHeaderCanBeTakenAwayOrRepeated) {
  const TestRequest request =
      signed_request({.headers = {{"x-amz-meta-a", "1"}, {"content-type", "a/b"}}});
  for (const auto& [name, value] : request.headers) {
    TestRequest without = request;
    const std::string outcome = Reading{without.remove(name)}.outcome();
    EXPECT_NE(outcome, "valid") << name;
    TestRequest repeated = request;
    repeated.headers.emplace_back(name, value);
    EXPECT_NE(Reading{repeated}.outcome(), "valid") << name;
  }
}

}  // namespace
}  // namespace tercel::s3
