// Known answers: the examples that AWS publishes, and requests that botocore signed.
//
// Read from the file that TERCEL_SIGV4_VECTORS names, or beside the repository. Skipped, and says
// so, when it is not there.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "s3/sigv4_request.h"
#include "tercel/http/chars.h"
#include "tercel/json/parser.h"

namespace tercel::s3 {
namespace {

std::string text(json::Value object, std::string_view name) {
  const auto value = object.find(name);
  return value ? std::string{value->string()} : std::string{};
}

TestRequest request_of(json::Value vector) {
  TestRequest request{
      text(vector, "method"), text(vector, "raw_path"), text(vector, "raw_query"), {}};
  for (const json::Value pair : vector.find("headers")->elements()) {
    std::string words[2];
    std::size_t count = 0;
    for (const json::Value word : pair.elements()) words[count++] = word.string();
    for (char& c : words[0]) c = http::to_lower(c);
    // As the parser of HTTP leaves values.
    request.headers.emplace_back(words[0], std::string{http::trim_blanks(words[1])});
  }
  return request;
}

// The request with the Authorization field of the vector.
TestRequest with_authorization(json::Value vector, const std::string& signed_headers,
                               const std::string& signature) {
  TestRequest request = request_of(vector);
  request.header("authorization") =
      "AWS4-HMAC-SHA256 Credential=" + text(vector, "access_key") + "/" +
      text(vector, "date").substr(0, 8) + "/" + text(vector, "region") +
      "/s3/aws4_request,SignedHeaders=" + signed_headers + ",Signature=" + signature;
  return request;
}

std::string chunk_data(json::Value chunk) {
  const auto byte = chunk.find("byte");
  return byte ? std::string(static_cast<std::size_t>(chunk.find("repeat")->int64()),
                            byte->string().front())
              : text(chunk, "text");
}

class VectorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* const named = std::getenv("TERCEL_SIGV4_VECTORS");
    const std::filesystem::path path{named != nullptr ? named : TERCEL_VECTORS};
    if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
    std::ifstream file{path, std::ios::binary};
    text_.assign(std::istreambuf_iterator<char>{file}, {});
    ASSERT_TRUE(parser_.parse(text_, document_));
  }

  void check_request(json::Value vector, json::Value expect) {
    std::string signed_headers;
    for (const json::Value name : vector.find("signed_headers")->elements()) {
      signed_headers.append(signed_headers.empty() ? "" : ";").append(name.string());
    }
    const std::string signature = text(expect, "signature");
    const Reading reading{text(vector, "kind") == "presigned"
                              ? request_of(vector)
                              : with_authorization(vector, signed_headers, signature)};
    EXPECT_EQ(reading.outcome(), "valid");
    const Claim& claim = reading.claim;
    EXPECT_EQ(claim.access_key, text(vector, "access_key"));
    EXPECT_EQ(claim.signed_headers, signed_headers);
    EXPECT_EQ(claim.payload_hash, text(vector, "payload_hash"));
    const CanonicalRequest canonical = claim.canonical(reading.request, reading.query);
    EXPECT_EQ(canonical_text(canonical), text(expect, "canonical_request"));
    EXPECT_EQ(canonical_digest(canonical), sha256(text(expect, "canonical_request")));
    EXPECT_EQ(string_to_sign(claim.stamp(), *canonical_digest(canonical)),
              text(expect, "string_to_sign"));
    check_chunks(vector, expect, signature);
  }

  void check_chunks(json::Value vector, json::Value expect, const std::string& seed) {
    const auto chunks = vector.find("chunks");
    if (!chunks) return;
    const std::string date = text(vector, "date");
    const std::string region = text(vector, "region");
    ChunkSigner signer{test_signing_key(), {date, region}, seed};
    auto signature = expect.find("chunk_signatures")->elements().begin();
    for (const json::Value chunk : chunks->elements()) {
      EXPECT_TRUE(signer.verify_chunk(sha256(chunk_data(chunk)), (*signature).string()));
      ++signature;
    }
    const auto trailers = vector.find("trailers");
    if (!trailers) return;
    std::string lines;
    for (const json::Value pair : trailers->elements()) {
      bool name = true;
      for (const json::Value word : pair.elements()) {
        lines.append(word.string()) += name ? ':' : '\n';
        name = false;
      }
    }
    EXPECT_EQ(view(to_hex(sha256(lines))), text(expect, "trailer_sha256"));
    EXPECT_TRUE(signer.verify_trailer(sha256(lines), text(expect, "trailer_signature")));
  }

  std::string text_;
  json::Parser parser_;
  json::Document document_;
};

TEST_F(VectorsTest, EveryKnownAnswerIsFound) {
  int vectors = 0;
  for (const json::Value vector : document_.root().find("vectors")->elements()) {
    SCOPED_TRACE(text(vector, "name"));
    ++vectors;
    const json::Value expect = *vector.find("expect");
    const std::string kind = text(vector, "kind");
    ASSERT_EQ(text(vector, "secret_key"), kTestSecret);
    const SigningKey key =
        test_signing_key(text(vector, "date").substr(0, 8), text(vector, "region"));
    if (kind == "post-policy") {
      EXPECT_EQ(view(to_hex(key.hmac().sign(text(vector, "policy_base64")))),
                text(expect, "signature"));
    } else if (kind == "signing-key") {
      std::string derived;
      const std::string hex = text(expect, "signing_key");
      for (std::size_t i = 0; i < hex.size(); i += 2) {
        derived += static_cast<char>(hex_value(hex[i]) << 4 | hex_value(hex[i + 1]));
      }
      EXPECT_EQ(HmacKey{derived}.sign("text"), key.hmac().sign("text"));
    } else {
      check_request(vector, expect);
    }
  }
  EXPECT_GE(vectors, 25);
}

}  // namespace
}  // namespace tercel::s3
