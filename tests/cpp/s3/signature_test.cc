#include "tercel/s3/signature.h"

#include <string>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr Stamp kStamp{"20130524T000000Z", "us-east-1"};
// The example "transferring payload in multiple chunks" of AWS.
constexpr std::string_view kSeed =
    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

SigningKey key() {
  return SigningKey{kSecret, kStamp.date(), kStamp.region};
}
std::string text(const HexDigest& digest) {
  return std::string{view(digest)};
}

TEST(SignatureTest, StringToSignHasAlgorithmTimestampScopeAndDigest) {
  EXPECT_EQ(string_to_sign(kStamp, sha256("")),
            "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n" +
                std::string{kEmptySha256Hex});
}

TEST(SignatureTest, IsTheHmacOfTheStringToSign) {
  const std::string region(kRegionBytesMax, 'r');
  const Stamp stamp{kStamp.timestamp, region};
  const SigningKey long_key{kSecret, stamp.date(), region};
  EXPECT_EQ(sign(long_key, stamp, sha256("x")),
            to_hex(long_key.hmac().sign(string_to_sign(stamp, sha256("x")))));
}

TEST(SignatureTest, VerifyKeepsAKeyOnlyWhenTheSignatureIsRight) {
  SigningKeyCache cache{4};
  const Secret secret{.id = 1, .text = kSecret};
  const Sha256Digest digest = sha256("request");
  const std::string right = text(sign(key(), kStamp, digest));
  std::string wrong = right;
  wrong[63] = wrong[63] == '0' ? '1' : '0';

  EXPECT_EQ(verify(cache, secret, kStamp, digest, wrong), nullptr);
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_NE(verify(cache, secret, kStamp, digest, right), nullptr);
  EXPECT_EQ(cache.size(), 1U);
  // Now with the key of the cache, of which the secret is no longer needed.
  EXPECT_NE(verify(cache, {.id = 1}, kStamp, digest, right), nullptr);
  EXPECT_EQ(verify(cache, secret, kStamp, digest, wrong), nullptr);
  EXPECT_EQ(verify(cache, secret, kStamp, sha256("other"), right), nullptr);
  EXPECT_EQ(verify(cache, secret, kStamp, digest, ""), nullptr);
  // A new secret does not meet the key of the old one.
  EXPECT_EQ(verify(cache, {.id = 2, .text = "new"}, kStamp, digest, right), nullptr);
}

TEST(SignatureTest, TimestampAndRegionAreSigned) {
  const Sha256Digest digest = sha256("request");
  const std::string right = text(sign(key(), kStamp, digest));
  SigningKeyCache cache{4};
  const Secret secret{.id = 1, .text = kSecret};
  EXPECT_EQ(verify(cache, secret, {"20130524T000001Z", "us-east-1"}, digest, right), nullptr);
  EXPECT_EQ(verify(cache, secret, {"20130525T000000Z", "us-east-1"}, digest, right), nullptr);
  EXPECT_EQ(verify(cache, secret, {"20130524T000000Z", "us-east-2"}, digest, right), nullptr);
}

TEST(ChunkSignerTest, SignaturesOfChunksAreThoseOfAws) {
  ChunkSigner signer{key(), kStamp, kSeed};
  EXPECT_EQ(text(signer.sign_chunk(sha256(std::string(65536, 'a')))),
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
  EXPECT_EQ(text(signer.sign_chunk(sha256(std::string(1024, 'a')))),
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
  EXPECT_EQ(text(signer.sign_chunk(sha256(""))),
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
}

TEST(ChunkSignerTest, ChunksAreVerifiedInTheirOrderOnly) {
  ChunkSigner signer{key(), kStamp, kSeed};
  const std::string first = text(signer.sign_chunk(sha256("one")));
  const std::string second = text(signer.sign_chunk(sha256("two")));
  const std::string trailer = text(signer.sign_trailer(sha256("a:b\n")));

  ChunkSigner right{key(), kStamp, kSeed};
  EXPECT_TRUE(right.verify_chunk(sha256("one"), first));
  EXPECT_TRUE(right.verify_chunk(sha256("two"), second));
  EXPECT_TRUE(right.verify_trailer(sha256("a:b\n"), trailer));
  EXPECT_FALSE(right.verify_trailer(sha256("a:c\n"), trailer));

  ChunkSigner swapped{key(), kStamp, kSeed};
  EXPECT_FALSE(swapped.verify_chunk(sha256("two"), second));
  ChunkSigner changed{key(), kStamp, kSeed};
  EXPECT_FALSE(changed.verify_chunk(sha256("One"), first));
  EXPECT_FALSE(changed.verify_chunk(sha256("two"), second));
  // A trailer in place of a chunk, and the other way round.
  ChunkSigner confused{key(), kStamp, kSeed};
  EXPECT_FALSE(confused.verify_trailer(sha256("one"), first));
  EXPECT_FALSE(confused.verify_chunk(sha256("a:b\n"), trailer));
}

TEST(ChunkSignerTest, OutlivesTheRequestAndTheKey) {
  std::string timestamp{kStamp.timestamp};
  std::string region{kStamp.region};
  std::string seed{kSeed};
  ChunkSigner signer{key(), {timestamp, region}, seed};
  for (std::string* text : {&timestamp, &region, &seed}) text->assign(text->size(), 'x');
  EXPECT_EQ(text(signer.sign_chunk(sha256(std::string(65536, 'a')))),
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
}

}  // namespace
}  // namespace tercel::s3
