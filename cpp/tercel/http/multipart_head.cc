#include "tercel/http/multipart_head.h"

#include <algorithm>

#include "tercel/base/assert.h"
#include "tercel/base/percent.h"
#include "tercel/base/utf8.h"
#include "tercel/http/chars.h"
#include "tercel/http/parameters.h"

namespace tercel::http {
namespace {

// attr-char of RFC 8187.
constexpr CharSet kAttribute{"!#$&+-.^_`|~", true};

// Takes what is decoded off the front of `room`.
std::span<char> take(std::span<char>& room, std::size_t bytes) noexcept {
  TERCEL_ASSERT(room.size() >= bytes);
  const std::span<char> taken = room.first(bytes);
  room = room.subspan(bytes);
  return taken;
}

// The byte that `text` begins with the browsers' escape of, or 0.
char browser_escape(std::string_view text) noexcept {
  const std::string_view escape = text.substr(0, 3);
  if (escape == "%22") return '"';
  if (equals_ignoring_case(escape, "%0d")) return '\r';
  if (equals_ignoring_case(escape, "%0a")) return '\n';
  return 0;
}

std::string_view decode_browser_escapes(std::string_view text, char* out) noexcept {
  char* end = out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char decoded = text[i] == '%' ? browser_escape(text.substr(i)) : '\0';
    if (decoded != 0) i += 2;
    *end++ = decoded != 0 ? decoded : text[i];
  }
  return {out, static_cast<std::size_t>(end - out)};
}

std::string_view decode_name(const Parameter& parameter, std::span<char>& room) noexcept {
  const std::string_view value = parameter.value;
  if (!parameter.quoted || value.find_first_of("\\%") == std::string_view::npos) return value;
  const std::span<char> out = take(room, value.size());
  const std::string_view text = unescape(value, out, Backslash::kEscapesQuoteAndItself);
  return decode_browser_escapes(text, out.data());
}

bool is_control(char c) noexcept {
  return (c >= 0 && c < ' ') || c == 0x7f;
}

// charset'language'text. Nothing: malformed, or not UTF-8.
std::optional<std::string_view> decode_extended(const Parameter& parameter,
                                                std::span<char>& room) noexcept {
  std::string_view rest = parameter.value;
  if (parameter.quoted || std::count(rest.begin(), rest.end(), '\'') != 2) return std::nullopt;
  if (!equals_ignoring_case(next_element(rest, '\''), "utf-8")) return std::nullopt;
  next_element(rest, '\'');
  const auto allowed = [](char c) { return kAttribute.has(c) || c == '%'; };
  if (!std::all_of(rest.begin(), rest.end(), allowed) || !valid_percent_encoding(rest)) {
    return std::nullopt;
  }
  const std::string_view text = percent_decode(rest, take(room, rest.size()));
  if (!is_utf8(text) || std::any_of(text.begin(), text.end(), is_control)) return std::nullopt;
  return text;
}

// The parameters that we know, each at most once.
struct Disposition {
  std::optional<std::string_view> name;
  std::optional<std::string_view> filename;
  std::optional<std::string_view> extended_filename;
};

// False: malformed.
bool note(const Parameter& parameter, Disposition& found, std::span<char>& room) noexcept {
  if (equals_ignoring_case(parameter.name, "name")) {
    if (found.name) return false;
    found.name = decode_name(parameter, room);
  } else if (equals_ignoring_case(parameter.name, "filename")) {
    if (found.filename) return false;
    found.filename = decode_name(parameter, room);
  } else if (equals_ignoring_case(parameter.name, "filename*")) {
    if (found.extended_filename) return false;
    found.extended_filename = decode_extended(parameter, room);
    return found.extended_filename.has_value();
  }
  return true;
}

bool read_disposition(std::string_view value, std::span<char>& room, PartHead& head) noexcept {
  const std::size_t semicolon = std::min(value.find(';'), value.size());
  if (!equals_ignoring_case(trim_blanks(value.substr(0, semicolon)), "form-data")) return false;
  Parameters parameters{value.substr(semicolon)};
  Parameter parameter;
  Disposition found;
  Parameters::Next next = parameters.next(parameter);
  for (; next == Parameters::Next::kParameter; next = parameters.next(parameter)) {
    if (!note(parameter, found, room)) return false;
  }
  if (next == Parameters::Next::kBad || !found.name) return false;
  head.name = *found.name;
  head.filename = found.extended_filename ? found.extended_filename : found.filename;
  head.is_utf8 = is_utf8(head.name) && is_utf8(head.filename.value_or(""));
  return true;
}

// Whether data is sent as it is. Others are not decoded by browsers' peers, or only by some.
bool is_identity(std::string_view encoding) noexcept {
  return equals_ignoring_case(encoding, "7bit") || equals_ignoring_case(encoding, "8bit") ||
         equals_ignoring_case(encoding, "binary");
}

}  // namespace

Result<PartHead> read_part_head(std::span<const Field> fields, std::span<char> room) noexcept {
  PartHead head;
  head.fields = fields;
  bool has_disposition = false;
  bool has_type = false;
  for (const Field& field : fields) {
    if (field.name == "content-disposition") {
      if (has_disposition || !read_disposition(field.value, room, head)) {
        return fail(Errc::kBadPart);
      }
      has_disposition = true;
    } else if (field.name == "content-type") {
      if (has_type) return fail(Errc::kBadPart);
      has_type = true;
      head.content_type = field.value;
    } else if (field.name == "content-transfer-encoding") {
      if (!is_identity(field.value)) return fail(Errc::kBadPart);
    }
  }
  if (!has_disposition) return fail(Errc::kBadPart);
  return head;
}

}  // namespace tercel::http
