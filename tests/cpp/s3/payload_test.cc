#include "tercel/s3/payload.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "s3/aws_chunked_input.h"

namespace tercel::s3 {
namespace {

using Fields = std::vector<http::Field>;

constexpr Payload kUnsignedTrailer = Payload::kUnsignedWithTrailer;
constexpr Payload kSignedChunks = Payload::kChunks;
constexpr Payload kSignedTrailer = Payload::kChunksAndTrailer;
constexpr std::string_view kAbcSha256 =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

struct Planned {
  PayloadPlan plan;
  std::string refusal;  // Code and message.
};

Planned plan(Payload payload, const Fields& fields,
             std::optional<std::uint64_t> content_length = std::nullopt,
             Operation operation = Operation::kPutObject) {
  Planned planned;
  const auto refusal = plan_payload({.fields = fields,
                                     .payload = payload,
                                     .payload_hash = payload == Payload::kSha256 ? kAbcSha256 : "",
                                     .content_length = content_length,
                                     .operation = operation,
                                     .has_body = true},
                                    planned.plan);
  if (refusal) {
    planned.refusal = std::string{info(refusal->code()).code};
    planned.refusal.append(": ").append(refusal->message());
  }
  return planned;
}

std::string refused(Payload payload, const Fields& fields,
                    std::optional<std::uint64_t> content_length = std::nullopt,
                    Operation operation = Operation::kPutObject) {
  const std::string refusal = plan(payload, fields, content_length, operation).refusal;
  return refusal.substr(0, refusal.find(':'));
}

TEST(PayloadPlanTest, KnowsTheKinds) {
  const Planned hash = plan(Payload::kSha256, {}, 3);
  EXPECT_EQ(hash.plan.payload, Payload::kSha256);
  EXPECT_EQ(hash.plan.sha256, kAbcSha256);
  EXPECT_EQ(hash.plan.bytes, 3U);
  EXPECT_EQ(plan(Payload::kUnsigned, {}, 3).plan.payload, Payload::kUnsigned);
  EXPECT_EQ(plan(Payload::kUnsigned, {}, 3).plan.bytes, 3U);

  const Planned trailer = plan(kUnsignedTrailer, {{"x-amz-decoded-content-length", "5"},
                                                  {"x-amz-trailer", "x-amz-checksum-crc32"}});
  EXPECT_EQ(trailer.refusal, "");
  EXPECT_EQ(trailer.plan.payload, Payload::kUnsignedWithTrailer);
  EXPECT_EQ(trailer.plan.bytes, 5U);
  EXPECT_EQ(trailer.plan.algorithm, ChecksumAlgorithm::kCrc32);
  EXPECT_EQ(trailer.plan.checksum, "");

  EXPECT_EQ(plan(kSignedChunks, {{"x-amz-decoded-content-length", "5"}}, 100).plan.payload,
            Payload::kChunks);
  EXPECT_EQ(plan(kSignedTrailer, {{"x-amz-decoded-content-length", "5"},
                                  {"x-amz-trailer", "X-Amz-Checksum-SHA256"}})
                .plan.payload,
            Payload::kChunksAndTrailer);
}

TEST(PayloadPlanTest, StreamsAreForObjectsAndParts) {
  const Fields fields{{"x-amz-decoded-content-length", "5"}};
  for (const Payload kind : {kUnsignedTrailer, kSignedChunks}) {
    EXPECT_EQ(refused(kind, fields, 5, Operation::kPutObject), "");
    EXPECT_EQ(refused(kind, fields, 5, Operation::kUploadPart), "");
    for (const Operation other : {Operation::kPutBucketPolicy, Operation::kCompleteMultipartUpload,
                                  Operation::kCopyObject, Operation::kUnknown}) {
      EXPECT_EQ(plan(kind, fields, 5, other).refusal,
                "InvalidRequest: The value of x-amz-content-sha256 header is invalid.");
    }
  }
}

TEST(PayloadPlanTest, TheSizeIsKnownBeforehand) {
  EXPECT_EQ(refused(Payload::kSha256, {}), "MissingContentLength");
  EXPECT_EQ(refused(Payload::kUnsigned, {}), "MissingContentLength");
  EXPECT_EQ(refused(Payload::kSha256, {}, std::nullopt, Operation::kDeleteObjects),
            "MissingContentLength");
  EXPECT_EQ(refused(kUnsignedTrailer, {}, 100), "MissingContentLength");
  for (const std::string_view bad : {"", "-1", "+1", "0x5", "5 ", "5,5", "18446744073709551616"}) {
    EXPECT_EQ(refused(kUnsignedTrailer, {{"x-amz-decoded-content-length", bad}}),
              "MissingContentLength")
        << bad;
  }
  PayloadPlan none;
  EXPECT_FALSE(plan_payload({.fields = {},
                             .payload = Payload::kUnsigned,
                             .content_length = std::nullopt,
                             .operation = Operation::kGetObject,
                             .has_body = false},
                            none));
  EXPECT_EQ(none.bytes, 0U);
}

TEST(PayloadPlanTest, OneChecksumMayBeThere) {
  const Planned one = plan(Payload::kSha256, {{"x-amz-checksum-crc32", "NSRBwg=="}}, 3);
  EXPECT_EQ(one.plan.algorithm, ChecksumAlgorithm::kCrc32);
  EXPECT_EQ(one.plan.checksum, "NSRBwg==");
  EXPECT_EQ(plan(Payload::kSha256,
                 {{"x-amz-checksum-crc32", "NSRBwg=="}, {"x-amz-checksum-crc32c", "NksjzQ=="}}, 3)
                .refusal,
            "InvalidRequest: Expecting a single x-amz-checksum- header. Multiple checksum Types "
            "are not allowed.");
  EXPECT_EQ(refused(kUnsignedTrailer, {{"x-amz-decoded-content-length", "5"},
                                       {"x-amz-trailer", "x-amz-checksum-crc32"},
                                       {"x-amz-checksum-crc32", "NSRBwg=="}}),
            "InvalidRequest");
  EXPECT_EQ(refused(kUnsignedTrailer, {{"x-amz-decoded-content-length", "5"},
                                       {"x-amz-checksum-crc32", "NSRBwg=="},
                                       {"x-amz-trailer", "x-amz-checksum-crc32"}}),
            "InvalidRequest");
  EXPECT_EQ(refused(Payload::kSha256, {{"x-amz-checksum-crc32", "NSRBwg"}}, 3), "InvalidRequest");
  // That there are two is said first.
  EXPECT_EQ(plan(Payload::kSha256, {{"x-amz-checksum-crc32", ""}, {"x-amz-checksum-crc32c", ""}}, 3)
                .refusal.substr(0, 28),
            "InvalidRequest: Expecting a ");
  EXPECT_EQ(plan(Payload::kSha256, {{"x-amz-checksum-crc32", ""}}, 3).refusal,
            "InvalidRequest: Value for x-amz-checksum-crc32 header is invalid.");
  EXPECT_EQ(
      refused(Payload::kSha256,
              {{"x-amz-checksum-algorithm", "CRC32"}, {"x-amz-checksum-type", "COMPOSITE"}}, 3),
      "");
  // Of the object that the parts make, and not of this body.
  EXPECT_EQ(refused(Payload::kSha256, {{"x-amz-checksum-crc32", "NSRBwg==-2"}}, 3,
                    Operation::kCompleteMultipartUpload),
            "");
}

TEST(PayloadPlanTest, AChecksumThatIsNoneIsNamed) {
  for (int i = 0; i < static_cast<int>(ChecksumAlgorithm::kMd5); ++i) {
    const std::string field{field_of(static_cast<ChecksumAlgorithm>(i))};
    EXPECT_EQ(plan(Payload::kUnsigned, {{field, "AAA="}}, 3).refusal,
              "InvalidRequest: Value for " + field + " header is invalid.");
  }
}

TEST(PayloadPlanTest, ATrailerIsAChecksumOfAKindThatTakesIt) {
  const auto with = [](Payload kind, std::string_view trailer) {
    return refused(kind, {{"x-amz-decoded-content-length", "5"}, {"x-amz-trailer", trailer}}, 5);
  };
  EXPECT_EQ(with(kUnsignedTrailer, "x-amz-checksum-sha1"), "");
  for (const std::string_view bad :
       {"", "x-amz-meta-a", "content-md5", "x-amz-checksum-crc32,x-amz-checksum-sha1",
        "x-amz-checksum-crc32 ", "x-amz-checksum-crc32-and-something-more"}) {
    EXPECT_EQ(with(kUnsignedTrailer, bad), "InvalidRequest") << bad;
  }
  for (const Payload kind : {Payload::kSha256, Payload::kUnsigned, kSignedChunks}) {
    EXPECT_EQ(with(kind, "x-amz-checksum-sha1"), "InvalidRequest");
    EXPECT_EQ(with(kind, "x-amz-checksum-xxhash3"), "InvalidRequest");
  }
  const Fields none{{"x-amz-decoded-content-length", "5"}};
  EXPECT_EQ(refused(kUnsignedTrailer, none), "");
  EXPECT_EQ(refused(kSignedTrailer, none), "MalformedTrailerError");
  EXPECT_EQ(refused(kSignedTrailer,
                    {{"x-amz-decoded-content-length", "5"}, {"x-amz-checksum-crc32", "NSRBwg=="}}),
            "MalformedTrailerError");
}

TEST(PayloadPlanTest, AChecksumThatOnlyS3KnowsIsForeign) {
  for (const std::string_view known : {"md5", "sha512", "xxhash64", "xxhash3", "XXHASH128"}) {
    const std::string name = "x-amz-checksum-" + std::string{known};
    const Fields fields{{"x-amz-decoded-content-length", "5"}, {"x-amz-trailer", name}};
    const Planned one = plan(kUnsignedTrailer, fields);
    EXPECT_EQ(one.refusal, "") << name;
    EXPECT_TRUE(one.plan.is_foreign);
    EXPECT_FALSE(one.plan.algorithm);
    EXPECT_EQ(refused(kSignedTrailer, fields), "InvalidRequest");
    Fields two = fields;
    two.emplace_back("x-amz-checksum-crc32", "NSRBwg==");
    EXPECT_EQ(refused(kUnsignedTrailer, two), "InvalidRequest");
  }
  EXPECT_FALSE(plan(kUnsignedTrailer, {{"x-amz-decoded-content-length", "5"},
                                       {"x-amz-trailer", "x-amz-checksum-crc32"}})
                   .plan.is_foreign);
}

TEST(PayloadPlanTest, ContentMd5IsADigest) {
  EXPECT_EQ(plan(Payload::kSha256, {{"content-md5", "kAFQmDzST7DWlj99KOF/cg=="}}, 3).plan.md5,
            "kAFQmDzST7DWlj99KOF/cg==");
  for (const std::string_view bad :
       {"", "kAFQmDzST7DWlj99KOF/", "900150983cd24fb0d6963f7d28e17f72"}) {
    EXPECT_EQ(refused(Payload::kSha256, {{"content-md5", bad}}, 3), "InvalidDigest") << bad;
  }
}

TEST(ContentEncodingTest, LosesTheTokenAndNothingElse) {
  const auto without = [](std::string_view value) {
    std::string out(value.size(), '!');
    return std::string{without_aws_chunked(value, out)};
  };
  EXPECT_EQ(without("aws-chunked"), "");
  EXPECT_EQ(without("aws-chunked,gzip"), "gzip");
  EXPECT_EQ(without("gzip, AWS-Chunked , br"), "gzip,br");
  EXPECT_EQ(without("gzip"), "gzip");
  EXPECT_EQ(without("aws-chunked,aws-chunked"), "");
  EXPECT_EQ(without("aws-chunkedx"), "aws-chunkedx");
  EXPECT_EQ(without(""), "");
  EXPECT_TRUE(describes_aws_chunked("x-amz-trailer"));
  EXPECT_TRUE(describes_aws_chunked("x-amz-decoded-content-length"));
  EXPECT_TRUE(describes_aws_chunked("x-amz-sdk-checksum-algorithm"));
  EXPECT_FALSE(describes_aws_chunked("x-amz-checksum-crc32"));
}

// What goes on, and " ok" or an error's code behind it. After a failure less than the body is told:
// how much depends on the pieces.
class PayloadRun {
 public:
  PayloadRun(const PayloadPlan& plan, PayloadMode mode, bool sign = false)
      : verifier_{plan, mode, sign ? std::optional{make_chunk_signer(kTestSeed)} : std::nullopt} {}

