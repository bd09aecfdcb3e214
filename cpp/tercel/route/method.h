// The methods of HTTP, as a number each and as a set.
//
// Names are case-sensitive. A method without a number is no error here: endpoints hold those by
// name. Source: RFC 9110 section 9.3, RFC 5789 (PATCH). Tested by method_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tercel::route {

enum class Method : std::uint8_t {
  kGet,
  kHead,
  kPost,
  kPut,
  kPatch,
  kDelete,
  kOptions,
  kTrace,
  kConnect
};

inline constexpr std::array<std::string_view, 9> kMethodNames{
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"};

[[nodiscard]] constexpr std::string_view name_of(Method method) noexcept {
  return kMethodNames[static_cast<std::size_t>(method)];
}

// The method of this name, if it is one of the nine.
[[nodiscard]] std::optional<Method> parse_method(std::string_view name) noexcept;

// A value.
class MethodSet {
 public:
  constexpr void add(Method method) noexcept {
    bits_ = static_cast<std::uint16_t>(bits_ | bit(method));
  }
  [[nodiscard]] constexpr bool has(Method method) const noexcept {
    return (bits_ & bit(method)) != 0;
  }
  [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }
  bool operator==(const MethodSet&) const = default;

 private:
  static constexpr unsigned bit(Method method) noexcept {
    return 1U << static_cast<unsigned>(method);
  }

  std::uint16_t bits_ = 0;
};

}  // namespace tercel::route
