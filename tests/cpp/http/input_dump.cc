// Prints what tercel makes of the parts of a request that are for the application, for
// tests/python/test_input_agrees.py.
//
// Reads inputs as dump.h says, and writes one line of JSON for each. The first byte of an input
// says what the rest is:
//   c  cookies: [["name","value"],...], or "TooManyCookies"
//   d  a date: seconds since 1970, or null
//   f  a form: in its first byte the steps it arrives in, in the second the size of the boundary,
//      the boundary, the body. [["name","filename" or null,"type","data"],...,"complete"], where
//      the last may be "incomplete" or the name of an error.
//   m  a media type: ["type/subtype",["name","value"],...], or "BadMediaType"
//   p  preconditions, with a zero byte between: the method, the current entity tag, the time of the
//      modification, then names and values of fields. 200, 304 or 412.
//   r  the size of a representation, a zero byte, a Range: "whole", "unsatisfiable", or
//      [[first,last],...]
//   s  a cookie to be set, its parts behind each other with a zero byte between: name, value, path,
//      domain, Max-Age. What is written, or "BadCookie".
//   q  a query: [["name","value"],...], or "BadQuery"
#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "http/dump.h"
#include "http/multipart_input.h"
#include "tercel/base/parse_number.h"
#include "tercel/http/chars.h"
#include "tercel/http/conditional.h"
#include "tercel/http/cookies.h"
#include "tercel/http/date.h"
#include "tercel/http/media_type.h"
#include "tercel/http/parameters.h"
#include "tercel/http/query.h"
#include "tercel/http/range.h"
#include "tercel/http/set_cookie.h"

namespace tercel::http {
namespace {

std::string name_of(Errc error) {
  return quoted(info(error).name);
}

// A list of JSON texts.
class List {
 public:
  void add(const std::string& json) {
    if (!text_.empty()) text_ += ',';
    text_ += json;
  }
  std::string json() const { return '[' + text_ + ']'; }

 private:
  std::string text_;
};

std::string pair_json(std::string_view name, std::string_view value) {
  return '[' + quoted(name) + ',' + quoted(value) + ']';
}

std::string dump_cookies(std::string_view text) {
  const std::array<Field, 1> fields{{{"cookie", text}}};
  Cookies cookies{fields};
  Cookie cookie;
  List list;
  for (;;) {
    const Result<bool> more = cookies.next(cookie);
    if (!more) return name_of(more.error());
    if (!*more) return list.json();
    list.add(pair_json(cookie.name, cookie.value));
  }
}

// Of the year 2026, for dates of two digits.
constexpr std::chrono::seconds kNow{1795700000};

std::string dump_date(std::string_view text) {
  const auto date = parse_http_date(text, kNow);
  return date ? std::to_string(date->count()) : "null";
}

std::string dump_conditions(std::string_view text) {
  const std::string_view method = next_element(text, '\0');
  Validators current;
  current.etag = parse_entity_tag(next_element(text, '\0'));
  const auto modified = parse_decimal(next_element(text, '\0'));
  if (modified) current.last_modified = std::chrono::seconds{*modified};
  std::vector<Field> fields;
  while (!text.empty()) {
    const std::string_view name = next_element(text, '\0');
    fields.push_back({name, next_element(text, '\0')});
  }
  switch (evaluate_conditions(method, fields, current, kNow)) {
    case Verdict::kProceed:
      return "200";
    case Verdict::kNotModified:
      return "304";
    case Verdict::kPreconditionFailed:
      break;
  }
  return "412";
}

std::string dump_range(std::string_view text) {
  const auto size = parse_decimal(next_element(text, '\0'));
  ByteRanges ranges;
  switch (parse_range(text, size ? *size : 0, ranges)) {
    case RangeVerdict::kWhole:
      return "\"whole\"";
    case RangeVerdict::kUnsatisfiable:
      return "\"unsatisfiable\"";
    case RangeVerdict::kPartial:
      break;
  }
  List list;
  for (const ByteRange& range : ranges.all()) {
    list.add('[' + std::to_string(range.first) + ',' + std::to_string(range.last) + ']');
  }
  return list.json();
}

std::string dump_set_cookie(std::string_view text) {
  SetCookie cookie;
  cookie.name = next_element(text, '\0');
  cookie.value = next_element(text, '\0');
  cookie.path = next_element(text, '\0');
  cookie.domain = next_element(text, '\0');
  if (const auto age = parse_decimal(text)) cookie.max_age = std::chrono::seconds{*age};
  cookie.secure = cookie.http_only = true;
  cookie.same_site = SameSite::kLax;
  std::string room(set_cookie_bytes_max(cookie), '\0');
  const auto written = write_set_cookie(cookie, room);
  return written ? quoted(*written) : name_of(written.error());
}

std::string dump_form(std::string_view text) {
  const auto step = static_cast<unsigned char>(text[0]);
  const auto boundary_bytes = static_cast<unsigned char>(text[1]);
  const std::string_view boundary = text.substr(2, boundary_bytes);
  const Form form = read_form_in_steps(boundary, text.substr(2U + boundary_bytes), step);
  List list;
  for (const FormPart& part : form.parts) {
    if (!part.whole) continue;
    const std::string filename = part.filename ? quoted(*part.filename) : "null";
    list.add('[' + quoted(part.name) + ',' + filename + ',' + quoted(part.content_type) + ',' +
             quoted(part.data) + ']');
  }
  list.add(quoted(form.end));
  return list.json();
}

std::string dump_media_type(std::string_view text) {
  const auto type = parse_media_type(text);
  if (!type) return name_of(type.error());
  List list;
  list.add(quoted(std::string{type->type} + '/' + std::string{type->subtype}));
  Parameters parameters{type->parameters};
  Parameter parameter;
  while (parameters.next(parameter) == Parameters::Next::kParameter) {
    std::string value{parameter.value};
    if (parameter.quoted) value = std::string{unescape(value, value, Backslash::kEscapesAll)};
    list.add(pair_json(parameter.name, value));
  }
  return list.json();
}

std::string dump_query(std::string_view text) {
  std::string scratch(text.size(), '\0');
  QueryPairs query{text, scratch};
  QueryPair pair;
  List list;
  for (;;) {
    const Result<bool> more = query.next(pair);
    if (!more) return name_of(more.error());
    if (!*more) return list.json();
    list.add(pair_json(pair.name, pair.value));
  }
}

std::string dump(char kind, std::string_view text) {
  switch (kind) {
    case 'c':
      return dump_cookies(text);
    case 'd':
      return dump_date(text);
    case 'f':
      return dump_form(text);
    case 'm':
      return dump_media_type(text);
    case 'p':
      return dump_conditions(text);
    case 'r':
      return dump_range(text);
    case 's':
      return dump_set_cookie(text);
    case 'q':
      return dump_query(text);
    default:
      return "null";
  }
}

}  // namespace
}  // namespace tercel::http

int main() {
  std::string input;
  while (tercel::http::read_input(input) && !input.empty()) {
    std::puts(tercel::http::dump(input.front(), std::string_view{input}.substr(1)).c_str());
  }
}
