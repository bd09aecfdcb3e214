#include "tercel/s3/error_body.h"

#include <cstring>

#include "tercel/base/assert.h"
#include "tercel/base/utf8.h"

namespace tercel::s3 {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
// The longest form of one byte, which kErrorBodyBytesMax counts on.
constexpr std::string_view kLongestEscape = "&quot;";
static_assert(kLongestEscape.size() == 6 && kReplacement.size() <= 6);

// Bytes of the UTF-8 character that `text` begins with; 0: none that XML allows. REQUIRES: not
// empty.
std::size_t character_bytes(std::string_view text) noexcept {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
  const std::size_t bytes = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  const std::string_view character = text.substr(0, bytes);
  if (character.size() != bytes || !is_utf8(character)) return 0;
  // U+FFFE and U+FFFF are no characters of XML.
  return character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF" ? 0 : bytes;
}

class Writer {
 public:
  explicit Writer(std::span<char> out) noexcept : out_{out} {}

  void markup(std::string_view text) noexcept {
    std::memcpy(out_.data() + used_, text.data(), text.size());
    used_ += text.size();
  }
  void element(std::string_view name, std::string_view value) noexcept {
    markup("<");
    markup(name);
    markup(">");
    text(value.substr(0, kErrorTextBytesMax));
    markup("</");
    markup(name);
    markup(">");
  }
  [[nodiscard]] std::string_view written() const noexcept { return {out_.data(), used_}; }

 private:
  void text(std::string_view value) noexcept {
    while (!value.empty()) {
      const std::size_t bytes = character_bytes(value);
      switch (bytes == 1 ? value.front() : '\0') {
        case '&':
          markup("&amp;");
          break;
        case '<':
          markup("&lt;");
          break;
        case '>':
          markup("&gt;");
          break;
        case '"':
          markup(kLongestEscape);
          break;
        case '\'':
          markup("&#39;");
          break;
        case '\r':
          markup("&#13;");
          break;
        default:
          markup(bytes == 0 ? kReplacement : value.substr(0, bytes));
      }
      value.remove_prefix(bytes == 0 ? 1 : bytes);
    }
  }

  std::span<char> out_;
  std::size_t used_ = 0;
};

}  // namespace

std::string_view write_error_body(const Refusal& refusal, const ErrorContext& context,
                                  std::span<char> out) noexcept {
  TERCEL_ASSERT(out.size() >= kErrorBodyBytesMax);
  Writer writer{out};
  writer.markup("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
  writer.element("Code", info(refusal.code()).code);
  writer.element("Message", refusal.message());
  for (std::size_t i = 0; i < refusal.elements(); ++i) {
    const Refusal::Element element = refusal.element(i);
    writer.element(element.name, element.value);
  }
  writer.element("Resource", context.resource);
  writer.element("RequestId", context.request_id);
  writer.element("HostId", context.host_id);
  writer.markup("</Error>");
  return writer.written();
}

}  // namespace tercel::s3
