#include "tercel/schema/error.h"

#include <algorithm>
#include <utility>

#include "tercel/schema/format.h"

namespace tercel::schema {
namespace {

std::string_view type_code(std::string_view type) noexcept {
  if (type == "integer") return "int_type";
  if (type == "number") return "float_type";
  if (type == "string") return "string_type";
  if (type == "boolean") return "bool_type";
  if (type == "array") return "list_type";
  if (type == "object") return "dict_type";
  return "none_required";
}

constexpr std::string_view kOwn = "tercel:";

// Whether all that is wrong with a date or a time is that it has an offset, or has none.
bool has_wrong_offset(std::string_view format, json::Value value) noexcept {
  const std::string_view text = value.string();
  return format.ends_with("-date-time") ? is_any_date_time(text) : is_any_time(text);
}

// `value`: a string.
std::string_view format_code(std::string_view format, json::Value value) noexcept {
  const bool own = format.starts_with(kOwn);
  if (own) format.remove_prefix(kOwn.size());
  if (own && (format.starts_with("local-") || format.starts_with("zoned-"))) {
    const bool local = format.starts_with("local-");
    if (has_wrong_offset(format, value)) return local ? "timezone_naive" : "timezone_aware";
    return format.ends_with("-date-time") ? "datetime_parsing" : "time_parsing";
  }
  struct Row {
    std::string_view format;
    std::string_view code;
    bool only_own = false;
  };
  static constexpr Row kRows[] = {{"date-time", "datetime_parsing"},
                                  {"date", "date_from_datetime_parsing"},
                                  {"time", "time_parsing"},
                                  {"duration", "time_delta_parsing"},
                                  {"decimal", "decimal_parsing", true},
                                  {"integer", "int_parsing", true},
                                  {"base64", "bytes_invalid_encoding", true},
                                  {"uuid", "uuid_parsing"},
                                  {"uri", "url_parsing"},
                                  {"iri", "url_parsing"},
                                  {"ipv4", "ip_v4_address"},
                                  {"ipv6", "ip_v6_address"}};
  for (const Row& row : kRows) {
    if (row.format == format && (own || !row.only_own)) return row.code;
  }
  return "value_error";
}

// What a text must be to have a format of tercel's own.
std::string_view described(std::string_view format) noexcept {
  static constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"date-time", "must be a date and a time, as 2026-01-31T13:00:00Z"},
      {"local-date-time", "must be a date and a time without an offset, as 2026-01-31T13:00:00"},
      {"zoned-date-time", "must be a date and a time with an offset, as 2026-01-31T13:00:00Z"},
      {"time", "must be a time, as 13:00:00"},
      {"local-time", "must be a time without an offset, as 13:00:00"},
      {"zoned-time", "must be a time with an offset, as 13:00:00Z"},
      {"date", "must be a date, as 2026-01-31"},
      {"duration", "must be a duration of days, hours, minutes and seconds, as P1DT2H"},
      {"decimal", "must be a decimal number"},
      {"integer", "must be an integer in decimal digits"},
      {"base64", "must be base64"}};
  for (const auto& [name, words] : kWords) {
    if (format.substr(std::min(kOwn.size(), format.size())) == name) return words;
  }
  return "must have another format";
}

// The limit as it may be shown: what the schema's author wrote.
std::string limit_text(const Error& error) {
  if (!error.limit) return {};
  const json::Value limit = *error.limit;
  switch (limit.kind()) {
    case json::Kind::kInteger:
      return std::to_string(limit.int64());
    case json::Kind::kUnsigned:
      return std::to_string(limit.uint64());
    case json::Kind::kBigInteger:
    case json::Kind::kDecimal:
      return std::string{limit.number_text()};
    case json::Kind::kString:
      return std::string{limit.string()};
    default:
      return {};
  }
}

