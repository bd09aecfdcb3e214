#include "tercel/route/method.h"

namespace tercel::route {

std::optional<Method> parse_method(std::string_view name) noexcept {
  // Compared with literals whose sizes the compiler knows: no call.
  switch (name.size()) {
    case 3:
      if (name == "GET") return Method::kGet;
      if (name == "PUT") return Method::kPut;
      return std::nullopt;
    case 4:
      if (name == "POST") return Method::kPost;
      if (name == "HEAD") return Method::kHead;
      return std::nullopt;
    case 5:
      if (name == "PATCH") return Method::kPatch;
      if (name == "TRACE") return Method::kTrace;
      return std::nullopt;
    case 6:
      if (name == "DELETE") return Method::kDelete;
      return std::nullopt;
    case 7:
      if (name == "OPTIONS") return Method::kOptions;
      if (name == "CONNECT") return Method::kConnect;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace tercel::route
