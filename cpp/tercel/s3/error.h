// Every error that an S3 client can get from tercel itself, one row each, and how one is reported.
//
//   if (std::optional<Refusal> refusal = read_claim(request, now, claim)) return answer(*refusal);
//
// Names, statuses and messages are those that clients and test suites of S3 know. A message is
// fixed text, or quotes a piece of what a peer sent where S3 does; the rest of that goes into
// elements of its own. error_body.h escapes both. No secret is ever part of an error. Source: AWS,
// "S3 API Reference: Error responses". Tested by error_test.cc.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string_view>

namespace tercel::s3 {

// name of the code (enumerator without k), HTTP status, default message
#define TERCEL_S3_ERRORS(X)                                                                        \
  X(kAccessDenied, 403, "Access Denied")                                                           \
  X(kAccessForbidden, 403, "Access Forbidden")                                                     \
  X(kAuthorizationHeaderMalformed, 400, "The authorization header that you provided is not valid") \
  X(kAuthorizationQueryParametersError, 400,                                                       \
    "The authorization query parameters that you provided are not valid")                          \
  X(kBadDigest, 400, "The checksum that you specified did not match what the server received")     \
  X(kBadRequest, 400, "Bad Request")                                                               \
  X(kEntityTooLarge, 400, "Your proposed upload exceeds the maximum allowed object size")          \
  X(kExpiredToken, 400, "The provided token has expired")                                          \
  X(kGatewayTimeout, 504, "The storage behind the server did not answer in time")                  \
  X(kIncompleteBody, 400, "The request body terminated unexpectedly")                              \
  X(kInternalError, 500, "We encountered an internal error. Please try again")                     \
  X(kInvalidAccessKeyId, 403, "The AWS Access Key Id you provided does not exist in our records.") \
  X(kInvalidArgument, 400, "Invalid Argument")                                                     \
  X(kInvalidBucketName, 400, "The specified bucket is not valid.")                                 \
  X(kInvalidChunkSizeError, 400,                                                                   \
    "Only the last chunk is allowed to have a size less than 8192 bytes")                          \
  X(kInvalidDigest, 400, "The Content-Md5 you specified is not valid.")                            \
  X(kInvalidRange, 416, "The requested range is not satisfiable")                                  \
  X(kInvalidRequest, 400, "Invalid Request")                                                       \
  X(kInvalidToken, 400, "The provided token is malformed or otherwise invalid.")                   \
  X(kInvalidURI, 400, "Couldn't parse the specified URI")                                          \
  X(kKeyTooLongError, 400, "Your key is too long")                                                 \
  X(kMalformedTrailerError, 400,                                                                   \
    "The request contained trailing data that was not well-formed or did not conform to our "      \
    "published schema.")                                                                           \
  X(kMalformedXML, 400,                                                                            \
    "The XML that you provided was not well-formed or did not validate against our published "     \
    "schema")                                                                                      \
  X(kMethodNotAllowed, 405, "The specified method is not allowed against this resource.")          \
  X(kMissingContentLength, 411, "You must provide the Content-Length HTTP header.")                \
  X(kNoSuchBucket, 404, "The specified bucket does not exist")                                     \
  X(kNoSuchKey, 404, "The specified key does not exist.")                                          \
  X(kNotImplemented, 501,                                                                          \
    "A header or query you provided implies functionality that is not implemented")                \
  X(kOperationAborted, 409,                                                                        \
    "A conflicting conditional operation is currently in progress against this resource. Try "     \
    "again.")                                                                                      \
  X(kPreconditionFailed, 412, "At least one of the pre-conditions you specified did not hold")     \
  X(kRequestHeaderSectionTooLarge, 400, "The headers or query of the request exceed the limit")    \
  X(kRequestTimeTooSkewed, 403,                                                                    \
    "The difference between the request time and the current time is too large.")                  \
  X(kRequestTimeout, 400, "The request body was not sent within the time limit")                   \
  X(kServiceUnavailable, 503, "Service is unable to handle request")                               \
  X(kSignatureDoesNotMatch, 403,                                                                   \
    "The request signature we calculated does not match the signature you provided. Check your "   \
    "key and signing method.")                                                                     \
  X(kSlowDown, 503, "Please reduce your request rate")                                             \
  X(kXAmzContentSHA256Mismatch, 400,                                                               \
    "The provided 'x-amz-content-sha256' header does not match what was computed.")

#define TERCEL_S3_NAME(name, status, message) name,
enum class ErrorCode : std::uint8_t { TERCEL_S3_ERRORS(TERCEL_S3_NAME) };
#undef TERCEL_S3_NAME

struct ErrorInfo {
  std::uint16_t http_status;
  std::string_view code;     // As it stands in <Code>.
  std::string_view message;  // Unless the place of the failure has one that says more.
};

[[nodiscard]] constexpr ErrorInfo info(ErrorCode error) noexcept {
#define TERCEL_S3_ROW(name, status, message) {status, std::string_view(#name).substr(1), message},
  constexpr ErrorInfo kTable[] = {TERCEL_S3_ERRORS(TERCEL_S3_ROW)};
#undef TERCEL_S3_ROW
  return kTable[static_cast<std::uint8_t>(error)];
}

// Why a request is refused, with the elements that its document has beside the usual ones. A
// value: it holds copies, so it may outlive the request. Names of elements and messages are
// literals.
class Refusal {
 public:
  static constexpr std::size_t kElementsMax = 4;
  // Of all values of elements and the message of say() together. What does not fit is cut.
  static constexpr std::size_t kTextBytesMax = 512;

