// Masks and unmasks the payload of WebSocket frames: the same operation.
//
// Source: RFC 6455 section 5.3. 32 bytes a step with AVX2 where the processor has it, 16 with SSE2
// or NEON, 8 elsewhere; the portable form is the definition of the others. Tested by
// websocket_mask_test.cc, which compares them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tercel/http/websocket_frame.h"

namespace tercel::http {

// Copies `bytes` bytes from `from` to `to`, masked with `key`. `offset`: bytes of the payload that
// went before these. `to` may be `from`; otherwise they must not overlap.
void mask_copy(char* to, const char* from, std::size_t bytes, const MaskKey& key,
               std::uint64_t offset) noexcept;

namespace mask {

// The engines. Each masks whole steps of its own size, as many as `bytes` has, and returns how many
// bytes that were. `word` is the key for these bytes, in the order of memory.
std::size_t portable(char* to, const char* from, std::size_t bytes, std::uint32_t word) noexcept;
std::size_t vector16(char* to, const char* from, std::size_t bytes, std::uint32_t word) noexcept;
std::size_t vector32(char* to, const char* from, std::size_t bytes, std::uint32_t word) noexcept;
// Whether vector32() may be called on this processor.
[[nodiscard]] bool has_vector32() noexcept;

}  // namespace mask
}  // namespace tercel::http
