#include "tercel/s3/xml_text.h"

#include <array>
#include <cstddef>
#include <utility>

#include "tercel/base/assert.h"
#include "tercel/base/parse_number.h"
#include "tercel/base/percent.h"

namespace tercel::s3 {
namespace {

std::string_view reference_of(const char& c) noexcept {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&apos;";
    case '\r':
      return "&#13;";
    case '\n':
      return "&#10;";
    case '\t':
      return "&#9;";
    default:
      break;
  }
  if (static_cast<unsigned char>(c) < 0x20) return "?";
  return {&c, 1};
}

// The bytes that are left of one character.
struct Character {
  std::array<char, 4> bytes;
  std::size_t size = 0;
  std::size_t at = 0;
};

bool set_code_point(std::uint64_t code, Character& to) noexcept {
  if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
  to = {};
  if (code < 0x80) {
    to.bytes[to.size++] = static_cast<char>(code);
    return true;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  to.bytes[to.size++] = static_cast<char>((0xff00U >> (more + 1) & 0xff) | code >> (6 * more));
  for (int i = more - 1; i >= 0; --i) {
    to.bytes[to.size++] = static_cast<char>(0x80 | (code >> (6 * i) & 0x3f));
  }
  return true;
}

// `name` is between '&' and ';'.
bool set_reference(std::string_view name, Character& to) noexcept {
  constexpr std::array<std::pair<std::string_view, char>, 5> kNamed{
      {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
  for (const auto& [known, c] : kNamed) {
    if (name == known) return set_code_point(static_cast<std::uint64_t>(c), to);
  }
  if (!name.starts_with('#')) return false;
  name.remove_prefix(1);
  const bool hex = name.starts_with('x');
  const auto code = hex ? parse_hex(name.substr(1), 0x10ffff) : parse_decimal(name, 0x10ffff);
  return code && set_code_point(*code, to);
}

class TextReader {
 public:
  explicit TextReader(std::string_view xml) noexcept : rest_{xml} {}

  // The next byte of the text. Nothing: it ends here, or is malformed.
  std::optional<char> next() noexcept {
    if (character_.at < character_.size) return character_.bytes[character_.at++];
    if (rest_.empty()) return std::nullopt;
    const char c = rest_.front();
    if (c != '&') {
      rest_.remove_prefix(1);
      return c;
    }
    const std::size_t end = rest_.substr(0, kReferenceBytesMax).find(';');
    if (end == std::string_view::npos) return std::nullopt;
    if (!set_reference(rest_.substr(1, end - 1), character_)) return std::nullopt;
    rest_.remove_prefix(end + 1);
    return character_.bytes[character_.at++];
  }

  // Takes a line end that is not a reference, and is not '\n' alone; false: there is none here.
  bool take_carriage_return() noexcept {
    if (character_.at < character_.size || !rest_.starts_with('\r')) return false;
    rest_.remove_prefix(rest_.starts_with("\r\n") ? 2 : 1);
    return true;
  }

  // What is not read. Nothing: a part of a reference is.
  std::optional<std::string_view> rest() const noexcept {
    if (character_.at < character_.size) return std::nullopt;
    return rest_;
  }

 private:
  static constexpr std::size_t kReferenceBytesMax = 16;

  std::string_view rest_;
  Character character_;
};

std::optional<char> next_url_encoded(TextReader& reader) noexcept {
  const auto c = reader.next();
  if (c == '+') return ' ';
  if (c != '%') return c;
  const auto high = reader.next();
  const auto low = reader.next();
  if (!high || !low || hex_value(*high) < 0 || hex_value(*low) < 0) return std::nullopt;
  return static_cast<char>(hex_value(*high) * 16 + hex_value(*low));
}

}  // namespace

std::optional<std::string_view> escape_xml(std::string_view text, std::span<char> out) noexcept {
  std::size_t size = 0;
  for (const char& c : text) {
    const std::string_view reference = reference_of(c);
    if (reference.size() > out.size() - size) return std::nullopt;
    size += reference.copy(out.data() + size, reference.size());
  }
  return std::string_view{out.data(), size};
}

void append_escaped_xml(std::string_view text, std::string& out) {
  for (const char& c : text) out.append(reference_of(c));
}

std::optional<std::string_view> unescape_xml(std::string_view xml, std::span<char> out) noexcept {
  TERCEL_ASSERT(out.size() >= xml.size());
  TextReader reader{xml};
  std::size_t size = 0;
  for (;;) {
    // A reference is longer than what it stands for: what is written is read already.
    const auto c = reader.take_carriage_return() ? std::optional{'\n'} : reader.next();
    if (!c) break;
    const bool is_control = static_cast<unsigned char>(*c) < 0x20;
    if (is_control && *c != '\t' && *c != '\n' && *c != '\r') return std::nullopt;
    out[size++] = *c;
  }
  const auto rest = reader.rest();
  if (!rest || !rest->empty()) return std::nullopt;
  return std::string_view{out.data(), size};
}

std::optional<std::string_view> strip_xml_prefix(std::string_view xml, std::string_view prefix,
                                                 UrlEncoded encoded) noexcept {
  TextReader reader{xml};
  for (const char c : prefix) {
    if ((encoded == UrlEncoded::kYes ? next_url_encoded(reader) : reader.next()) != c) {
      return std::nullopt;
    }
  }
  return reader.rest();
}

}  // namespace tercel::s3
