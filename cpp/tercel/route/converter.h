// Converters: which texts a field takes, and what value they stand for.
//
//   str(min_length, max_length)  any text of one character at least; the default
//   int(num_digits, min, max)    '-' or nothing, then digits; within 64 bits
//   float(min, max)              a decimal number, perhaps with an exponent; finite
//   uuid                         8-4-4-4-12 hex digits
//   date                         2026-11-26
//   datetime(format)             RFC 3339, or what convert_time.h makes of the format
//   path                         the rest of the path, '/' included, perhaps empty
//
// Any other name is the application's own converter. Arguments have names, or come in the order
// above. What a converter refuses does not match: the next candidate is tried. A Converter is a
// value. Thread: any, as convert() changes nothing. Source of the arguments: Falcon's converters.
// Tested by converter_test.cc.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "tercel/route/arguments.h"
#include "tercel/route/problem.h"
#include "tercel/route/value.h"

namespace tercel::route {

enum class ConverterKind : std::uint8_t {
  kStr,
  kInt,
  kFloat,
  kUuid,
  kDate,
  kDateTime,
  kPath,
  kUser
};

// The application's own converters.
class UserConverters {
 public:
  // Asked once for each field that names one. Returns the number that stands for converter `name`
  // with `arguments`, the text between its parentheses: fields with the same number convert alike.
  // Nothing: there is none, or it cannot be; `problem` then says why, or stays empty.
  virtual std::optional<std::uint32_t> bind(std::string_view name, std::string_view arguments,
                                            std::string& problem) = 0;

  // Asked during a lookup. Nothing: `text`, which is decoded and ends with the call, does not
  // match. What it answers for a candidate that fails later is not asked for again. A lookup asks
  // at most once for each field of each template.
  virtual std::optional<UserValue> convert(std::uint32_t converter,
                                           std::string_view text) noexcept = 0;

 protected:
  ~UserConverters() = default;
};

class Converter {
 public:
  // Takes any text.
  Converter() = default;

  // What `name` and `arguments` describe. `users` may be null. If it fails, `problem` continues the
  // sentence "the converter of {field} ...".
  [[nodiscard]] static std::optional<Converter> make(std::string_view name,
                                                     std::string_view arguments,
                                                     UserConverters* users, std::string& problem);

  // False: `text` does not match, and `value` is undefined. A user's converter without `users`
  // refuses. Cost: linear in the text.
  [[nodiscard]] bool convert(std::string_view text, Value& value,
                             UserConverters* users) const noexcept {
    if (kind_ == ConverterKind::kStr && !limited_) {
      value.emplace<std::monostate>();
      return true;
    }
    return convert_slowly(text, value, users);
  }

  [[nodiscard]] ConverterKind kind() const noexcept { return kind_; }
  // Of kInt, inclusive.
  [[nodiscard]] std::int64_t integer_min() const noexcept { return integer_min_; }
  [[nodiscard]] std::int64_t integer_max() const noexcept { return integer_max_; }
  // Of kFloat, inclusive.
  [[nodiscard]] double number_min() const noexcept { return number_min_; }
  [[nodiscard]] double number_max() const noexcept { return number_max_; }
  // Of kStr, in characters.
  [[nodiscard]] std::uint32_t length_min() const noexcept { return length_min_; }
  [[nodiscard]] std::uint32_t length_max() const noexcept { return length_max_; }
  // Of kInt; 0: any.
  [[nodiscard]] std::uint32_t num_digits() const noexcept { return num_digits_; }
  // Of kDateTime; empty: RFC 3339.
  [[nodiscard]] std::string_view format() const noexcept { return format_; }
  // Of kUser: what bind() returned.
  [[nodiscard]] std::uint32_t user_number() const noexcept { return user_number_; }

  // They take the same texts and make the same of them.
  bool operator==(const Converter&) const = default;

 private:
  [[nodiscard]] bool convert_slowly(std::string_view text, Value& value,
                                    UserConverters* users) const noexcept;
  [[nodiscard]] bool convert_integer(std::string_view text, Value& value) const noexcept;
  [[nodiscard]] bool convert_number(std::string_view text, Value& value) const noexcept;
  [[nodiscard]] bool has_right_length(std::string_view text) const noexcept;
  [[nodiscard]] bool set(const Argument& argument);

  ConverterKind kind_ = ConverterKind::kStr;
  bool limited_ = false;
  std::uint32_t user_number_ = 0;
  std::uint32_t num_digits_ = 0;
  std::uint32_t length_min_ = 1;
  std::uint32_t length_max_ = std::numeric_limits<std::uint32_t>::max();
  std::int64_t integer_min_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t integer_max_ = std::numeric_limits<std::int64_t>::max();
  double number_min_ = std::numeric_limits<double>::lowest();
  double number_max_ = std::numeric_limits<double>::max();
  std::string format_;
};

}  // namespace tercel::route