// "string", or "string or null".
std::string type_names(const Error& error) {
  if (!error.limit || !error.limit->is_array()) return limit_text(error);
  std::string names;
  for (const json::Value name : error.limit->elements()) {
    if (!names.empty()) names += " or ";
    names += name.string();
  }
  return names;
}

}  // namespace

std::string_view code_of(const Error& error) noexcept {
  const bool named = error.limit && error.limit->is_string();
  switch (error.keyword) {
    case Keyword::kNone:
      return "no_such_attribute";
    case Keyword::kType:
      return named ? type_code(error.limit->string()) : "union_tag_invalid";
    case Keyword::kRequired:
    case Keyword::kDependentRequired:
      return "missing";
    case Keyword::kAdditionalProperties:
    case Keyword::kUnevaluatedProperties:
      return "extra_forbidden";
    case Keyword::kMinimum:
      return "greater_than_equal";
    case Keyword::kExclusiveMinimum:
      return "greater_than";
    case Keyword::kMaximum:
      return "less_than_equal";
    case Keyword::kExclusiveMaximum:
      return "less_than";
    case Keyword::kMultipleOf:
      return "multiple_of";
    case Keyword::kMinLength:
      return "string_too_short";
    case Keyword::kMaxLength:
      return "string_too_long";
    case Keyword::kPattern:
      return "string_pattern_mismatch";
    case Keyword::kMinItems:
    case Keyword::kMinProperties:
      return "too_short";
    case Keyword::kMaxItems:
    case Keyword::kMaxProperties:
      return "too_long";
    case Keyword::kEnum:
      return "enum";
    case Keyword::kConst:
      return "literal_error";
    case Keyword::kFormat:
      return named ? format_code(error.limit->string(), error.value) : "value_error";
    default:
      return info(error.keyword).name;
  }
}

std::string describe(const Error& error) {
  const std::string limit = limit_text(error);
  switch (error.keyword) {
    case Keyword::kNone:
      return "must not be there";
    case Keyword::kType:
      return "must be of type " + type_names(error);
    case Keyword::kRequired:
    case Keyword::kDependentRequired:
    case Keyword::kDependencies:
      return "the property " + std::string{error.name} + " is required";
    case Keyword::kAdditionalProperties:
    case Keyword::kUnevaluatedProperties:
      return "is a property that is not allowed";
    case Keyword::kItems:
    case Keyword::kAdditionalItems:
    case Keyword::kUnevaluatedItems:
      return "has more elements than are allowed";
    case Keyword::kMinimum:
      return "must be at least " + limit;
    case Keyword::kExclusiveMinimum:
      return "must be greater than " + limit;
    case Keyword::kMaximum:
      return "must be at most " + limit;
    case Keyword::kExclusiveMaximum:
      return "must be less than " + limit;
    case Keyword::kMultipleOf:
      return "must be a multiple of " + limit;
    case Keyword::kMinLength:
      return "must have at least " + limit + " characters";
    case Keyword::kMaxLength:
      return "must have at most " + limit + " characters";
    case Keyword::kPattern:
      return "must match the pattern " + limit;
    case Keyword::kFormat:
      if (limit.starts_with(kOwn)) return std::string{described(limit)};
      return "must have the format " + limit;
    case Keyword::kMinItems:
      return "must have at least " + limit + " elements";
    case Keyword::kMaxItems:
      return "must have at most " + limit + " elements";
    case Keyword::kUniqueItems:
      return "must not have an element twice";
    case Keyword::kContains:
      return "does not have as many elements of the kind that it must contain";
    case Keyword::kMinProperties:
      return "must have at least " + limit + " properties";
    case Keyword::kMaxProperties:
      return "must have at most " + limit + " properties";
    case Keyword::kEnum:
      return "must be one of the values that are allowed";
    case Keyword::kConst:
      return "must be the value that is allowed";
    case Keyword::kNot:
      return "must not be of this form";
    case Keyword::kOneOf:
      return "must be of exactly one of the forms that are allowed";
    default:
      return "must be of one of the forms that are allowed";
  }
}

}  // namespace tercel::schema
