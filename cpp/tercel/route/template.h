// A URI template, read: /users/{id:int}/files/{name}.{ext}
//
// A template is '/' and segments with '/' between them. A segment is made of literals and fields:
//
//   literal   text as it is after percent-decoding, without '/', '{', '}', '?', '#', control bytes
//   field     {name}, {name:converter} or {name:converter(arguments)}; see converter.h
//   name      a letter or '_', then letters, digits and '_'; bytes above 0x7F count as letters
//
// Two fields of a segment have a literal between them. A `path` field is a segment of its own, the
// last. An empty segment is a literal like any other: "/a" and "/a/" are two templates. This is the
// text alone; what templates mean to each other is router_builder.h. Tested by template_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/route/converter.h"
#include "tercel/route/problem.h"

namespace tercel::route {

// What a template may have; more is a Problem.
inline constexpr std::size_t kTemplateBytesMax = 4096;
inline constexpr std::size_t kSegmentsMax = 64;
inline constexpr std::size_t kFieldsMax = 32;

struct Field {
  std::string name;
  Converter converter;
  bool operator==(const Field&) const = default;
};

enum class SegmentKind : std::uint8_t { kLiteral, kMixed, kField, kRest };

struct TemplateSegment {
  SegmentKind kind = SegmentKind::kLiteral;
  std::vector<std::string> literals;  // Before, between and behind the fields: one more than those.
  std::vector<Field> fields;
};

// A value.
struct Template {
  std::string text;
  std::vector<TemplateSegment> segments;
};

// Reads `text` into `out`, which is undefined if there is a problem. `users` may be null.
[[nodiscard]] Problem parse_template(std::string_view text, UserConverters* users, Template& out);

}  // namespace tercel::route
