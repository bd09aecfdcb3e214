// One parameter of a route: where it stands in a request, and what it has to be.
//
// Those of a form are in the body, as application/x-www-form-urlencoded or multipart/form-data, and
// make it the body of the route. An empty text in a form was not given, unless it is the element of
// an array: that is what browsers send for an input that nobody filled in.
//
// Values. Source: OpenAPI 3.1, "Parameter Object", whose names these are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tercel/api/limits.h"

namespace tercel::api {

enum class In : std::uint8_t { kPath, kQuery, kHeader, kCookie, kForm };

// The types of JSON Schema that a text can stand for. What a string stands for further on (a date,
// a UUID) is its format. A file is one of a multipart form (form.h): its value is the string that
// the client calls it.
enum class Type : std::uint8_t { kString, kInteger, kNumber, kBoolean, kFile };

struct Parameter {
  std::string name;  // As requests have it; of a header in lower case.
  In in = In::kQuery;
  Type type = Type::kString;
  bool required = true;
  bool array = false;  // Of `type`: each time it is given is an element.
  // Of an array: one text holds several elements, cut here. NUL: it does not.
  char separator = '\0';
  std::string schema = {};  // JSON Schema of the value, or of the array; empty: any will do.
  std::uint64_t bytes_max = kFileBytesMaxDefault;  // Of a file, or of all files of an array.
};

// "path", "query", ...
[[nodiscard]] constexpr std::string_view name_of(In in) noexcept {
  switch (in) {
    case In::kPath:
      return "path";
    case In::kQuery:
      return "query";
    case In::kHeader:
      return "header";
    case In::kCookie:
      return "cookie";
    case In::kForm:
      return "form";
  }
  return {};
}

// The first step of a failure's `loc`: a form is the body.
[[nodiscard]] constexpr std::string_view loc_of(In in) noexcept {
  return in == In::kForm ? "body" : name_of(in);
}

}  // namespace tercel::api
