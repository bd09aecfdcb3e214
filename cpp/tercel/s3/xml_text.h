// Text as XML has it: written, and compared without being decoded as a whole.
//
// Values; nothing is allocated but where it says so. Source: XML 1.0, sections 2.4 and 4.6. Tested
// by xml_text_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tercel::s3 {

// Writes `text` to `out` with the five characters that mean something to XML, and line ends, as
// references; characters that XML cannot have, as '?'. Nothing: `out` is too small.
[[nodiscard]] std::optional<std::string_view> escape_xml(std::string_view text,
                                                         std::span<char> out) noexcept;

// Appends what escape_xml() would write. Allocates.
void append_escaped_xml(std::string_view text, std::string& out);

// What `xml` stands for, between two tags: references decoded, line ends as XML reads them. `out`
// may be the memory of `xml`. Nothing: it has a reference or a character that XML does not have.
// REQUIRES: out.size() >= xml.size().
[[nodiscard]] std::optional<std::string_view> unescape_xml(std::string_view xml,
                                                           std::span<char> out) noexcept;

// Whether the characters of a text are percent-encoded, too, as encoding-type=url has them.
enum class UrlEncoded : std::uint8_t { kNo, kYes };

// `xml` behind what stands for `prefix`. Nothing: the text does not begin with it, or has a
// reference that is none. Cost: linear in the prefix.
[[nodiscard]] std::optional<std::string_view> strip_xml_prefix(std::string_view xml,
                                                               std::string_view prefix,
                                                               UrlEncoded encoded) noexcept;

}  // namespace tercel::s3
