#include "tercel/http/h1_field.h"

#include <algorithm>
#include <iterator>

namespace tercel::http {
namespace {

// Those that decide over the message, its way, its sender's rights or its content. The
// conditionals, "if-...", are found by their prefix.
constexpr std::string_view kNoTrailers[] = {
    "age",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    "expires",
    "forwarded",
    "host",
    "keep-alive",
    "location",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "retry-after",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "warning",
    "www-authenticate",
};

}  // namespace

bool may_be_trailer(std::string_view name) noexcept {
  return !name.starts_with("if-") && !name.starts_with("x-forwarded-") &&
         std::find(std::begin(kNoTrailers), std::end(kNoTrailers), name) == std::end(kNoTrailers);
}

}  // namespace tercel::http
