#include "tercel/http/h1_writer.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "tercel/base/assert.h"
#include "tercel/base/parse_number.h"
#include "tercel/http/chars.h"
#include "tercel/http/h1_field.h"
#include "tercel/http/h1_status.h"
#include "tercel/http/scan.h"

namespace tercel::http {
namespace {

constexpr std::uint64_t kLengthMax = INT64_MAX;
// "HTTP/1.1 ", three digits, a space, the reason, CRLF. The longest of ours has 31 bytes.
constexpr std::size_t kStatusLineBytesMax = 48;
constexpr std::size_t kStatusPrefixBytes = 13;
constexpr std::string_view kVersion = "HTTP/1.1 ";

char* put(char* out, std::string_view text) noexcept {
  return std::copy(text.begin(), text.end(), out);
}

char* put_status_line(char* out, const Response& response) noexcept {
  const std::string_view line = known_status_line(response.status);
  if (!line.empty() && response.reason.empty()) return put(out, line);
  out = put(out, kVersion);
  out = std::to_chars(out, out + 3, response.status).ptr;
  return put(put(put(out, " "), response.reason), "\r\n");
}

// Eight bytes at once: a byte is an upper-case letter when adding what lacks to 0x80 carries into
// its top bit from 'A' on, and not from 'Z' + 1 on.
std::uint64_t lower_word(std::uint64_t word) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  const std::uint64_t low = word & (kOnes * 0x7f);
  const std::uint64_t from_a = low + kOnes * (0x80 - 'A');
  const std::uint64_t behind_z = low + kOnes * (0x80 - 'Z' - 1);
  const std::uint64_t upper = from_a & ~behind_z & ~word & (kOnes * 0x80);
  return word | upper >> 2;
}

template <typename Word>
void lower_step(char* out, const char* in) noexcept {
  Word word{};
  std::memcpy(&word, in, sizeof word);
  word = static_cast<Word>(lower_word(word));
  std::memcpy(out, &word, sizeof word);
}

// The last step overlaps the one before it, so that no byte outside of either side is touched.
char* put_lower(char* out, std::string_view text) noexcept {
  const char* const in = text.data();
  const std::size_t size = text.size();
  if (size >= 8) {
    for (std::size_t i = 0; i + 8 < size; i += 8) lower_step<std::uint64_t>(out + i, in + i);
    lower_step<std::uint64_t>(out + size - 8, in + size - 8);
  } else if (size >= 4) {
    lower_step<std::uint32_t>(out, in);
    lower_step<std::uint32_t>(out + size - 4, in + size - 4);
  } else {
    for (std::size_t i = 0; i < size; ++i) out[i] = to_lower(in[i]);
  }
  return out + size;
}

char* put_field(char* out, const Field& field) noexcept {
  out = put_lower(out, field.name);
  out = put(out, ": ");
  out = put(out, trim_blanks(field.value));
  return put(out, "\r\n");
}

// Of a field's value, or a reason: RFC 9112 section 4 allows the same bytes.
bool valid_text(std::string_view text) noexcept {
  const char* const end = text.data() + text.size();
  return scan::find<scan::ValueEnd>(text.data(), end) == end;
}

bool valid_field(const Field& field) noexcept {
  const char* const name_end = field.name.data() + field.name.size();
  const char* stop = scan::find<scan::NameEnd>(field.name.data(), name_end);
  while (stop != name_end && kToken.has(*stop)) ++stop;
  return stop == name_end && !field.name.empty() && valid_text(field.value);
}

bool asks_to_close(std::string_view value) noexcept {
  bool close = false;
  while (!value.empty()) close |= equals_ignoring_case(next_element(value), "close");
  return close;
}

Result<void> note_field(const Field& field, HeadFacts& facts) noexcept {
  switch (field.name.size()) {
    case 4:
      facts.has_date |= equals_ignoring_case(field.name, "date");
      return {};
    case 6:
      facts.has_server |= equals_ignoring_case(field.name, "server");
      return {};
    case 10:
      if (equals_ignoring_case(field.name, "connection")) facts.close |= asks_to_close(field.value);
      return {};
    case 14: {
      if (!equals_ignoring_case(field.name, "content-length")) return {};
      const auto length = parse_decimal(trim_blanks(field.value), kLengthMax);
      if (!length || facts.content_length) return fail(Errc::kBadResponseLength);
      facts.content_length = *length;
      return {};
    }
    default:
      return {};
  }
}

Result<HeadFacts> gather(std::span<const Field> fields) noexcept {
  HeadFacts facts;
  for (const Field& field : fields) {
    if (!valid_field(field)) return fail(Errc::kBadResponseField);
    if (const auto noted = note_field(field, facts); !noted) return fail(noted.error());
  }
  return facts;
}

}  // namespace

