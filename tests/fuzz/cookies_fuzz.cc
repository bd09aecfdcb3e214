// Invariants: the parts of a cookie lie in the input, in order, and hold no ';'; one field and its
// pieces in fields of their own are read as the same cookies; a cookie that may be written is read
// again as it was, and holds nothing that could end it early.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tercel/http/cookies.h"
#include "tercel/http/set_cookie.h"

namespace {

using namespace tercel::http;
using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs read(std::span<const Field> fields, std::size_t cookies_max) {
  Cookies cookies{fields, cookies_max};
  Cookie cookie;
  Pairs pairs;
  for (;;) {
    const auto more = cookies.next(cookie);
    if (!more) __builtin_trap();
    if (!*more) return pairs;
    if (cookie.name.empty() || cookie.name.data() >= cookie.value.data()) __builtin_trap();
    if (cookie.name.find(';') != std::string_view::npos) __builtin_trap();
    if (cookie.value.find(';') != std::string_view::npos) __builtin_trap();
    pairs.emplace_back(cookie.name, cookie.value);
  }
}

void write_and_read(std::string_view name, std::string_view value, std::string_view path) {
  const SetCookie cookie{
      .name = name, .value = value, .path = path, .secure = true, .http_only = true};
  std::string room(set_cookie_bytes_max(cookie), '\0');
  const auto written = write_set_cookie(cookie, room);
  if (!written) return;
  const std::string_view pair = written->substr(0, written->find(';'));
  if (pair != std::string{name} + '=' + std::string{value}) __builtin_trap();
  if (written->find_first_of("\r\n") != std::string_view::npos) __builtin_trap();
  const std::vector<Field> fields{{"cookie", pair}};
  const Pairs pairs = read(fields, 1);
  const bool quoted = value.size() >= 2 && value.front() == '"';
  if (quoted) value = value.substr(1, value.size() - 2);
  if (pairs != Pairs{{std::string{name}, std::string{value}}}) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const std::vector<Field> whole{{"cookie", text}};
  const Pairs pairs = read(whole, size + 1);

  std::vector<Field> pieces;
  for (std::size_t start = 0; start <= size;) {
    const std::size_t stop = std::min(text.find(';', start), size);
    pieces.push_back({"cookie", text.substr(start, stop - start)});
    start = stop + 1;
  }
  if (read(pieces, size + 1) != pairs) __builtin_trap();
  for (const auto& [name, value] : pairs) write_and_read(name, value, "/");
  const std::size_t cut = std::min(text.find('\n'), size);
  write_and_read("name", text.substr(0, cut), text.substr(std::min(cut + 1, size)));
  return 0;
}
