#include "tercel/base/percent.h"

#include "tercel/base/assert.h"

namespace tercel {
namespace {

bool escape_at(std::string_view text, std::size_t i) noexcept {
  return text.size() - i > 2 && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
}

}  // namespace

char take_decoded(std::string_view& text) noexcept {
  if (text[0] == '%' && escape_at(text, 0)) {
    const auto byte = static_cast<unsigned char>(hex_value(text[1]) * 16 + hex_value(text[2]));
    text.remove_prefix(3);
    return static_cast<char>(byte);
  }
  const char c = text.front();
  text.remove_prefix(1);
  return c;
}

std::string_view percent_decode(std::string_view text, std::span<char> out) noexcept {
  TERCEL_ASSERT(out.size() >= text.size());
  char* end = out.data();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && escape_at(text, i)) {
      *end++ = static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      *end++ = text[i];
    }
  }
  return {out.data(), static_cast<std::size_t>(end - out.data())};
}

bool valid_percent_encoding(std::string_view text) noexcept {
  for (std::size_t i = text.find('%'); i != std::string_view::npos; i = text.find('%', i + 3)) {
    if (!escape_at(text, i)) return false;
  }
  return true;
}

}  // namespace tercel
