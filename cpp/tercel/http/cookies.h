// The cookies of a request.
//
//   Cookies cookies{request.fields};
//   Cookie cookie;
//   for (;;) {
//     const Result<bool> more = cookies.next(cookie);
//     if (!more) return fail(more.error());
//     if (!*more) break;
//     ...                                            // cookie.name, cookie.value
//
// Lenient where browsers are: a piece ends at ';' whatever stands around it, quotes included, which
// is how browsers cut what they store; blanks around names and values are none of theirs; a name is
// any bytes, and case matters. What has no name (no '=', or nothing before it) cannot be asked for
// and is skipped. One pair of quotes around a value is taken off. Backslashes are bytes like
// others: no cookie of the standard holds one, and servers that write them read them in ways of
// their own. Views are into the fields. Cost: linear in the fields.
// Source: draft-ietf-httpbis-rfc6265bis sections 4.2 and 5. Tested by cookies_test.cc, fuzzed by
// cookies_fuzz.cc, compared with http.cookies by test_input_agrees.py.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/base/result.h"
#include "tercel/http/message.h"

namespace tercel::http {

// Browsers keep about 180 a site. kTooManyCookies, 431.
inline constexpr std::size_t kCookiesMax = 256;

struct Cookie {
  std::string_view name;
  std::string_view value;
  bool quoted = false;  // It had quotes around it.
};

// A value. Reads all fields of the name "cookie", in their order.
class Cookies {
 public:
  explicit Cookies(std::span<const Field> fields, std::size_t cookies_max = kCookiesMax) noexcept
      : fields_{fields}, left_{cookies_max} {}

  // Reads the next cookie; false: there is none. The client sends first what was set for the
  // longest path, so of two with one name the first is meant. After a failure do not call again.
  [[nodiscard]] Result<bool> next(Cookie& cookie) noexcept;

 private:
  // The next piece that is not empty; an empty one: there is none.
  [[nodiscard]] std::string_view next_piece() noexcept;

  std::span<const Field> fields_;
  std::string_view rest_;  // Of the current field.
  std::size_t left_;
};

// The first cookie of that name.
[[nodiscard]] Result<std::optional<Cookie>> find_cookie(std::span<const Field> fields,
                                                        std::string_view name) noexcept;

}  // namespace tercel::http
