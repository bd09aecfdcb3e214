// Serialises HTTP/1.1 request heads into memory of the caller's.
//
//   if (auto checked = inspect_request(head); !checked) return checked;
//   Block block = blocks.take(request_bytes_bound(head));
//   char* end = write_request(block.data(), head);
//
// Nothing malformed leaves, whoever made the parts: a byte that could end a line, or begin another
// request, fails. Chunks and trailers are those of h1_writer.h. Source: RFC 9112 sections 3, 6 and
// 7.4, RFC 9110 sections 7.6.1 and 8.6. Tested by h1_request_writer_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/base/result.h"
#include "tercel/http/h1_head.h"
#include "tercel/http/message.h"

namespace tercel::http {

struct RequestHead {
  std::string_view method;
  std::string_view target;  // As it is to be written, percent-encoded.
  std::string_view host;    // Host and port: the Host field, which comes first.
  // Names in any case; written in lower case. Host, Content-Length, Expect and what belongs to one
  // connection (is_of_connection()) are left out: the members here say them.
  std::span<const Field> fields;
  Framing framing = Framing::kNone;
  std::uint64_t content_length = 0;  // If kLength.
  bool expects_continue = false;     // Expect: 100-continue. REQUIRES: a body.
  bool accepts_trailers = false;     // TE: trailers
  bool close = false;                // Connection: close
  // A protocol to switch to, if the origin agrees: Upgrade. REQUIRES: no body, no trailers, no
  // close.
  std::string_view upgrade = {};
};

// Fails with kBadMethod, kBadTarget, kBadHost, or kBadField.
[[nodiscard]] Result<void> inspect_request(const RequestHead& head) noexcept;

// Bytes that write_request() needs at most.
[[nodiscard]] std::size_t request_bytes_bound(const RequestHead& head) noexcept;

// Writes the whole head, its empty line included, and returns the end. REQUIRES: inspect_request()
// accepted `head`; room for request_bytes_bound().
[[nodiscard]] char* write_request(char* out, const RequestHead& head) noexcept;

}  // namespace tercel::http
