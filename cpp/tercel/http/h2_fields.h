// The fields of a response as HTTP/2 writes them: in lower case, without those of the connection,
// with the status among them. Copied, because a head waits for the first part of its body.
//
//   H2Fields fields;
//   if (!fields.reserve(response, defaults, blocks)) ...  // Memory is exhausted.
//   fields.add_head(response, defaults);
//   engine.respond(id, fields.view(), body);
//
// Resource: a block while it holds something. Source: RFC 9113 sections 8.2 and 8.3.2.
// Tested by h2_session_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/base/block_pool.h"
#include "tercel/http/message.h"

namespace tercel::http {

class H2Fields {
 public:
  // Room for the head of `response` with `defaults` ("name: value\r\n" each), and a content-length.
  [[nodiscard]] bool reserve(const Response& response, std::string_view defaults,
                             BlockPool& blocks) noexcept;
  [[nodiscard]] bool reserve(std::span<const Field> trailers, BlockPool& blocks) noexcept;

  // Each REQUIRES the room, and fields that inspect(), inspect_interim() or inspect_trailers()
  // accepted. Status 101 becomes 200: HTTP/2 opens a tunnel with it (RFC 8441 section 5).
  void add_head(const Response& response, std::string_view defaults) noexcept;
  void add_content_length(std::uint64_t bytes) noexcept;
  // Leaves out what may not be a trailer.
  void add_trailers(std::span<const Field> trailers) noexcept;

  // Valid until the next call of a member.
  [[nodiscard]] std::span<const Field> view() const noexcept { return {fields(), count_}; }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  void clear() noexcept {
    block_ = Block{};
    count_ = 0;
  }

 private:
  [[nodiscard]] bool take(std::size_t fields, std::size_t text_bytes, BlockPool& blocks) noexcept;
  [[nodiscard]] Field* fields() const noexcept { return reinterpret_cast<Field*>(block_.data()); }
  // The copy of `name`, in lower case, which counts once add() is called with it.
  [[nodiscard]] std::string_view copy_name(std::string_view name) noexcept;
  void add(std::string_view name, std::string_view value) noexcept;

  Block block_;
  char* text_ = nullptr;  // Behind the text so far.
  std::size_t count_ = 0;
};

}  // namespace tercel::http
