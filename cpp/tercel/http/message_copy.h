// Copies of requests, responses and fields, for whoever needs them longer than the call in which
// they are valid: another thread, a queue, a policy that answers later.
//
//   Block block = blocks.take(copy_bytes(request));
//   const Request kept = copy(request, block.data());  // Valid as long as the block.
//
// A copy is one piece of memory of the caller's, with nothing to destroy. Tested by
// message_copy_test.cc.
#pragma once

#include <cstddef>
#include <span>

#include "tercel/http/message.h"

namespace tercel::http {

// Bytes that copy() needs: a multiple of alignof(Field).
[[nodiscard]] std::size_t copy_bytes(const Request& request) noexcept;
[[nodiscard]] std::size_t copy_bytes(const Response& response) noexcept;
[[nodiscard]] std::size_t copy_bytes(std::span<const Field> fields) noexcept;

// Copies the argument and everything that it points to. All views of the result are into `memory`.
// REQUIRES: `memory` has room for copy_bytes() and is aligned for Field.
[[nodiscard]] Request copy(const Request& request, char* memory) noexcept;
[[nodiscard]] Response copy(const Response& response, char* memory) noexcept;
[[nodiscard]] std::span<const Field> copy(std::span<const Field> fields, char* memory) noexcept;

}  // namespace tercel::http
