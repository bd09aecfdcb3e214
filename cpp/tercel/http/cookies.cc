#include "tercel/http/cookies.h"

#include "tercel/http/chars.h"

namespace tercel::http {

std::string_view Cookies::next_piece() noexcept {
  for (;;) {
    while (!rest_.empty()) {
      const std::string_view piece = next_element(rest_, ';');
      if (!piece.empty()) return piece;
    }
    if (fields_.empty()) return {};
    if (fields_.front().name == "cookie") rest_ = fields_.front().value;
    fields_ = fields_.subspan(1);
  }
}

Result<bool> Cookies::next(Cookie& cookie) noexcept {
  for (;;) {
    const std::string_view piece = next_piece();
    if (piece.empty()) return false;
    if (left_ == 0) return fail(Errc::kTooManyCookies);
    --left_;

    const std::size_t equals = piece.find('=');
    if (equals == std::string_view::npos) continue;
    cookie.name = trim_blanks(piece.substr(0, equals));
    if (cookie.name.empty()) continue;
    cookie.value = trim_blanks(piece.substr(equals + 1));
    cookie.quoted =
        cookie.value.size() >= 2 && cookie.value.starts_with('"') && cookie.value.ends_with('"');
    if (cookie.quoted) cookie.value = cookie.value.substr(1, cookie.value.size() - 2);
    return true;
  }
}

Result<std::optional<Cookie>> find_cookie(std::span<const Field> fields,
                                          std::string_view name) noexcept {
  Cookies cookies{fields};
  Cookie cookie;
  for (;;) {
    const Result<bool> more = cookies.next(cookie);
    if (!more) return fail(more.error());
    if (!*more) return std::optional<Cookie>{};
    if (cookie.name == name) return std::optional{cookie};
  }
}

}  // namespace tercel::http