  struct Element {
    std::string_view name;
    std::string_view value;
  };

  explicit Refusal(ErrorCode error) noexcept : Refusal{error, info(error).message} {}
  Refusal(ErrorCode error, std::string_view message) noexcept : message_{message}, code_{error} {}

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  [[nodiscard]] std::string_view message() const noexcept {
    return says_.size == 0 ? message_ : text_of(says_);
  }
  [[nodiscard]] std::size_t elements() const noexcept { return count_; }
  // REQUIRES: index < elements().
  [[nodiscard]] Element element(std::size_t index) const noexcept {
    return {places_[index].name, text_of(places_[index].text)};
  }

  // Nothing happens when there are kElementsMax already.
  Refusal& with(std::string_view name, std::string_view value) noexcept {
    if (count_ != kElementsMax) places_[count_++] = {name, keep(value)};
    return *this;
  }

  // Has the message be these parts, one behind the other. REQUIRES: nothing was said before.
  Refusal& say(std::initializer_list<std::string_view> parts) noexcept {
    const std::uint16_t begin = used_;
    for (const std::string_view part : parts) keep(part);
    says_ = {begin, static_cast<std::uint16_t>(used_ - begin)};
    return *this;
  }

 private:
  struct Text {
    std::uint16_t begin = 0;
    std::uint16_t size = 0;
  };
  struct Place {
    std::string_view name;
    Text text;
  };

  Text keep(std::string_view value) noexcept {
    const std::size_t bytes = std::min(value.size(), kTextBytesMax - used_);
    if (bytes != 0) std::memcpy(text_.data() + used_, value.data(), bytes);
    const Text kept{used_, static_cast<std::uint16_t>(bytes)};
    used_ = static_cast<std::uint16_t>(used_ + bytes);
    return kept;
  }
  [[nodiscard]] std::string_view text_of(Text text) const noexcept {
    return {text_.data() + text.begin, std::size_t{text.size}};
  }

  std::string_view message_;
  std::array<Place, kElementsMax> places_{};
  Text says_;
  std::uint16_t used_ = 0;
  std::uint8_t count_ = 0;
  ErrorCode code_;
  std::array<char, kTextBytesMax> text_;  // The first used_ bytes are set.
};

static_assert(sizeof(Refusal) <= 640);

}  // namespace tercel::s3
