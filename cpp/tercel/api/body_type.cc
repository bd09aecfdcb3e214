#include "tercel/api/body_type.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "tercel/http/chars.h"

namespace tercel::api {
namespace {

constexpr std::string_view kContentType = "content-type";

std::optional<std::string_view> find_field(const http::Request& request, std::string_view name) {
  const auto named = [name](const http::Field& field) { return field.name == name; };
  const auto found = std::find_if(request.fields.begin(), request.fields.end(), named);
  if (found == request.fields.end()) return std::nullopt;
  return found->value;
}

}  // namespace

bool is_json(const http::Request& request) noexcept {
  const auto value = find_field(request, kContentType);
  if (!value) return true;
  const Result<http::MediaType> type = http::parse_media_type(*value);
  return type && type->is_json() && type->charset != http::Charset::kOther;
}

bool is_encoded(const http::Request& request) noexcept {
  const auto value = find_field(request, "content-encoding");
  return value && !http::equals_ignoring_case(*value, "identity");
}

FormType form_type_of(const http::Request& request) noexcept {
  const auto value = find_field(request, kContentType);
  if (!value) return {};
  const Result<http::MediaType> media = http::parse_media_type(*value);
  if (!media || media->charset == http::Charset::kOther) return {};
  if (media->is_multipart_form()) return {FormEncoding::kMultipart, *media};
  if (media->is_urlencoded_form()) return {FormEncoding::kUrlencoded, *media};
  return {};
}

}  // namespace tercel::api
