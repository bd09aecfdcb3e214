#include "tercel/api/body_type.h"

#include "tercel/http/chars.h"

namespace tercel::api {

bool is_json(const http::Request& request) noexcept {
  const http::Field* const field = http::find_field(request.fields, "content-type");
  if (field == nullptr) return true;
  const Result<http::MediaType> type = http::parse_media_type(field->value);
  return type && type->is_json() && type->charset != http::Charset::kOther;
}

Result<http::MediaType> media_type_of(const http::Request& request) noexcept {
  const http::Field* const field = http::find_field(request.fields, "content-type");
  if (field == nullptr) return fail(Errc::kBadMediaType);
  return http::parse_media_type(field->value);
}

bool is_msgpack(const http::MediaType& type) noexcept {
  return type.is("application", "msgpack") || type.is("application", "x-msgpack") ||
         type.is("application", "vnd.msgpack");
}

bool is_encoded(const http::Request& request) noexcept {
  const http::Field* const field = http::find_field(request.fields, "content-encoding");
  return field != nullptr && !http::equals_ignoring_case(field->value, "identity");
}

FormType form_type_of(const http::Request& request) noexcept {
  const http::Field* const field = http::find_field(request.fields, "content-type");
  if (field == nullptr) return {};
  const Result<http::MediaType> media = http::parse_media_type(field->value);
  if (!media || media->charset == http::Charset::kOther) return {};
  if (media->is_multipart_form()) return {FormEncoding::kMultipart, *media};
  if (media->is_urlencoded_form()) return {FormEncoding::kUrlencoded, *media};
  return {};
}

}  // namespace tercel::api
