// One parameter of a route: where it stands in a request, and what it has to be.
//
// Values. Source: OpenAPI 3.1, "Parameter Object", whose names these are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tercel::api {

enum class In : std::uint8_t { kPath, kQuery, kHeader, kCookie };

// The types of JSON Schema that a text can stand for. What a string stands for further on (a date,
// a UUID) is its format.
enum class Type : std::uint8_t { kString, kInteger, kNumber, kBoolean };

struct Parameter {
  std::string name;  // As requests have it; of a header in lower case.
  In in = In::kQuery;
  Type type = Type::kString;
  bool required = true;
  bool array = false;  // Of `type`: each time it is given is an element.
  // Of an array: one text holds several elements, cut here. NUL: it does not.
  char separator = '\0';
  std::string schema = {};  // JSON Schema of the value, or of the array; empty: any will do.
};

// "path", "query", ...: the first step of a failure's `loc`.
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
  }
  return {};
}

}  // namespace tercel::api
