#include "tercel/gateway/own_text.h"

#include "tercel/s3/xml_text.h"

namespace tercel::gateway {
namespace {

constexpr std::string_view kDeclaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

s3::ErrorCode code_of(std::uint16_t status, s3::Level level) noexcept {
  using s3::ErrorCode;
  switch (status) {
    case 401:
    case 403:
      return ErrorCode::kAccessDenied;
    case 404:
      return level == s3::Level::kObject ? ErrorCode::kNoSuchKey : ErrorCode::kNoSuchBucket;
    case 405:
      return ErrorCode::kMethodNotAllowed;
    case 408:
      return ErrorCode::kRequestTimeout;
    case 409:
      return ErrorCode::kOperationAborted;
    case 411:
      return ErrorCode::kMissingContentLength;
    case 412:
      return ErrorCode::kPreconditionFailed;
    case 413:
      return ErrorCode::kEntityTooLarge;
    case 416:
      return ErrorCode::kInvalidRange;
    case 429:
      return ErrorCode::kSlowDown;
    case 500:
      return ErrorCode::kInternalError;
    case 501:
      return ErrorCode::kNotImplemented;
    case 504:
      return ErrorCode::kGatewayTimeout;
    default:
      return status < 500 ? ErrorCode::kInvalidRequest : ErrorCode::kServiceUnavailable;
  }
}

}  // namespace

OwnText error_text(std::uint16_t status, s3::Level level, const s3::ErrorContext& context,
                   std::span<char> scratch) {
  const s3::ErrorCode code = code_of(status, level);
  s3::Refusal refusal{code};
  refusal.say({"The storage behind the server answered with status ", std::to_string(status)});
  return {.document = std::string{s3::write_error_body(refusal, context, scratch)},
          .error_code = s3::info(code).code};
}

// That of us-east-1 is empty.
OwnText location_text(std::string_view region) {
  OwnText text{.document = std::string{kDeclaration}};
  text.document.append("<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
  if (region != "us-east-1") s3::append_escaped_xml(region, text.document);
  text.document.append("</LocationConstraint>");
  return text;
}

}  // namespace tercel::gateway
