// What the head of a part of a form says: its name, the name of its file, its type.
//
// Strict, as two readers of one form must not see two names: there is one Content-Disposition,
// "form-data" with one name, and at most one Content-Type; an encoding that changes the data is
// refused. Names are decoded as clients encode them: %22, %0D and %0A are a quote, CR and LF, as
// browsers write them, other percent signs are themselves; \" and \\ are a quote and a backslash,
// as curl may write them, other backslashes are themselves. "filename*" (RFC 8187) is UTF-8 and
// wins over "filename". A file name is what the client says: never a path to write to.
// Source: RFC 7578 section 4, RFC 8187 section 3.2, WHATWG HTML "multipart/form-data encoding
// algorithm". Tested by multipart_head_test.cc.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/base/result.h"
#include "tercel/http/message.h"

namespace tercel::http {

struct PartHead {
  std::string_view name;
  std::optional<std::string_view> filename;  // Empty: a file control without a file.
  std::string_view content_type;             // As sent; empty: there is none.
  std::span<const Field> fields;             // All of them, names in lower case.
  bool is_utf8 = true;                       // Name and file name are.
};

// Views into the fields, and into `room` where a name had to be decoded. Fails with kBadPart.
// REQUIRES: `room` is not shorter than the values of the fields together.
[[nodiscard]] Result<PartHead> read_part_head(std::span<const Field> fields,
                                              std::span<char> room) noexcept;

}  // namespace tercel::http
