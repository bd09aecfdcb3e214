#include "tercel/s3/payload.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "tercel/base/assert.h"
#include "tercel/base/parse_number.h"
#include "tercel/http/chars.h"

namespace tercel::s3 {
namespace {

constexpr std::string_view kAwsChunked = "aws-chunked";
constexpr std::string_view kOneChecksum =
    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";

constexpr std::string_view kForeignTrailers[] = {
    "x-amz-checksum-md5", "x-amz-checksum-sha512", "x-amz-checksum-xxhash128",
    "x-amz-checksum-xxhash3", "x-amz-checksum-xxhash64"};

// In the order of ChecksumAlgorithm. MD5 has an error of its own.
constexpr std::array<std::string_view, 5> kInvalidChecksum{
    "Value for x-amz-checksum-crc32 header is invalid.",
    "Value for x-amz-checksum-crc32c header is invalid.",
    "Value for x-amz-checksum-crc64nvme header is invalid.",
    "Value for x-amz-checksum-sha1 header is invalid.",
    "Value for x-amz-checksum-sha256 header is invalid."};

// Each chunk is signed.
constexpr bool signs_chunks(Payload payload) noexcept {
  return payload == Payload::kChunks || payload == Payload::kChunksAndTrailer;
}

std::optional<Refusal> read_size(const PayloadRequest& request, PayloadPlan& plan) noexcept {
  if (!is_aws_chunked(plan.payload)) {
    const bool needs_length = request.has_body || info(request.operation).streams_payload;
    if (needs_length && !request.content_length) return Refusal{ErrorCode::kMissingContentLength};
    plan.bytes = request.content_length.value_or(0);
    return std::nullopt;
  }
  if (!info(request.operation).streams_payload) {
    return Refusal{ErrorCode::kInvalidRequest,
                   "The value of x-amz-content-sha256 header is invalid."};
  }
  const auto* const field = http::find_field(request.fields, "x-amz-decoded-content-length");
  if (field == nullptr) return Refusal{ErrorCode::kMissingContentLength};
  const auto bytes = parse_decimal(field->value);
  if (!bytes) return Refusal{ErrorCode::kMissingContentLength};
  plan.bytes = *bytes;
  return std::nullopt;
}

std::optional<Refusal> read_trailer(const http::Field& field, PayloadPlan& plan) noexcept {
  const bool takes_trailer =
      plan.payload == Payload::kUnsignedWithTrailer || plan.payload == Payload::kChunksAndTrailer;
  std::array<char, 32> memory;  // No name is as long: what is cut off is none.
  const std::size_t size = std::min(field.value.size(), memory.size());
  std::transform(field.value.begin(), field.value.begin() + size, memory.begin(), http::to_lower);
  const std::string_view name{memory.data(), size};
  const auto algorithm = checksum_of_field(name);
  const bool is_foreign = plan.payload == Payload::kUnsignedWithTrailer &&
                          std::find(std::begin(kForeignTrailers), std::end(kForeignTrailers),
                                    name) != std::end(kForeignTrailers);
  if (!takes_trailer || (!algorithm && !is_foreign)) return foreign_trailer();
  if (plan.algorithm || plan.is_foreign) return Refusal{ErrorCode::kInvalidRequest, kOneChecksum};
  plan.algorithm = algorithm;
  plan.is_foreign = is_foreign;
  return std::nullopt;
}

std::optional<Refusal> read_checksum(const http::Field& field, ChecksumAlgorithm algorithm,
                                     PayloadPlan& plan) noexcept {
  if (plan.algorithm || plan.is_foreign) return Refusal{ErrorCode::kInvalidRequest, kOneChecksum};
  plan.algorithm = algorithm;
  plan.checksum = field.value;
  return std::nullopt;
}

std::optional<Refusal> read_digests(const PayloadRequest& request, PayloadPlan& plan) noexcept {
  // There it is the checksum of the object, which the parts make.
  const bool of_object = request.operation == Operation::kCompleteMultipartUpload;
  bool has_field = false;  // Of a checksum.
  for (const http::Field& field : request.fields) {
    std::optional<Refusal> refusal;
    if (field.name == "x-amz-trailer") {
      refusal = read_trailer(field, plan);
    } else if (field.name == "content-md5") {
      if (!plan.md5.empty() || !valid_checksum(ChecksumAlgorithm::kMd5, field.value)) {
        return Refusal{ErrorCode::kInvalidDigest}.with("Content-MD5", field.value);
      }
      plan.md5 = field.value;
    } else if (const auto algorithm = checksum_of_field(field.name); algorithm && !of_object) {
      refusal = read_checksum(field, *algorithm, plan);
      has_field = true;
    }
    if (refusal) return refusal;
  }
  // Looked at last: that there are two is said of two that are wrong, too.
  if (has_field && !valid_checksum(*plan.algorithm, plan.checksum)) {
    return Refusal{ErrorCode::kInvalidRequest,
                   kInvalidChecksum[static_cast<std::size_t>(*plan.algorithm)]};
  }
  // An unsigned body without any trailer is one of an older client; without a checksum, the
  // signature of the trailer has nothing to sign.
  if (plan.payload == Payload::kChunksAndTrailer && (!plan.algorithm || !plan.checksum.empty())) {
    return Refusal{ErrorCode::kMalformedTrailerError};
  }
  return std::nullopt;
}

}  // namespace

Refusal foreign_trailer() noexcept {
  return Refusal{ErrorCode::kInvalidRequest,
                 "The value specified in the x-amz-trailer header is not supported"};
}

std::optional<Refusal> plan_payload(const PayloadRequest& request, PayloadPlan& plan) noexcept {
  plan = {};
  plan.payload = request.payload;
  if (request.payload == Payload::kSha256) plan.sha256 = request.payload_hash;
  if (auto refusal = read_size(request, plan)) return refusal;
  return read_digests(request, plan);
}

std::string_view without_aws_chunked(std::string_view value, std::span<char> out) noexcept {
  TERCEL_ASSERT(out.size() >= value.size());
  std::size_t size = 0;
  while (!value.empty()) {
    const std::string_view token = http::next_element(value);
    if (token.empty() || http::equals_ignoring_case(token, kAwsChunked)) continue;
    if (size > 0) out[size++] = ',';
    size += token.copy(out.data() + size, token.size());
  }
  return {out.data(), size};
}

bool describes_aws_chunked(std::string_view name) noexcept {
  return name == "x-amz-decoded-content-length" || name == "x-amz-trailer" ||
         name == "x-amz-sdk-checksum-algorithm";
}

PayloadVerifier::PayloadVerifier(const PayloadPlan& plan, PayloadMode mode,
                                 const std::optional<ChunkSigner>& signer) noexcept
    : plan_{plan}, signer_{signer}, missing_bytes_{plan.bytes}, mode_{mode} {
  const bool signed_chunks = signs_chunks(plan.payload);
  if (TERCEL_BUG_IF(signed_chunks && (mode != PayloadMode::kDecode || !signer_))) {
    failed_ = true;
    failure_ = ErrorCode::kInternalError;
    return;
  }
  if (mode == PayloadMode::kPass) return;
  if (is_aws_chunked(plan.payload)) {
    decoder_.emplace(AwsChunkedOptions{.decoded_bytes = plan.bytes,
                                       .signer = signed_chunks ? &*signer_ : nullptr,
                                       .checksum = plan.algorithm,
                                       .expected = plan.checksum});
    return;
  }
  if (plan.payload == Payload::kSha256) sha256_.emplace();
  if (plan.algorithm) checksum_.emplace(*plan.algorithm);
  if (!plan.md5.empty()) md5_.emplace(ChecksumAlgorithm::kMd5);
}

PayloadVerifier::Event PayloadVerifier::next(std::string_view& bytes) noexcept {
  if (failed_) return Event::kFailed;
  if (!decoder_) return pass(bytes);
  return mode_ == PayloadMode::kDecode ? decode(bytes) : decode_beside(bytes);
}

PayloadVerifier::Event PayloadVerifier::pass(std::string_view& bytes) noexcept {
  if (bytes.empty()) return Event::kNeedMore;
  data_ = std::exchange(bytes, {});
  if (is_aws_chunked(plan_.payload)) return Event::kData;
  if (data_.size() > missing_bytes_) return fail(ErrorCode::kIncompleteBody);
  missing_bytes_ -= data_.size();
  if (sha256_) sha256_->update(data_);
  if (checksum_) checksum_->update(data_);
  if (md5_) md5_->update(data_);
  if (missing_bytes_ == 0) {
    if (const auto error = compare()) return fail(*error);
  }
  return Event::kData;
}

PayloadVerifier::Event PayloadVerifier::decode(std::string_view& bytes) noexcept {
  for (;;) {
    switch (decoder_->next(bytes)) {
      case AwsChunkedDecoder::Event::kNeedMore:
        return Event::kNeedMore;
      case AwsChunkedDecoder::Event::kData:
        data_ = decoder_->data();
        return Event::kData;
      case AwsChunkedDecoder::Event::kEnd:
        break;
      case AwsChunkedDecoder::Event::kFailed:
        return fail(decoder_->failure());
    }
  }
}

// The piece that has the trailer goes only when the trailer is right.
PayloadVerifier::Event PayloadVerifier::decode_beside(std::string_view& bytes) noexcept {
  const std::string_view piece = bytes;
  if (piece.empty()) return Event::kNeedMore;
  for (Event event = decode(bytes); event != Event::kNeedMore; event = decode(bytes)) {
    if (event == Event::kFailed) return event;
  }
  data_ = piece;
  return Event::kData;
}

std::optional<ErrorCode> PayloadVerifier::compare() noexcept {
  if (sha256_ && view(to_hex(sha256_->finish())) != plan_.sha256) {
    return ErrorCode::kXAmzContentSHA256Mismatch;
  }
  if (checksum_ && checksum_->finish().text() != plan_.checksum) return ErrorCode::kBadDigest;
  if (md5_ && md5_->finish().text() != plan_.md5) return ErrorCode::kBadDigest;
  return std::nullopt;
}

std::optional<ErrorCode> PayloadVerifier::finish() noexcept {
  if (failed_) return failure_;
  if (decoder_) {
    return decoder_->complete() ? std::nullopt : std::optional{ErrorCode::kIncompleteBody};
  }
  if (is_aws_chunked(plan_.payload)) return std::nullopt;
  if (missing_bytes_ > 0) return ErrorCode::kIncompleteBody;
  // Else it was compared with the last byte.
  return plan_.bytes == 0 ? compare() : std::nullopt;
}

PayloadVerifier::Event PayloadVerifier::fail(ErrorCode error) noexcept {
  failure_ = error;
  failed_ = true;
  return Event::kFailed;
}

}  // namespace tercel::s3
