#include "tercel/s3/aws_chunked.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "s3/aws_chunked_input.h"
#include "support/allocations.h"

namespace tercel::s3 {
namespace {

using enum ChecksumAlgorithm;

std::string decode(const AwsChunkedOptions& options, bool sign, std::string_view body) {
  const std::string whole = decode_in_steps(options, sign, body, body.size() + 1);
  EXPECT_EQ(decode_in_steps(options, sign, body, 1), whole);
  // At every split; where the data are long, at those that are near something.
  const std::size_t step = body.size() < 2000 ? 1 : 997;
  for (std::size_t cut = 1; cut < body.size(); cut += step) {
    EXPECT_EQ(decode_split_at(options, sign, body, cut), whole) << cut;
  }
  return whole;
}

std::string decode_unsigned(std::uint64_t bytes, std::string_view body,
                            std::optional<ChecksumAlgorithm> checksum = std::nullopt) {
  return decode({.decoded_bytes = bytes, .checksum = checksum}, false, body);
}

std::string decode_signed(std::uint64_t bytes, std::string_view body,
                          std::optional<ChecksumAlgorithm> checksum = std::nullopt) {
  return decode({.decoded_bytes = bytes, .checksum = checksum}, true, body);
}

// "a" and "b" in signed chunks of these sizes, and the last chunk, without the empty line.
std::string signed_chunks(std::initializer_list<std::size_t> sizes, ChunkSigner& signer) {
  std::string body;
  char c = 'a';
  for (const std::size_t size : sizes) body += chunk_of(std::string(size, c++), &signer);
  return body + chunk_of("", &signer);
}

std::string signed_body(std::initializer_list<std::size_t> sizes) {
  ChunkSigner signer = make_chunk_signer(kTestSeed);
  return signed_chunks(sizes, signer) + "\r\n";
}

// With a trailer of CRC-32C.
struct WithTrailer {
  std::string data;
  std::string body;
};
WithTrailer signed_trailer_body() {
  ChunkSigner signer = make_chunk_signer(kTestSeed);
  const std::string data(9000, 'a');
  std::string body = signed_chunks({9000}, signer);
  body += trailer_of(kCrc32c, checksum_of(kCrc32c, data), &signer) + "\r\n";
  return {data, body};
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

// AWS, "Signature calculations ...: transferring payload in multiple chunks"; the signatures of the
// request and of its chunks are published, and vectors.json has the digest of the body.
TEST(AwsChunkedTest, DecodesThePublishedUpload) {
  const std::string first(65'536, 'a');
  const std::string second(1024, 'a');
  const std::string body =
      "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" +
      first +
      "\r\n400;chunk-signature="
      "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
      second +
      "\r\n0;chunk-signature="
      "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
  EXPECT_EQ(view(to_hex(sha256(body))),
            "86ba876e2a8457dbc4bfe805f155e5d0560d8328ce92b64e0c42d3e973fcfa62");
  for (const std::size_t step : {1U, 1000U, 100'000U}) {
    ChunkSigner signer =
        make_chunk_signer("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
    AwsChunkedDecoder decoder{{.decoded_bytes = 66'560, .signer = &signer}};
    std::string data;
    for (std::size_t at = 0; at < body.size(); at += step) {
      std::string_view piece = std::string_view{body}.substr(at, step);
      auto event = decoder.next(piece);
      for (; event == AwsChunkedDecoder::Event::kData; event = decoder.next(piece)) {
        data += decoder.data();
      }
      ASSERT_NE(event, AwsChunkedDecoder::Event::kFailed);
    }
    ASSERT_TRUE(decoder.complete());
    data += decoder.rest();
    EXPECT_TRUE(data == first + second);
  }
}

// The same page "including trailing headers".
TEST(AwsChunkedTest, DecodesThePublishedUploadWithATrailer) {
  const std::string first(65'536, 'a');
  const std::string second(1024, 'a');
  const std::string body =
      "10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n" +
      first +
      "\r\n400;chunk-signature="
      "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n" +
      second +
      "\r\n0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"
      "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:"
      "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
  EXPECT_EQ(view(to_hex(sha256(body))),
            "dd4bd64a7debecf7307c9df56d8cbc09a990df0f62f5343c154a2a1c048b4f86");
  const AwsChunkedOptions options{.decoded_bytes = 66'560, .checksum = kCrc32c};
  EXPECT_TRUE(decode_in_steps(options, true, body, 1000) == first + second + " complete");
  EXPECT_TRUE(decode_in_steps(options, true, body, 1) == first + second + " complete");
}

TEST(AwsChunkedTest, DecodesUnsignedChunksWithATrailer) {
  const std::string body = "3\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:hYeDeQ==\r\n\r\n";
  const std::string crc = checksum_of(kCrc32, "abcde");
  EXPECT_EQ(crc, "hYfYZQ==");
  const std::string right = replaced(body, "hYeDeQ==", crc);
  EXPECT_EQ(decode_unsigned(5, right, kCrc32), "abcde complete");
  // boto3 ends it with one line end more.
  EXPECT_EQ(decode_unsigned(5, right + "\r\n", kCrc32), "abcde complete");
  EXPECT_EQ(decode_unsigned(5, body, kCrc32), "BadDigest");
  EXPECT_EQ(decode_unsigned(5, replaced(right, "x-amz-checksum", "X-Amz-Checksum"), kCrc32),
            "abcde complete");
  EXPECT_EQ(decode_unsigned(5, replaced(right, "crc32:", "crc32: "), kCrc32), "abcde complete");
  EXPECT_EQ(
      decode_unsigned(0, "0\r\n" + trailer_of(kSha256, checksum_of(kSha256, "")) + "\r\n", kSha256),
      " complete");
}

TEST(AwsChunkedTest, EachAlgorithmMayBeInTheTrailer) {
  for (const ChecksumAlgorithm algorithm : {kCrc32, kCrc32c, kCrc64Nvme, kSha1, kSha256}) {
    const std::string head = "5\r\nabcde\r\n0\r\n";
    const std::string right = checksum_of(algorithm, "abcde");
    EXPECT_EQ(decode_unsigned(5, head + trailer_of(algorithm, right) + "\r\n", algorithm),
              "abcde complete");
    const std::string wrong = checksum_of(algorithm, "abcdf");
    EXPECT_EQ(decode_unsigned(5, head + trailer_of(algorithm, wrong) + "\r\n", algorithm),
              "BadDigest");
  }
}

TEST(AwsChunkedTest, NoTrailerMayCome) {
  EXPECT_EQ(decode_unsigned(3, "3\r\nabc\r\n0\r\n\r\n"), "abc complete");
  EXPECT_EQ(decode_signed(9000, signed_body({9000})), std::string(9000, 'a') + " complete");
  EXPECT_EQ(decode_signed(0, signed_body({})), " complete");
  EXPECT_EQ(decode_unsigned(3, "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n"),
            "MalformedTrailerError");
}

TEST(AwsChunkedTest, TheHeadMayHaveTheChecksum) {
  const std::string crc = checksum_of(kCrc32, "abc");
  const std::string body = "3\r\nabc\r\n0\r\n\r\n";
  EXPECT_EQ(decode({.decoded_bytes = 3, .checksum = kCrc32, .expected = crc}, false, body),
            "abc complete");
  EXPECT_EQ(decode({.decoded_bytes = 3, .checksum = kCrc32, .expected = "AAAAAA=="}, false, body),
            "BadDigest");
}

TEST(AwsChunkedTest, FramingIsStrict) {
  for (const std::string_view bad :
       {"\r\n", "3\nabc\r\n", "3 \r\nabc\r\n", " 3\r\nabc\r\n", "+3\r\nabc\r\n", "0x3\r\nabc\r\n",
        "-3\r\nabc\r\n", "3;\r\nabc\r\n", "3;a=b\r\nabc\r\n", "3\rabc\r\n", "g\r\n",
        "3\r\nabcd\r\n", "3\r\nabc\n", "3\r\nabc\r\r\n", "3\r\nabc0\r\n", "00000000000000003\r\n",
        "10000000000000003\r\n", "ffffffffffffffff\r\n", "3\r\r\nabc\r\n"}) {
    EXPECT_EQ(decode_unsigned(3, bad), "IncompleteBody") << bad;
  }
  EXPECT_EQ(decode_unsigned(3, "0000000000000003\r\nabc\r\n00\r\n\r\n"), "abc complete");
  EXPECT_EQ(decode_unsigned(10, "A\r\nabcdefghij\r\n0\r\n\r\n"), "abcdefghij complete");
}

TEST(AwsChunkedTest, ChunksTogetherAreTheDecodedLength) {
  const std::string body = "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  EXPECT_EQ(decode_unsigned(5, body), "abcde complete");
  EXPECT_EQ(decode_unsigned(4, body), "IncompleteBody");
  EXPECT_EQ(decode_unsigned(6, body), "IncompleteBody");
  EXPECT_EQ(decode_unsigned(0, body), "IncompleteBody");
  EXPECT_EQ(decode_unsigned(UINT64_MAX, body), "IncompleteBody");
  // Before one byte too many is told.
  const std::string data(10'001, 'd');
  EXPECT_EQ(decode_unsigned(10'001, chunk_of(data) + "0\r\n\r\n"), data + " complete");
  EXPECT_EQ(decode_unsigned(10'000, chunk_of(data) + "0\r\n\r\n"), "IncompleteBody");
}

TEST(AwsChunkedTest, IsIncompleteBeforeItsEnd) {
  const std::string body = "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n";
  const AwsChunkedOptions options{.decoded_bytes = 3, .checksum = kCrc32};
  ASSERT_EQ(decode_in_steps(options, false, body, 100), "abc complete");
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_EQ(decode_in_steps(options, false, body.substr(0, size), 7), "incomplete") << size;
  }
}

TEST(AwsChunkedTest, BehindTheEndComeAFewLineEnds) {
  const std::string body = "3\r\nabc\r\n0\r\n\r\n";
  EXPECT_EQ(decode_unsigned(3, body + "\r\n\r\n\r\n\r\n"), "abc complete");
  EXPECT_EQ(decode_unsigned(3, body + "\r\n\r\n\r\n\r\n\r"), "IncompleteBody");
  EXPECT_EQ(decode_unsigned(3, body + "x"), "IncompleteBody");
  EXPECT_EQ(decode_unsigned(3, body + "0\r\n\r\n"), "IncompleteBody");
}

TEST(AwsChunkedTest, LinesAreBounded) {
  const std::string digits(kChunkLineBytesMax, '0');
  EXPECT_EQ(decode_unsigned(3, digits), "incomplete");
  EXPECT_EQ(decode_unsigned(3, digits + "0"), "IncompleteBody");
  const std::string name(kChunkLineBytesMax, 'x');
  EXPECT_EQ(decode_unsigned(0, "0\r\n" + name, kCrc32), "incomplete");
  EXPECT_EQ(decode_unsigned(0, "0\r\n" + name + "x", kCrc32), "MalformedTrailerError");
}

TEST(AwsChunkedTest, TrailersAreThoseThatWereAnnounced) {
  const std::string head = "3\r\nabc\r\n0\r\n";
  const std::string right = trailer_of(kCrc32, checksum_of(kCrc32, "abc"));
  const auto decode_trailer = [&](std::string_view trailer) {
    return decode_unsigned(3, head + std::string{trailer}, kCrc32);
  };
  EXPECT_EQ(decode_trailer(right + "\r\n"), "abc complete");
  for (const std::string& bad :
       {std::string{"\r\n"}, right + right + "\r\n", trailer_of(kCrc32c, "NksjzQ==") + "\r\n",
        right + "x-other:1\r\n\r\n", "x-other:1\r\n" + right + "\r\n", std::string{"x\r\n"},
        std::string{":\r\n"}, "x-amz-checksum-crc32 " + right, std::string{"\n"},
        replaced(right, "\r\n", "\n"), right + "\n", right + "x-amz-trailer-signature:0\r\n",
        " " + right}) {
    EXPECT_EQ(decode_trailer(bad), "MalformedTrailerError") << bad;
  }
  EXPECT_EQ(decode_trailer("x-amz-checksum-crc32:\r\n"), "InvalidRequest");
  EXPECT_EQ(decode_trailer("x-amz-checksum-crc32:NSRBwg\r\n"), "InvalidRequest");
  EXPECT_EQ(decode_trailer("x-amz-checksum-crc32:NSRBwg==NSRB\r\n"), "InvalidRequest");
}

TEST(AwsChunkedTest, SignedChunksHaveASizeAndAnOrder) {
  const std::string two = std::string(8192, 'a') + std::string(100, 'b') + " complete";
  EXPECT_EQ(decode_signed(8292, signed_body({8192, 100})), two);
  EXPECT_EQ(decode_signed(100, signed_body({100})), std::string(100, 'a') + " complete");
  EXPECT_EQ(decode_signed(8291, signed_body({8191, 100})), "InvalidChunkSizeError");
  EXPECT_EQ(decode_signed(200, signed_body({100, 100})), "InvalidChunkSizeError");
  // Of unsigned ones nothing is asked.
  EXPECT_EQ(decode_unsigned(2, "1\r\na\r\n1\r\nb\r\n0\r\n\r\n"), "ab complete");
}

TEST(AwsChunkedTest, ASignedChunkThatIsNotAsItWasSignedIsRefused) {
  const std::string body = signed_body({8192, 300});
  const auto refused = [](std::string changed) { return decode_signed(8492, changed); };
  ASSERT_EQ(refused(body).substr(8492), " complete");
  EXPECT_EQ(refused(replaced(body, "aaa", "aba")), "SignatureDoesNotMatch");
  EXPECT_EQ(refused(replaced(body, "bbb\r\n", "bba\r\n")), "SignatureDoesNotMatch");
  // Every chunk is signed with the signature of the one before.
  std::string signature = body.substr(body.find('=') + 1, 64);
  std::string other = signature;
  other[0] = other[0] == '0' ? '1' : '0';
  EXPECT_EQ(refused(replaced(body, signature, other)), "SignatureDoesNotMatch");
  const std::size_t last = body.rfind('=') + 1;
  std::string cut = body;
  cut[last] = cut[last] == '0' ? '1' : '0';
  EXPECT_EQ(refused(cut), "SignatureDoesNotMatch");
  EXPECT_EQ(refused(replaced(body, signature, "ABCDEF" + signature.substr(6))), "IncompleteBody");
  EXPECT_EQ(refused(replaced(body, signature, signature.substr(1))), "IncompleteBody");
  EXPECT_EQ(refused(replaced(body, ";chunk-signature=", ";chunk-signaturf=")), "IncompleteBody");
  EXPECT_EQ(refused(replaced(body, ";chunk-signature=", "; chunk-signature=")), "IncompleteBody");
  EXPECT_EQ(refused(replaced(body, signature, signature + ";a=b")), "IncompleteBody");
  EXPECT_EQ(refused(replaced(body, ";chunk-signature=" + signature, "")), "IncompleteBody");
  // A body that is cut off with an empty chunk of its own: chunks missing, or the signature.
  EXPECT_EQ(decode_signed(8192, replaced(body, "\r\n12c;", "\r\n0;")), "SignatureDoesNotMatch");
}

TEST(AwsChunkedTest, ASignedTrailerIsVerified) {
  const auto [data, body] = signed_trailer_body();
  const auto refused = [&](const std::string& changed) {
    return decode_signed(9000, changed, kCrc32c);
  };
  EXPECT_EQ(refused(body), data + " complete");
  // Another checksum, signed by nobody, which would be right for other data.
  const std::string value = checksum_of(kCrc32c, data);
  EXPECT_EQ(refused(replaced(body, value, checksum_of(kCrc32c, "x"))), "BadDigest");
  const std::size_t at = body.find("trailer-signature:") + 18;
  std::string other = body;
  other[at] = other[at] == '0' ? '1' : '0';
  EXPECT_EQ(refused(other), "SignatureDoesNotMatch");
  const std::string signature = "x-amz-trailer-signature:" + body.substr(at, 64) + "\r\n";
  EXPECT_EQ(refused(replaced(body, signature, "")), "MalformedTrailerError");
  EXPECT_EQ(refused(replaced(body, signature, signature + signature)), "MalformedTrailerError");
  EXPECT_EQ(refused(replaced(body, signature, "x-amz-trailer-signature:\r\n")),
            "SignatureDoesNotMatch");
  const std::string line = "x-amz-checksum-crc32c:" + value + "\r\n";
  EXPECT_EQ(refused(replaced(body, line + signature, signature + line)), "MalformedTrailerError");
}

// Some clients write "name:value\n\r\n", as they sign it.
TEST(AwsChunkedTest, ASignedTrailerMayHaveALineFeedOfItsOwn) {
  const auto [data, body] = signed_trailer_body();
  const std::string line = "x-amz-checksum-crc32c:" + checksum_of(kCrc32c, data);
  const auto with = [&, &whole = body](std::string_view end) {
    return decode_signed(9000, replaced(whole, line + "\r\n", line + std::string{end}), kCrc32c);
  };
  EXPECT_EQ(with("\n\r\n"), std::string(9000, 'a') + " complete");
  EXPECT_EQ(with("\n"), std::string(9000, 'a') + " complete");
  EXPECT_EQ(with("\r\n\r\n"), "MalformedTrailerError");
  EXPECT_EQ(with("\n\r\n\r\n"), "MalformedTrailerError");
  EXPECT_EQ(with("\n\n"), "MalformedTrailerError");
}

// What a backend that waits for all bytes has got, when the body turns out to be wrong.
TEST(AwsChunkedTest, TheLastBytesAreForWhenAllIsVerified) {
  const std::string data(100'000, 'd');
  const std::string body = hex_of(data.size()) + "\r\n" + data + "\r\n0\r\n";
  AwsChunkedDecoder decoder{{.decoded_bytes = data.size(), .checksum = kCrc32}};
  std::string_view bytes = body;
  ASSERT_EQ(decoder.next(bytes), AwsChunkedDecoder::Event::kData);
  EXPECT_EQ(decoder.data().size(), data.size() - HoldBack::kBytesMax);
  EXPECT_EQ(decoder.data().data(), body.data() + 7);  // Not copied.
  ASSERT_EQ(decoder.next(bytes), AwsChunkedDecoder::Event::kNeedMore);
  const std::string trailer = trailer_of(kCrc32, checksum_of(kCrc32, data));
  bytes = trailer;
  ASSERT_EQ(decoder.next(bytes), AwsChunkedDecoder::Event::kNeedMore);
  EXPECT_FALSE(decoder.complete());
  bytes = "\r\n";
  ASSERT_EQ(decoder.next(bytes), AwsChunkedDecoder::Event::kEnd);
  ASSERT_TRUE(decoder.complete());
  EXPECT_EQ(decoder.rest().size(), HoldBack::kBytesMax);
  bytes = "x";
  ASSERT_EQ(decoder.next(bytes), AwsChunkedDecoder::Event::kFailed);
  EXPECT_FALSE(decoder.complete());
}

// The last bytes of a chunk that is not the last.
TEST(AwsChunkedTest, TheEndOfASignedChunkIsToldWhenItIsVerified) {
  ChunkSigner client = make_chunk_signer(kTestSeed);
  const std::string first(20'000, 'a');
  std::string body = chunk_of(first, &client);
  body[body.size() - 3] = 'b';  // Its last byte.
  ChunkSigner signer = make_chunk_signer(kTestSeed);
  AwsChunkedDecoder decoder{{.decoded_bytes = 100'000, .signer = &signer}};
  std::string_view bytes{body};
  std::string_view all_but_the_end = bytes.substr(0, bytes.size() - 100);
  std::string_view end = bytes.substr(bytes.size() - 100);
  ASSERT_EQ(decoder.next(all_but_the_end), AwsChunkedDecoder::Event::kData);
  EXPECT_EQ(decoder.data().size(), first.size() - 98);
  EXPECT_EQ(decoder.next(end), AwsChunkedDecoder::Event::kFailed);
  EXPECT_EQ(decoder.failure(), ErrorCode::kSignatureDoesNotMatch);
}

TEST(AwsChunkedTest, AllocatesNothing) {
  const std::string body = signed_trailer_body().body;
  ChunkSigner signer = make_chunk_signer(kTestSeed);
  const test::AllocationCount count;
  AwsChunkedDecoder decoder{{.decoded_bytes = 9000, .signer = &signer, .checksum = kCrc32c}};
  for (const char& c : body) {
    std::string_view bytes{&c, 1};
    while (decoder.next(bytes) != AwsChunkedDecoder::Event::kNeedMore) {
    }
  }
  EXPECT_TRUE(decoder.complete());
  EXPECT_EQ(count.so_far(), 0U);
}

}  // namespace
}  // namespace tercel::s3
