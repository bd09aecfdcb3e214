// Invariants: the parts of a media type are tokens of the input, and written again they are the
// same; elements of a list cover it without loss; whoever accepts exactly one of the offers gets
// it, and any Accept leads to one of them or to none.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/http/accept.h"
#include "tercel/http/chars.h"
#include "tercel/http/parameters.h"

namespace {

using namespace tercel::http;

std::string escaped(std::string_view text) {
  std::string all;
  for (const char c : text) (all += '\\') += c;
  return all;
}

void write_and_read(const MediaType& type) {
  std::string again = std::string{type.type} + '/' + std::string{type.subtype};
  Parameters parameters{type.parameters};
  Parameter parameter;
  while (parameters.next(parameter) == Parameters::Next::kParameter) {
    std::string value{parameter.value};
    if (parameter.quoted) value = std::string{unescape(value, value, Backslash::kEscapesAll)};
    again.append(" ; ").append(parameter.name).append("=\"").append(escaped(value)).append("\"");
  }
  const auto reread = parse_media_type(again);
  if (!reread || reread->charset != type.charset || reread->is_json() != type.is_json()) {
    __builtin_trap();
  }
}

void check_type(std::string_view text) {
  const auto type = parse_media_type(text);
  if (!type) return;
  if (!is_token(type->type) || !is_token(type->subtype)) __builtin_trap();
  write_and_read(*type);
  // A wildcard is a token, too, but no name.
  if (type->type == "*" || type->subtype == "*") return;
  const std::array<MediaType, 2> offers{*parse_media_type("no/such"), *type};
  const std::string name = std::string{type->type} + '/' + std::string{type->subtype};
  const std::array<Field, 1> fields{{{"accept", name}}};
  if (!type->is("no", "such") && choose_media_type(fields, offers) != 1) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  check_type(text);

  std::size_t elements = 0;
  std::size_t bytes = 0;
  for (std::string_view rest = text; !rest.empty(); ++elements) {
    const std::string_view element = next_list_element(rest);
    bytes += element.size();
    check_type(element);
  }
  if (bytes + elements > size + 1) __builtin_trap();

  const std::array<Field, 1> fields{{{"accept", text}}};
  const std::array<MediaType, 2> offers{*parse_media_type("text/html"),
                                        *parse_media_type("application/json; v=1")};
  if (choose_media_type(fields, offers).value_or(0) > 1) __builtin_trap();
  return 0;
}
