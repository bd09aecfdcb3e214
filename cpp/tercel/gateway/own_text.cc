#include "tercel/gateway/own_text.h"

#include "tercel/s3/xml_text.h"

namespace tercel::gateway {
namespace {

constexpr std::string_view kDeclaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

// Codes of S3 by their status.
std::string_view code_of(std::uint16_t status, s3::Level level) noexcept {
  switch (status) {
    case 401:
    case 403:
      return "AccessDenied";
    case 404:
      return level == s3::Level::kObject ? "NoSuchKey" : "NoSuchBucket";
    case 405:
      return "MethodNotAllowed";
    case 408:
      return "RequestTimeout";
    case 409:
      return "OperationAborted";
    case 411:
      return "MissingContentLength";
    case 412:
      return "PreconditionFailed";
    case 413:
      return "EntityTooLarge";
    case 416:
      return "InvalidRange";
    case 429:
      return "SlowDown";
    case 500:
      return "InternalError";
    case 501:
      return "NotImplemented";
    case 504:
      return "GatewayTimeout";
    default:
      return status < 500 ? "InvalidRequest" : "ServiceUnavailable";
  }
}

}  // namespace

OwnText error_text(std::uint16_t status, s3::Level level) {
  OwnText text{.document = std::string{kDeclaration}, .error_code = code_of(status, level)};
  text.document.append("<Error><Code>").append(text.error_code).append("</Code><Message>");
  text.document.append("The storage behind the server answered with status ");
  text.document.append(std::to_string(status)).append("</Message></Error>");
  return text;
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
