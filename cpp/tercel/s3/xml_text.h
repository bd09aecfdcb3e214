// Text as XML has it: written, and compared without being decoded as a whole.
//
// Values; nothing is allocated. Source: XML 1.0, sections 2.4 and 4.6. Tested by xml_text_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tercel::s3 {

// Writes `text` to `out` with the five characters that mean something to XML, and line ends, as
// references; characters that XML cannot have, as '?'. Nothing: `out` is too small.
[[nodiscard]] std::optional<std::string_view> escape_xml(std::string_view text,
                                                         std::span<char> out) noexcept;

// Whether the characters of a text are percent-encoded, too, as encoding-type=url has them.
enum class UrlEncoded : std::uint8_t { kNo, kYes };

// `xml` behind what stands for `prefix`. Nothing: the text does not begin with it, or has a
// reference that is none. Cost: linear in the prefix.
[[nodiscard]] std::optional<std::string_view> strip_xml_prefix(std::string_view xml,
                                                               std::string_view prefix,
                                                               UrlEncoded encoded) noexcept;

}  // namespace tercel::s3