  void feed(std::string_view bytes) {
    while (!failed_) {
      switch (verifier_.next(bytes)) {
        case PayloadVerifier::Event::kNeedMore:
          EXPECT_TRUE(bytes.empty());
          return;
        case PayloadVerifier::Event::kData:
          EXPECT_FALSE(verifier_.data().empty());
          out_ += verifier_.data();
          break;
        case PayloadVerifier::Event::kFailed:
          failed_ = true;
          break;
      }
    }
  }

  [[nodiscard]] std::string finish() {
    const std::optional<ErrorCode> error =
        failed_ ? std::optional{verifier_.failure()} : verifier_.finish();
    return error ? std::string{info(*error).code} : out_ + std::string{verifier_.rest()} + " ok";
  }
  [[nodiscard]] const std::string& out() const { return out_; }

 private:
  PayloadVerifier verifier_;
  std::string out_;
  bool failed_ = false;
};

std::string run(const PayloadPlan& plan, PayloadMode mode, std::string_view body,
                bool sign = false) {
  PayloadRun whole{plan, mode, sign};
  whole.feed(body);
  const std::string result = whole.finish();
  PayloadRun bytes{plan, mode, sign};
  for (const char& c : body) bytes.feed({&c, 1});
  EXPECT_EQ(bytes.finish(), result);
  for (std::size_t cut = 1; cut < body.size() && body.size() < 2000; ++cut) {
    PayloadRun halves{plan, mode, sign};
    halves.feed(body.substr(0, cut));
    halves.feed(body.substr(cut));
    EXPECT_EQ(halves.finish(), result) << cut;
    // The backend was told how long it is, and must not have all of a body that is wrong.
    if (!result.ends_with(" ok") && !is_aws_chunked(plan.payload) && mode != PayloadMode::kPass) {
      EXPECT_LT(halves.out().size(), plan.bytes);
    }
  }
  return result;
}

TEST(PayloadVerifierTest, AHashIsOfAllBytes) {
  const PayloadPlan good = plan(Payload::kSha256, {}, 3).plan;
  EXPECT_EQ(run(good, PayloadMode::kVerify, "abc"), "abc ok");
  EXPECT_EQ(run(good, PayloadMode::kDecode, "abc"), "abc ok");
  EXPECT_EQ(run(good, PayloadMode::kVerify, "abd"), "XAmzContentSHA256Mismatch");
  EXPECT_EQ(run(good, PayloadMode::kPass, "abd"), "abd ok");
  EXPECT_EQ(run(good, PayloadMode::kVerify, "ab"), "IncompleteBody");
  EXPECT_EQ(run(good, PayloadMode::kPass, "ab"), "IncompleteBody");
  EXPECT_EQ(run(good, PayloadMode::kPass, "abcd"), "IncompleteBody");

  PayloadPlan empty = plan(Payload::kSha256, {}, 0).plan;
  empty.sha256 = kEmptySha256Hex;
  EXPECT_EQ(run(empty, PayloadMode::kVerify, ""), " ok");
  const PayloadPlan wrong = plan(Payload::kSha256, {}, 0).plan;
  EXPECT_EQ(run(wrong, PayloadMode::kVerify, ""), "XAmzContentSHA256Mismatch");
}

TEST(PayloadVerifierTest, ChecksumsOfTheHeadAreCompared) {
  const auto with = [](std::string_view name, std::string_view value, std::string_view body) {
    const Fields fields{{name, value}};
    const PayloadPlan read = plan(Payload::kUnsigned, fields, 3).plan;
    return run(read, PayloadMode::kVerify, body);
  };
  EXPECT_EQ(with("x-amz-checksum-crc32", "NSRBwg==", "abc"), "abc ok");
  EXPECT_EQ(with("x-amz-checksum-crc32", "NSRBwg==", "abd"), "BadDigest");
  EXPECT_EQ(with("content-md5", "kAFQmDzST7DWlj99KOF/cg==", "abc"), "abc ok");
  EXPECT_EQ(with("content-md5", "kAFQmDzST7DWlj99KOF/cg==", "abd"), "BadDigest");
}

TEST(PayloadVerifierTest, AnUnsignedTrailerIsPassedOrDecoded) {
  const PayloadPlan read = plan(kUnsignedTrailer, {{"x-amz-decoded-content-length", "3"},
                                                   {"x-amz-trailer", "x-amz-checksum-crc32"}})
                               .plan;
  const std::string body = "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n";
  const std::string wrong = "3\r\nabd\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n";
  EXPECT_EQ(run(read, PayloadMode::kPass, body), body + " ok");
  EXPECT_EQ(run(read, PayloadMode::kVerify, body), body + " ok");
  EXPECT_EQ(run(read, PayloadMode::kDecode, body), "abc ok");
  EXPECT_EQ(run(read, PayloadMode::kPass, wrong), wrong + " ok");
  EXPECT_EQ(run(read, PayloadMode::kVerify, wrong), "BadDigest");
  EXPECT_EQ(run(read, PayloadMode::kDecode, wrong), "BadDigest");
  EXPECT_EQ(run(read, PayloadMode::kVerify, body.substr(0, 20)), "IncompleteBody");
  EXPECT_EQ(run(read, PayloadMode::kDecode, body.substr(0, body.size() - 1)), "IncompleteBody");
}

TEST(PayloadVerifierTest, SignedChunksAreDecoded) {
  ChunkSigner client = make_chunk_signer(kTestSeed);
  const std::string data(10'000, 'a');
  std::string body = chunk_of(data, &client);
  body += chunk_of("", &client) + "\r\n";
  const PayloadPlan read = plan(kSignedChunks, {{"x-amz-decoded-content-length", "10000"}}).plan;
  EXPECT_EQ(run(read, PayloadMode::kDecode, body, true), data + " ok");
  std::string wrong = body;
  wrong[5000] = 'b';
  EXPECT_EQ(run(read, PayloadMode::kDecode, wrong, true), "SignatureDoesNotMatch");

  // The checksum of the head is of the decoded data, and is compared before their end goes on.
  const Fields fields{{"x-amz-decoded-content-length", "10000"},
                      {"x-amz-checksum-crc32", "AAAAAA=="}};
  PayloadRun other{plan(kSignedChunks, fields).plan, PayloadMode::kDecode, true};
  other.feed(body);
  EXPECT_EQ(other.finish(), "BadDigest");
  EXPECT_EQ(other.out().size(), data.size() - HoldBack::kBytesMax);
}

TEST(PayloadVerifierTest, ASignedTrailerIsVerified) {
  ChunkSigner client = make_chunk_signer(kTestSeed);
  const std::string data(10'000, 'a');
  std::string body = chunk_of(data, &client);
  body += chunk_of("", &client);
  body += trailer_of(ChecksumAlgorithm::kCrc32c, checksum_of(ChecksumAlgorithm::kCrc32c, data),
                     &client) +
          "\r\n";
  const PayloadPlan read = plan(kSignedTrailer, {{"x-amz-decoded-content-length", "10000"},
                                                 {"x-amz-trailer", "x-amz-checksum-crc32c"}})
                               .plan;
  EXPECT_EQ(run(read, PayloadMode::kDecode, body, true), data + " ok");
  body[5000] = 'b';
  EXPECT_EQ(run(read, PayloadMode::kDecode, body, true), "SignatureDoesNotMatch");
}

#ifdef NDEBUG
TEST(PayloadVerifierTest, SignedChunksAreNeverTakenWithoutASigner) {
  const PayloadPlan read = plan(kSignedChunks, {{"x-amz-decoded-content-length", "3"}}).plan;
  EXPECT_EQ(run(read, PayloadMode::kDecode, "3\r\nabc\r\n0\r\n\r\n"), "InternalError");
}
#endif

}  // namespace
}  // namespace tercel::s3
