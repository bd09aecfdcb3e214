#include "tercel/http/h1_request_writer.h"

#include <algorithm>

#include "tercel/http/chars.h"
#include "tercel/http/h1_writer.h"
#include "tercel/http/url.h"

namespace tercel::http {
namespace {

constexpr std::string_view kLine = " HTTP/1.1\r\nhost: \r\n";
constexpr std::string_view kExpect = "expect: 100-continue\r\n";
constexpr std::string_view kTrailers = "te: trailers\r\n";
constexpr std::string_view kUpgrade = "connection: upgrade\r\nupgrade: ";
// The most that is written of the connection: options and what they name.
constexpr std::string_view kOptions = "connection: close, te\r\n";

char* put(char* out, std::string_view text) noexcept {
  return std::copy(text.begin(), text.end(), out);
}

// What may stand in a request line; what it means is the origin's to judge.
bool is_target_byte(char c) noexcept {
  return c > ' ' && c < 0x7f && c != '#';
}

// A request that could have a body says that it has none. Source: RFC 9110 section 8.6.
bool anticipates_body(std::string_view method) noexcept {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

// Names of fields that write_request() writes itself, or nobody.
bool is_own(std::string_view name) noexcept {
  return name == "host" || name == "content-length" || name == "expect" || is_of_connection(name);
}

}  // namespace

Result<void> inspect_request(const RequestHead& head) noexcept {
  if (!is_token(head.method)) return fail(Errc::kBadMethod);
  const std::string_view target = head.target;
  if (target.empty() || !std::all_of(target.begin(), target.end(), is_target_byte)) {
    return fail(Errc::kBadTarget);
  }
  if (!valid_authority(head.host)) return fail(Errc::kBadHost);
  if (!head.upgrade.empty() && !is_token(head.upgrade)) return fail(Errc::kBadField);
  return inspect_trailers(head.fields) ? Result<void>{} : fail(Errc::kBadField);
}

std::size_t request_bytes_bound(const RequestHead& head) noexcept {
  return head.method.size() + 1 + head.target.size() + kLine.size() + head.host.size() +
         fields_bytes_bound(head.fields) + kExpect.size() + kTrailers.size() + kOptions.size() +
         kUpgrade.size() + head.upgrade.size() + 2 + kFramingBytesMax + 2;
}

char* write_request(char* out, const RequestHead& head) noexcept {
  out = put(out, head.method);
  out = put(put(out, " "), head.target);
  out = put(put(out, " HTTP/1.1\r\nhost: "), head.host);
  out = put(out, "\r\n");
  for (const Field& field : head.fields) {
    char* const end = write_field(out, field);
    if (!is_own({out, field.name.size()})) out = end;
  }
  switch (head.framing) {
    case Framing::kNone:
      if (anticipates_body(head.method)) out = write_content_length(out, 0);
      break;
    case Framing::kLength:
      out = write_content_length(out, head.content_length);
      break;
    case Framing::kChunked:
      out = put(out, kChunkedField);
  }
  if (head.expects_continue) out = put(out, kExpect);
  if (head.accepts_trailers) out = put(out, kTrailers);
  if (!head.upgrade.empty()) {
    return put(put(put(out, kUpgrade), head.upgrade), "\r\n\r\n");
  }
  if (head.close || head.accepts_trailers) {
    out = put(out, "connection: ");
    if (head.close) out = put(out, head.accepts_trailers ? "close, " : "close");
    out = put(out, head.accepts_trailers ? "te\r\n" : "\r\n");
  }
  return put(out, "\r\n");
}

}  // namespace tercel::http
