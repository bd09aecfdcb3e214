#include "tercel/s3/aws_chunked.h"

#include <algorithm>

#include "tercel/base/parse_number.h"
#include "tercel/http/chars.h"

namespace tercel::s3 {
namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::string_view kChunkSignature = "chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";

// More digits than any size has; zeros before it are digits, too.
constexpr std::size_t kSizeDigitsMax = 16;

}  // namespace

AwsChunkedDecoder::AwsChunkedDecoder(const AwsChunkedOptions& options) noexcept
    : signer_{options.signer},
      missing_bytes_{options.decoded_bytes},
      tail_{options.decoded_bytes},
      expected_{options.expected},
      takes_trailer_{options.checksum && options.expected.empty()} {
  if (options.checksum) checksum_.emplace(*options.checksum);
}

AwsChunkedDecoder::Event AwsChunkedDecoder::next(std::string_view& bytes) noexcept {
  while (!bytes.empty()) {
    if (const auto event = step(bytes)) return *event;
  }
  return state_ == State::kFailed ? Event::kFailed : Event::kNeedMore;
}

std::optional<AwsChunkedDecoder::Event> AwsChunkedDecoder::step(std::string_view& bytes) noexcept {
  switch (state_) {
    case State::kData:
      return read_data(bytes);
    case State::kDataEnd:
      return read_data_end(bytes);
    case State::kPadding:
      return read_padding(bytes);
    case State::kSize:
    case State::kTrailer:
      break;
    case State::kFailed:
      return Event::kFailed;
  }
  const bool complete = collect_line(bytes);
  if (state_ == State::kFailed) return Event::kFailed;
  if (!complete) return std::nullopt;
  const std::string_view line{line_.data(), line_bytes_};
  line_bytes_ = 0;
  return state_ == State::kSize ? read_size_line(line) : read_trailer_line(line);
}

bool AwsChunkedDecoder::collect_line(std::string_view& bytes) noexcept {
  const std::size_t line_feed = bytes.find('\n');
  const bool complete = line_feed != std::string_view::npos;
  const std::size_t size = complete ? line_feed + 1 : bytes.size();
  if (size > kChunkLineBytesMax - line_bytes_) {
    fail(state_ == State::kSize ? ErrorCode::kIncompleteBody : ErrorCode::kMalformedTrailerError);
    return false;
  }
  line_bytes_ += bytes.copy(line_.data() + line_bytes_, size);
  bytes.remove_prefix(size);
  return complete;
}

std::optional<AwsChunkedDecoder::Event> AwsChunkedDecoder::read_size_line(
    std::string_view line) noexcept {
  if (!line.ends_with(kCrlf)) return fail(ErrorCode::kIncompleteBody);
  line.remove_suffix(kCrlf.size());
  const std::string_view digits = line.substr(0, line.find(';'));
  std::string_view extension = line.substr(digits.size());
  if (signer_ != nullptr) {
    if (!extension.starts_with(';') || !extension.substr(1).starts_with(kChunkSignature)) {
      return fail(ErrorCode::kIncompleteBody);
    }
    extension.remove_prefix(1 + kChunkSignature.size());
    if (!is_hex_digest(extension)) return fail(ErrorCode::kIncompleteBody);
    extension.copy(signature_.data(), signature_.size());
  } else if (!extension.empty()) {
    return fail(ErrorCode::kIncompleteBody);
  }
  if (digits.size() > kSizeDigitsMax) return fail(ErrorCode::kIncompleteBody);
  const auto bytes = parse_hex(digits);
  if (!bytes) return fail(ErrorCode::kIncompleteBody);
  return begin_chunk(*bytes);
}

std::optional<AwsChunkedDecoder::Event> AwsChunkedDecoder::begin_chunk(
    std::uint64_t bytes) noexcept {
  if (bytes > missing_bytes_) return fail(ErrorCode::kIncompleteBody);
  if (signer_ != nullptr && bytes > 0 && small_chunk_) {
    return fail(ErrorCode::kInvalidChunkSizeError);
  }
  small_chunk_ = bytes < kSignedChunkBytesMin;
  missing_bytes_ -= bytes;
  chunk_bytes_ = chunk_rest_ = bytes;
  if (bytes > 0) {
    state_ = State::kData;
    return std::nullopt;
  }
  if (missing_bytes_ > 0) return fail(ErrorCode::kIncompleteBody);
  if (!verify_chunk()) return fail(ErrorCode::kSignatureDoesNotMatch);
  state_ = State::kTrailer;
  return std::nullopt;
}

