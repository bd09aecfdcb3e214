// How the body of a request is protected, and what a gateway does to it: a plan from the head, and
// a verifier for the bytes.
//
//   PayloadPlan plan;
//   if (auto refusal = plan_payload({.fields = ...}, plan)) return answer(*refusal);
//   PayloadVerifier verifier{plan, PayloadMode::kDecode, signer};
//   for (;;) {
//     switch (verifier.next(bytes)) {                    // Takes what it read off `bytes`.
//       case PayloadVerifier::Event::kNeedMore: return;
//       case PayloadVerifier::Event::kData: ...          // verifier.data() goes to the backend.
//       case PayloadVerifier::Event::kFailed: ...        // verifier.failure(): abort the upstream.
//     }
//   }
//   if (auto error = verifier.finish()) ...              // When the body ended.
//
// What the body is, the claim says (authorization.h). The last bytes of a body that is verified are
// told when it is right, so that a backend that was told its size stores nothing else
// (hold_back.h); where a body has no bytes, the head waits for finish().
// Values are views of the request's. Nothing is allocated. Source: AWS, "Signature calculations for
// the Authorization header", and the user guide of Amazon S3, "Checking object integrity". Tested
// by payload_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/http/message.h"
#include "tercel/s3/authorization.h"
#include "tercel/s3/aws_chunked.h"
#include "tercel/s3/checksum.h"
#include "tercel/s3/error.h"
#include "tercel/s3/operation.h"

namespace tercel::s3 {

struct PayloadRequest {
  std::span<const http::Field> fields;
  Payload payload = Payload::kUnsigned;  // Of the claim.
  std::string_view payload_hash = {};    // The same.
  std::optional<std::uint64_t> content_length;
  Operation operation = Operation::kUnknown;
  bool has_body = false;
};

struct PayloadPlan {
  Payload payload = Payload::kUnsigned;
  std::uint64_t bytes = 0;    // Of the body; of aws-chunked, decoded.
  std::string_view sha256;    // Of kSha256: hex digits.
  std::string_view md5;       // Content-MD5, in Base64; empty: none. Of aws-chunked not verified.
  std::string_view checksum;  // In the head, in Base64; empty: none, or a trailer has it.
  std::optional<ChecksumAlgorithm> algorithm;  // Of the checksum, or of the trailer.
  // The trailer is a checksum that S3 knows and we do not: the body goes as it is, or not at all.
  bool is_foreign = false;
};

// Nothing: `plan` is set. MissingContentLength: the size is not known beforehand. InvalidArgument,
// InvalidRequest, InvalidDigest, MalformedTrailerError. The checksum that comes with
// CompleteMultipartUpload is that of the object, and neither read nor verified.
[[nodiscard]] std::optional<Refusal> plan_payload(const PayloadRequest& request,
                                                  PayloadPlan& plan) noexcept;

// Of a plan that is_foreign, where the body has to be verified or decoded.
[[nodiscard]] Refusal foreign_trailer() noexcept;

// A value of Content-Encoding without "aws-chunked", which is of the way to S3 and no encoding of
// the object; empty: nothing is left, and the field is dropped. A view of `value`, or of `out`.
// REQUIRES: out.size() >= value.size().
[[nodiscard]] std::string_view without_aws_chunked(std::string_view value,
                                                   std::span<char> out) noexcept;

// Whether a field describes the aws-chunked body, and not the object: it is not forwarded with a
// decoded one. `name` is in lower case.
[[nodiscard]] bool describes_aws_chunked(std::string_view name) noexcept;

enum class PayloadMode : std::uint8_t {
  kPass,    // Bytes as they are; the backend verifies.
  kVerify,  // Bytes as they are, all that the plan has is verified. Of signed chunks: only kDecode.
  kDecode   // What is in aws-chunked is verified and decoded; other bodies as kVerify.
};

// Resource: one a body.
class PayloadVerifier {
 public:
  enum class Event : std::uint8_t { kNeedMore, kData, kFailed };

  // `signer`: of the request, where its chunks are signed. REQUIRES: it is there then, and `mode`
  // is kDecode; else everything fails. What `plan` has views of outlives the verifier.
  PayloadVerifier(const PayloadPlan& plan, PayloadMode mode,
                  const std::optional<ChunkSigner>& signer) noexcept;
  PayloadVerifier(const PayloadVerifier&) = delete;
  PayloadVerifier& operator=(const PayloadVerifier&) = delete;

  // After kFailed do not call again.
  [[nodiscard]] Event next(std::string_view& bytes) noexcept;

  // Not empty. Valid until the next call, or as long as the bytes it is a view of.
  [[nodiscard]] std::string_view data() const noexcept { return data_; }
  [[nodiscard]] ErrorCode failure() const noexcept { return failure_; }

  // The checksum that was in the trailer, once finish() says that it is right. Empty: none was.
  [[nodiscard]] std::string_view trailer() const noexcept {
    return decoder_ ? decoder_->trailer() : std::string_view{};
  }
  // The body has ended: nothing, or why it is not what was announced. Once, and not after kFailed.
  [[nodiscard]] std::optional<ErrorCode> finish() noexcept;
  // Of what is decoded, the last bytes, which go when finish() has said nothing; empty: there are
  // none.
  [[nodiscard]] std::string_view rest() const noexcept {
    return decoder_ && mode_ == PayloadMode::kDecode ? decoder_->rest() : std::string_view{};
  }

 private:
  [[nodiscard]] Event pass(std::string_view& bytes) noexcept;
  [[nodiscard]] Event decode(std::string_view& bytes) noexcept;
  [[nodiscard]] Event decode_beside(std::string_view& bytes) noexcept;
  // Nothing: digests are those of the head.
  [[nodiscard]] std::optional<ErrorCode> compare() noexcept;
  Event fail(ErrorCode error) noexcept;

  PayloadPlan plan_;
  std::optional<ChunkSigner> signer_;
  std::optional<AwsChunkedDecoder> decoder_;
  std::optional<Sha256> sha256_;
  std::optional<Checksum> checksum_;
  std::optional<Checksum> md5_;
  std::string_view data_;
  std::uint64_t missing_bytes_;  // Of a body that is not in aws-chunked.
  ErrorCode failure_ = ErrorCode::kIncompleteBody;
  PayloadMode mode_;
  bool failed_ = false;
};

}  // namespace tercel::s3
