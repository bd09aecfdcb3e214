// Serialises HTTP/1 response heads, trailers and chunk framing into memory of the caller's.
//
// Nothing malformed leaves: a name that is not a token, or a value with a control byte, is
// kBadResponseField; white space around a value is left out. Source: RFC 9112 sections 4 and 7.1,
// RFC 9110 section 5.5. Tested by h1_writer_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/base/result.h"
#include "tercel/http/message.h"

namespace tercel::http {

// What the fields of a response head say about its framing and its connection.
struct HeadFacts {
  std::optional<std::uint64_t> content_length;
  bool close = false;  // Connection: close
  bool has_date = false;
  bool has_server = false;
};

// Checks a final response (status 200 to 599) and gathers its facts. Does not write. Fails with
// kBadResponseStatus, for a reason with a control byte too, kBadResponseField, or
// kBadResponseLength: a Content-Length that is repeated or not one decimal number. Cost: linear in
// the bytes of the fields.
[[nodiscard]] Result<HeadFacts> inspect(const Response& response) noexcept;

// Checks a response that switches protocols: status 101. It has no Content-Length, so that of its
// fields counts for nothing.
[[nodiscard]] Result<HeadFacts> inspect_switch(const Response& response) noexcept;

// Checks an interim response: status 100 to 199, but not 101, which ends HTTP/1 on the connection.
[[nodiscard]] Result<void> inspect_interim(const Response& response) noexcept;

// "name: value\r\n", the name in lower case. REQUIRES: inspect_trailers() accepts the field, and
// there is room for fields_bytes_bound().
[[nodiscard]] char* write_field(char* out, const Field& field) noexcept;
[[nodiscard]] std::size_t fields_bytes_bound(std::span<const Field> fields) noexcept;

// Checks trailer fields.
[[nodiscard]] Result<void> inspect_trailers(std::span<const Field> trailers) noexcept;

// Bytes that write_head() needs at most for `response`, before framing fields.
[[nodiscard]] std::size_t head_bytes_bound(const Response& response) noexcept;

// Writes the status line and the fields that are the application's, in lower case, without the
// connection-level ones (connection, keep-alive, proxy-connection, transfer-encoding, upgrade),
// without the Content-Length that RFC 9110 section 8.6 forbids to 1xx and 204, and without the last
// CRLF. `prefix_fields` (date, server; each "name: value\r\n") follow the status line. Returns the
// end. REQUIRES: inspect() or inspect_interim() accepted `response`; room for head_bytes_bound()
// and `prefix_fields`.
[[nodiscard]] char* write_head(char* out, const Response& response,
                               std::string_view prefix_fields) noexcept;

// Whether write_head() leaves a field out. `name` in lower case.
[[nodiscard]] bool is_left_out(std::string_view name, std::uint16_t status) noexcept;

// The last chunk and the trailer section, its empty line included: "0\r\nname: value\r\n\r\n".
// Fields that may not be trailers (RFC 9110 section 6.5.1) are left out. REQUIRES:
// inspect_trailers() accepted `trailers`; room for trailers_bytes_bound().
[[nodiscard]] std::size_t trailers_bytes_bound(std::span<const Field> trailers) noexcept;
[[nodiscard]] char* write_trailers(char* out, std::span<const Field> trailers) noexcept;

// "OK" for 200: RFC 9110's or IANA's, empty for a status without one.
[[nodiscard]] std::string_view reason_phrase(std::uint16_t status) noexcept;

// The framing and connection fields that end a head.
[[nodiscard]] char* write_content_length(char* out,
                                         std::uint64_t bytes) noexcept;  // "content-length: 5\r\n"
inline constexpr std::string_view kChunkedField = "transfer-encoding: chunked\r\n";
inline constexpr std::string_view kCloseField = "connection: close\r\n";
inline constexpr std::string_view kKeepAliveField = "connection: keep-alive\r\n";
inline constexpr std::string_view kSwitchFields = "connection: Upgrade\r\nupgrade: websocket\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";
inline constexpr std::size_t kFramingBytesMax = 128;

// "1f\r\n". Needs kChunkLineBytesMax. REQUIRES: bytes > 0.
inline constexpr std::size_t kChunkLineBytesMax = 18;
[[nodiscard]] char* write_chunk_line(char* out, std::uint64_t bytes) noexcept;

}  // namespace tercel::http
