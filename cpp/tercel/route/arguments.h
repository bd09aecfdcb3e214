// What stands in the parentheses of a converter: `min=1, max=10` or `"%Y-%m-%d"`.
//
// Arguments are separated by commas; one is a value, or a name, '=' and a value. A value is text
// without comma, quote or space, or stands in double or single quotes, within which every byte but
// that quote is itself. Tested by converter_test.cc.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace tercel::route {

struct Argument {
  std::string_view name;   // Empty: it is known by its place.
  std::string_view value;  // Without the quotes.
};

// Views into `text`. Nothing: it is malformed.
[[nodiscard]] std::optional<std::vector<Argument>> parse_arguments(std::string_view text);

// Where the ')' is that ends the arguments which begin at the start of `text`; npos: nowhere.
[[nodiscard]] std::size_t find_arguments_end(std::string_view text) noexcept;

}  // namespace tercel::route
