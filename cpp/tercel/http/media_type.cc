#include "tercel/http/media_type.h"

#include "tercel/http/chars.h"
#include "tercel/http/parameters.h"

namespace tercel::http {
namespace {

Charset charset_of(const Parameter& parameter) noexcept {
  const bool utf8 = value_is(parameter, "utf-8") || value_is(parameter, "utf8") ||
                    value_is(parameter, "us-ascii");
  return utf8 ? Charset::kUtf8 : Charset::kOther;
}

// Notes a parameter that we know. False: it was there before.
bool note(const Parameter& parameter, MediaType& type) noexcept {
  if (equals_ignoring_case(parameter.name, "charset")) {
    if (type.charset != Charset::kAbsent) return false;
    type.charset = charset_of(parameter);
  }
  if (equals_ignoring_case(parameter.name, "boundary")) {
    if (type.boundary.data() != nullptr) return false;
    type.boundary = parameter.value;
  }
  return true;
}

}  // namespace

bool MediaType::is(std::string_view lower_type, std::string_view lower_subtype) const noexcept {
  return equals_ignoring_case(type, lower_type) && equals_ignoring_case(subtype, lower_subtype);
}

bool MediaType::is_json() const noexcept {
  constexpr std::string_view kSuffix = "+json";
  if (is("application", "json")) return true;
  return subtype.size() > kSuffix.size() &&
         equals_ignoring_case(subtype.substr(subtype.size() - kSuffix.size()), kSuffix);
}

bool MediaType::is_urlencoded_form() const noexcept {
  return is("application", "x-www-form-urlencoded");
}

bool MediaType::is_multipart_form() const noexcept {
  return is("multipart", "form-data");
}

Result<MediaType> parse_media_type(std::string_view value) noexcept {
  MediaType type;
  const std::size_t semicolon = value.find(';');
  const std::string_view name = trim_blanks(value.substr(0, semicolon));
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) return fail(Errc::kBadMediaType);
  type.type = name.substr(0, slash);
  type.subtype = name.substr(slash + 1);
  if (!is_token(type.type) || !is_token(type.subtype)) return fail(Errc::kBadMediaType);
  if (semicolon == std::string_view::npos) return type;

  type.parameters = value.substr(semicolon);
  Parameters parameters{type.parameters};
  Parameter parameter;
  for (;;) {
    switch (parameters.next(parameter)) {
      case Parameters::Next::kEnd:
        return type;
      case Parameters::Next::kBad:
        return fail(Errc::kBadMediaType);
      case Parameters::Next::kParameter:
        if (!note(parameter, type)) return fail(Errc::kBadMediaType);
    }
  }
}

}  // namespace tercel::http