Result<HeadFacts> inspect(const Response& response) noexcept {
  if (response.status < 200 || response.status > 599) return fail(Errc::kBadResponseStatus);
  if (!valid_text(response.reason)) return fail(Errc::kBadResponseStatus);
  return gather(response.fields);
}

Result<HeadFacts> inspect_switch(const Response& response) noexcept {
  if (response.status != 101) return fail(Errc::kBadResponseStatus);
  Result<HeadFacts> facts = gather(response.fields);
  if (facts) facts->content_length.reset();
  return facts;
}

Result<void> inspect_interim(const Response& response) noexcept {
  const bool interim = response.status >= 100 && response.status <= 199;
  if (!interim || response.status == 101) return fail(Errc::kBadResponseStatus);
  return inspect_trailers(response.fields);
}

std::size_t fields_bytes_bound(std::span<const Field> fields) noexcept {
  std::size_t bytes = 0;
  for (const Field& field : fields) bytes += field.name.size() + field.value.size() + 4;
  return bytes;
}

char* write_field(char* out, const Field& field) noexcept {
  return put_field(out, field);
}

Result<void> inspect_trailers(std::span<const Field> trailers) noexcept {
  const bool valid = std::all_of(trailers.begin(), trailers.end(), valid_field);
  return valid ? Result<void>{} : fail(Errc::kBadResponseField);
}

std::size_t head_bytes_bound(const Response& response) noexcept {
  return kStatusLineBytesMax + response.reason.size() + fields_bytes_bound(response.fields);
}

// The connection-level names are the session's to write.
bool is_left_out(std::string_view name, std::uint16_t status) noexcept {
  switch (name.size()) {
    case 7:
      return name == "upgrade";
    case 10:
      return name == "connection" || name == "keep-alive";
    case 14:
      // That of a 205 is ours to say: 0.
      return (status < 200 || status == 204 || status == 205) && name == "content-length";
    case 16:
      return name == "proxy-connection";
    case 17:
      return name == "transfer-encoding";
    default:
      return false;
  }
}

char* write_head(char* out, const Response& response, std::string_view prefix_fields) noexcept {
  out = put_status_line(out, response);
  out = put(out, prefix_fields);
  for (const Field& field : response.fields) {
    char* const end = put_field(out, field);
    if (!is_left_out({out, field.name.size()}, response.status)) out = end;
  }
  return out;
}

std::size_t trailers_bytes_bound(std::span<const Field> trailers) noexcept {
  return kLastChunk.size() + fields_bytes_bound(trailers);
}

char* write_trailers(char* out, std::span<const Field> trailers) noexcept {
  out = put(out, "0\r\n");
  for (const Field& field : trailers) {
    char* const end = put_field(out, field);
    if (may_be_trailer({out, field.name.size()})) out = end;
  }
  return put(out, "\r\n");
}

std::string_view reason_phrase(std::uint16_t status) noexcept {
  const std::string_view line = known_status_line(status);
  return line.empty() ? line
                      : line.substr(kStatusPrefixBytes, line.size() - kStatusPrefixBytes - 2);
}

char* write_content_length(char* out, std::uint64_t bytes) noexcept {
  out = put(out, "content-length: ");
  out = std::to_chars(out, out + 20, bytes).ptr;
  return put(out, "\r\n");
}

char* write_chunk_line(char* out, std::uint64_t bytes) noexcept {
  TERCEL_ASSERT(bytes > 0);
  out = std::to_chars(out, out + 16, bytes, 16).ptr;
  return put(out, "\r\n");
}

}  // namespace tercel::http
