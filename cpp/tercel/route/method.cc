#include "tercel/route/method.h"

namespace tercel::route {
namespace {

std::optional<Method> if_named(Method method, std::string_view name) noexcept {
  if (name == name_of(method)) return method;
  return std::nullopt;
}

}  // namespace

std::optional<Method> parse_method(std::string_view name) noexcept {
  if (name.size() < 3) return std::nullopt;
  switch (name[0]) {
    case 'G':
      return if_named(Method::kGet, name);
    case 'H':
      return if_named(Method::kHead, name);
    case 'P':
      if (name[1] == 'O') return if_named(Method::kPost, name);
      return if_named(name[1] == 'U' ? Method::kPut : Method::kPatch, name);
    case 'D':
      return if_named(Method::kDelete, name);
    case 'O':
      return if_named(Method::kOptions, name);
    case 'T':
      return if_named(Method::kTrace, name);
    case 'C':
      return if_named(Method::kConnect, name);
    default:
      return std::nullopt;
  }
}

}  // namespace tercel::route