std::optional<AwsChunkedDecoder::Event> AwsChunkedDecoder::read_data(
    std::string_view& bytes) noexcept {
  const std::string_view data =
      bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), chunk_rest_)));
  bytes.remove_prefix(data.size());
  chunk_rest_ -= data.size();
  if (signer_ != nullptr) chunk_hash_.update(data);
  if (checksum_) checksum_->update(data);
  if (chunk_rest_ == 0) {
    if (!verify_chunk()) return fail(ErrorCode::kSignatureDoesNotMatch);
    matched_ = 0;
    state_ = State::kDataEnd;
  }
  data_ = tail_.pass(data);
  return data_.empty() ? std::nullopt : std::optional{Event::kData};
}

bool AwsChunkedDecoder::verify_chunk() noexcept {
  if (signer_ == nullptr) return true;
  const Sha256Digest digest = chunk_hash_.finish();
  chunk_hash_ = Sha256{};
  return signer_->verify_chunk(digest, view(signature_));
}

std::optional<AwsChunkedDecoder::Event> AwsChunkedDecoder::read_data_end(
    std::string_view& bytes) noexcept {
  if (bytes.front() != kCrlf[matched_]) return fail(ErrorCode::kIncompleteBody);
  bytes.remove_prefix(1);
  if (++matched_ == kCrlf.size()) state_ = State::kSize;
  return std::nullopt;
}

// An empty line ends the trailers; where they are signed, the line before has their signature.
std::optional<AwsChunkedDecoder::Event> AwsChunkedDecoder::read_trailer_line(
    std::string_view line) noexcept {
  line.remove_suffix(1);
  const bool carriage_return = line.ends_with('\r');
  if (carriage_return) line.remove_suffix(1);
  const bool signed_trailer = signer_ != nullptr && takes_trailer_;
  if (line.empty()) {
    if (!carriage_return) return fail(ErrorCode::kMalformedTrailerError);
    // Behind "name:value\n", of clients that write the trailer as it is signed.
    if (signed_trailer && has_trailer_ && !has_trailer_signature_ && matched_ == 1) {
      matched_ = 0;
      return std::nullopt;
    }
    return end_trailers();
  }
  matched_ = carriage_return ? 0 : 1;
  if (!carriage_return && (!signed_trailer || has_trailer_)) {
    return fail(ErrorCode::kMalformedTrailerError);
  }
  return read_trailer(line);
}

std::optional<AwsChunkedDecoder::Event> AwsChunkedDecoder::read_trailer(
    std::string_view line) noexcept {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !takes_trailer_) {
    return fail(ErrorCode::kMalformedTrailerError);
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = http::trim_blanks(line.substr(colon + 1));
  if (has_trailer_ && signer_ != nullptr && http::equals_ignoring_case(name, kTrailerSignature)) {
    return read_trailer_signature(value);
  }
  const ChecksumAlgorithm algorithm = checksum_->algorithm();
  if (has_trailer_ || !http::equals_ignoring_case(name, field_of(algorithm))) {
    return fail(ErrorCode::kMalformedTrailerError);
  }
  has_trailer_ = true;
  if (!valid_checksum(algorithm, value)) return fail(ErrorCode::kInvalidRequest);
  if (signer_ != nullptr) {
    Sha256 hash;
    hash.update(field_of(algorithm));
    hash.update(":");
    hash.update(value);
    hash.update("\n");
    trailer_digest_ = hash.finish();
  }
  trailer_ = checksum_->finish();
  return trailer_->text() == value ? std::nullopt : std::optional{fail(ErrorCode::kBadDigest)};
}

std::optional<AwsChunkedDecoder::Event> AwsChunkedDecoder::read_trailer_signature(
    std::string_view value) noexcept {
  if (has_trailer_signature_) return fail(ErrorCode::kMalformedTrailerError);
  has_trailer_signature_ = true;
  if (!signer_->verify_trailer(trailer_digest_, value)) {
    return fail(ErrorCode::kSignatureDoesNotMatch);
  }
  return std::nullopt;
}

std::optional<AwsChunkedDecoder::Event> AwsChunkedDecoder::end_trailers() noexcept {
  if (takes_trailer_ && (!has_trailer_ || (signer_ != nullptr && !has_trailer_signature_))) {
    return fail(ErrorCode::kMalformedTrailerError);
  }
  const bool in_head = checksum_ && !takes_trailer_;
  if (in_head && checksum_->finish().text() != expected_) return fail(ErrorCode::kBadDigest);
  matched_ = 0;
  state_ = State::kPadding;
  return Event::kEnd;
}

std::optional<AwsChunkedDecoder::Event> AwsChunkedDecoder::read_padding(
    std::string_view& bytes) noexcept {
  const bool line_end = bytes.front() == '\r' || bytes.front() == '\n';
  if (!line_end || ++matched_ > kChunkedPaddingBytesMax) return fail(ErrorCode::kIncompleteBody);
  bytes.remove_prefix(1);
  return std::nullopt;
}

AwsChunkedDecoder::Event AwsChunkedDecoder::fail(ErrorCode error) noexcept {
  failure_ = error;
  state_ = State::kFailed;
  return Event::kFailed;
}

}  // namespace tercel::s3
