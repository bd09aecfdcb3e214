// Values of a URL that a log must not show: whoever has read a presigned URL can use it.
//
//   constexpr std::string_view kNames[] = {"X-Amz-Signature"};
//   bytes = hide_values({line, bytes}, kNames);   // "GET /a?X-Amz-Signature=*** HTTP/1.1"
//
// Names are compared decoded and ignoring case: what a server behind may take for one is one. No
// I/O, nothing is allocated. Cost: linear in the text, times the number of names. Tested by
// hidden_values_test.cc.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace tercel::edge {

// Puts stars in the place of each value, and returns the bytes that are left, no more than before.
// `text` has a query behind its first '?', as far as the next space: a target or a request line, a
// URL, a query with its '?'. It may be cut anywhere.
[[nodiscard]] std::size_t hide_values(std::span<char> text,
                                      std::span<const std::string_view> names) noexcept;

}  // namespace tercel::edge
